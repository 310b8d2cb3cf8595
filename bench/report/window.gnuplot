# SPDX-License-Identifier: MIT
# window.gnuplot - throughput against the time until the first page can be used; numbers: pages of a batch.
eval canvas(760, 500)
set multiplot layout lines, columns
set logscale xy 2
set xlabel 'time until the first page can be used, us'
set offsets graph 0.05, graph 0.12, graph 0.06, graph 0.06
do for [panel = 1:panels] {
  set title title(panel)
  set ylabel unit(panel)
  plot for [curve = first(panel):last(panel)] data index points(curve) using 1:2:4 \
    with linespoints lw 1.5 lc rgb colour(curve) dt dash(curve) pt symbol(curve) ps variable title name(curve), \
    for [curve = first(panel):last(panel)] data index points(curve) using 1:2:(strcol(3)) \
    with labels font ',9' offset 0.6, -0.6 left textcolor rgb colour(curve) notitle
}
unset multiplot

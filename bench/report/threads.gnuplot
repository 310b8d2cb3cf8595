# SPDX-License-Identifier: MIT
# threads.gnuplot - GB/s against the number of threads.
eval canvas(700, 380)
set multiplot layout lines, columns
set logscale x 2
set xlabel 'threads'
set yrange [0:*]
do for [panel = 1:panels] {
  set title title(panel)
  set ylabel unit(panel)
  plot for [curve = first(panel):last(panel)] data index points(curve) using 1:2:3:4:xtic(1) \
    with yerrorlines lw 1.8 ps 0.7 lc rgb colour(curve) dt dash(curve) pt symbol(curve) title name(curve)
}
unset multiplot

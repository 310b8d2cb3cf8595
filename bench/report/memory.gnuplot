# SPDX-License-Identifier: MIT
# memory.gnuplot - memory that the library needs for a page, against the number of pages.
eval canvas(700, 380)
set multiplot layout lines, columns
set logscale x 10
set format x '%.0s%c'
set xlabel 'pages of a batch'
set yrange [0:*]
do for [panel = 1:panels] {
  set title title(panel)
  set ylabel unit(panel)
  plot for [curve = first(panel):last(panel)] data index points(curve) using 1:2:3:4 \
    with yerrorlines lw 1.8 ps 0.7 lc rgb colour(curve) dt dash(curve) pt symbol(curve) title name(curve)
}
unset multiplot

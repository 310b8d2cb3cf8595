# SPDX-License-Identifier: MIT
# load.gnuplot - percentiles of how long accesses take while memory moves.
eval canvas(700, 400)
set multiplot layout lines, columns
set logscale y
set xlabel 'percentile of the accesses'
set xrange [-0.3:5.3]
do for [panel = 1:panels] {
  set title title(panel)
  set ylabel unit(panel)
  plot for [curve = first(panel):last(panel)] data index points(curve) using 1:2:3:4:xtic(5) \
    with yerrorlines lw 1.8 ps 0.7 lc rgb colour(curve) dt dash(curve) pt symbol(curve) title name(curve)
}
unset multiplot

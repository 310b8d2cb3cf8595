# SPDX-License-Identifier: MIT
# throughput.gnuplot - GB/s against the length of runs, a curve for each mover and plain copy.
eval canvas(700, 380)
set multiplot layout lines, columns
set logscale x 2
set xlabel 'length of a run without a gap (K: KiB, M: MiB)'
set yrange [0:*]
do for [panel = 1:panels] {
  set title title(panel)
  set ylabel unit(panel)
  plot for [curve = first(panel):last(panel)] data index points(curve) using 1:2:3:4:xtic(5) \
    with yerrorlines lw 1.8 ps 0.7 lc rgb colour(curve) dt dash(curve) pt symbol(curve) title name(curve)
}
unset multiplot

# SPDX-License-Identifier: MIT
# reach.gnuplot - how long pages are out of reach, against the size of chunks.
eval canvas(700, 380)
set multiplot layout lines, columns
set logscale x 2
set logscale y
set xlabel 'size of a chunk (K: KiB, M: MiB)'
do for [panel = 1:panels] {
  set title title(panel)
  set ylabel 'out of reach, '.unit(panel)
  plot for [curve = first(panel):last(panel)] data index points(curve) using 1:2:3:4:xtic(5) \
    with yerrorlines lw 1.8 ps 0.7 lc rgb colour(curve) dt dash(curve) pt symbol(curve) title name(curve)
}
unset multiplot

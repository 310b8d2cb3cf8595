# SPDX-License-Identifier: MIT
# slowdown.gnuplot - what is left of an application's throughput while memory moves, as bars.
eval canvas(700, 380)
set multiplot layout lines, columns
set style histogram errorbars gap 1 lw 1
set yrange [0:*]
set xtics rotate by -30
unset key
do for [panel = 1:panels] {
  set title title(panel)
  set ylabel unit(panel)
  plot data index panel + 1 using 2:3:4:xtic(1) lc rgb colour(1), 100 with lines lw 1 dt 2 lc '#555555'
}
unset multiplot

# SPDX-License-Identifier: MIT
# program.gnuplot - programs before, during and after the migration, as bars.
eval canvas(640, 380)
set multiplot layout lines, columns
set style histogram errorbars gap 1 lw 1
set yrange [0:*]
set xtics rotate by -30
number(place) = column(3 * (series - first(panel)) + 2 + place) # median and quartiles
do for [panel = 1:panels] {
  set title title(panel)
  set ylabel unit(panel)
  plot for [series = first(panel):last(panel)] data index panel + 1 \
    using (number(0)):(number(1)):(number(2)):xtic(1) \
    lc rgb colour(series) title name(series)
}
unset multiplot

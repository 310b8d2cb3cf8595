# SPDX-License-Identifier: MIT
# scaling.gnuplot - where the time of a batch goes, as stacked bars; T: threads.
eval canvas(700, 400)
set multiplot layout lines, columns
set style histogram rowstacked
set yrange [0:*]
set xtics rotate by -40
set xlabel 'pages of a batch, threads (T)'
do for [panel = 1:panels] {
  set title title(panel)
  set ylabel unit(panel)
  plot for [series = first(panel):last(panel)] data index panel + 1 \
    using (column(series - first(panel) + 2)):xtic(1) lc rgb colour(series) title name(series)
}
unset multiplot

# SPDX-License-Identifier: MIT
# choice.gnuplot - the automatic choice as a multiple of the best setting, a bar for each scene.
eval canvas(1000, 480)
set style histogram errorbars gap 1 lw 1
set yrange [0:*]
set xtics rotate by -40
unset key
set rmargin 9
set title title(1)
set ylabel unit(1)
plot data index 2 using 2:3:4:xtic(1) lc rgb colour(1), 1 with lines lw 1 dt 2 lc '#555555'

# SPDX-License-Identifier: MIT
# style.gnuplot - what all pictures have in common; reads what rows.jq says of panels and curves.
# "data", "picture" and "kind" (svg or png) are set by make, for names without quotes.
titles = ''; firsts = ''; lasts = ''; units = ''
stats data index 0 using (titles = titles . '"' . strcol(1) . '" ', firsts = firsts . strcol(2) . ' ', \
  lasts = lasts . strcol(3) . ' ', units = units . '"' . strcol(4) . '" ', 0) nooutput
panels = words(titles)
names = ''; colours = ''; dashes = ''; symbols = ''
stats data index 1 using (names = names . '"' . strcol(1) . '" ', colours = colours . strcol(2) . ' ', \
  dashes = dashes . strcol(3) . ' ', symbols = symbols . strcol(4) . ' ', 0) nooutput

title(panel) = word(titles, panel)
unit(panel) = word(units, panel)
first(panel) = int(word(firsts, panel)) + 1
last(panel) = int(word(lasts, panel)) + 1
name(curve) = word(names, curve)
colour(curve) = word(colours, curve)
dash(curve) = int(word(dashes, curve))
symbol(curve) = int(word(symbols, curve))
points(curve) = curve + 1 # the block of a curve's points

columns = panels > 1 ? 2 : 1
lines = (panels + columns - 1) / columns
# So many pixels for each panel; "noenhanced": an underscore is one.
canvas(across, down) = (kind eq 'svg' ? "set terminal svg font 'sans,13' background '#ffffff'" \
  : "set terminal pngcairo font 'sans,10' background '#ffffff'") \
  . sprintf(" noenhanced size %d,%d", columns * across, lines * down)
set output picture

set encoding utf8
set border 3 lw 0.8 lc '#555555'
set tics nomirror
set grid xtics ytics back lt 1 lw 0.5 lc '#d8d8d8'
set key outside right top vertical Left reverse noenhanced width 1 samplen 3 spacing 1.15
set style fill solid 0.85 border lc '#333333'
set style data histogram
set boxwidth 0.9
set bars 0.6
set title font ',14'

#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# stall.sh - draws what build/bench/stall --plot wrote; needs gnuplot.
# Usage: stall.sh DATA PICTURE.svg|PICTURE.png
set -u

usage() {
	echo "usage: stall.sh DATA PICTURE.svg|PICTURE.png: $1" >&2
	exit 2
}

(($# == 2)) || usage "two arguments are allowed"
data=$1 picture=$2
[[ -r $data ]] || usage "$data cannot be read"
# What goes into the quotes of gnuplot.
[[ $data$picture != *[\'\"]* ]] || usage "a name with a quote is not allowed"
case $picture in
*.svg) terminal="svg size 1200,900 font 'sans,14' background 'white'" ;;
*.png) terminal="pngcairo size 1200,900 font 'sans,11'" ;;
*) usage "$picture must end with .svg or .png" ;;
esac
if ! command -v gnuplot >/dev/null; then
	echo "stall.sh: gnuplot is not installed (Debian: gnuplot-nox)" >&2
	exit 1
fi

# The palette of Okabe and Ito: told apart by the colour-blind, too.
colours=('#000000' '#0072b2' '#009e73' '#e69f00' '#d55e00' '#cc79a7' '#56b4e9' '#999999')

bounds() { # base|huge|.*
	sed -n "s/^# waits_$1_\([0-9]*\)us$/\1/p" "$data" | sort -nu
}

# A bound has the same colour in both panels.
declare -A colour_of
count=0
while read -r bound; do
	colour_of[$bound]=${colours[count++ % ${#colours[@]}]}
done < <(bounds '.*')

# A curve for each bound, thin with what the scheduler adds, and a line at the bound.
waits() { # base|huge
	local bound colour title plots=''
	while read -r bound; do
		colour=${colour_of[$bound]}
		title="bound $bound us"
		if ((bound > 0)); then
			echo "set arrow from $bound, graph 0 to $bound, graph 1 nohead dt 2 lw 1.5 lc '$colour'"
		else
			title="no bound"
		fi
		plots+="'$data' index 'waits_$1_${bound}us' using 1:2 with steps lw 2.5 lc '$colour' title '$title',"
		plots+="'' index 'waits_$1_${bound}us' using 1:3 with steps lw 0.7 lc '$colour' notitle,"
	done < <(bounds "$1")
	echo "plot $plots 0.001 with lines dt 3 lc '#666666' title '1 in 1000'"
	echo "unset arrow"
}

panel() { # base|huge TITLE LEFT WIDTH
	cat <<-END
		set origin $3, 0.36
		set size $4, 0.58
		set title '$2'
		set logscale xy
		set xlabel 'time of an access, us'
		set ylabel 'share that took longer'
		set xrange [threshold:*]
		set yrange [5e-5:1.3]
		set format y '10^{%T}'
		set format x '%.0f'
	END
	waits "$1"
}

# Columns: place, bound, median, smallest, largest.
rates() {
	local kind number=0 plots='' shown="using 1:3:4:5:xtic(2) with yerrorlines lw 2 pt 7"
	for kind in base huge; do
		grep -q "^# rate_$kind$" "$data" || continue
		plots+="'$data' index 'rate_$kind' $shown lc '${colours[1 + 3 * number++]}' title '$kind pages',"
	done
	echo "plot ${plots%,}"
}

script() {
	local width=1 left=0
	[[ -z $(bounds huge) || -z $(bounds base) ]] || width=0.5 left=0.5
	cat <<-END
		set terminal $terminal
		set output '$picture'
		set datafile missing '?'
		threshold = $(sed -n 's/.*threshold_us //p' "$data")
		set multiplot title 'Accesses to pages in migration (dashed: the bound; thin: with what the scheduler adds)'
		set key bottom left opaque box lc '#dddddd'
		set grid xtics ytics back lt 1 lw 0.5 lc '#cccccc'
		set rmargin 4
	END
	[[ -z $(bounds base) ]] || panel base 'Base pages' 0 "$width"
	[[ -z $(bounds huge) ]] || panel huge 'Huge pages' "$left" "$width"
	cat <<-END
		set origin 0, 0
		set size 1, 0.35
		unset logscale
		set title 'Throughput (median and range of the rounds)'
		set xlabel 'bound, us'
		set ylabel 'GB/s'
		set format '%g'
		set xrange [*:*]
		set yrange [0:*]
		set offsets 0.3, 0.3, 0.5, 0
		set key outside right center nobox
		set rmargin 18
	END
	rates
	echo "unset multiplot"
}

script | gnuplot

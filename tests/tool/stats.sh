#!/bin/sh
# SPDX-License-Identifier: MIT
# Reports at exit of a real program: each once, however it ends. One node will do.
#
# usage: stats.sh REPORTER
# shellcheck disable=SC2154 # $work and $status are set in check.sh
set -u
tool=$(readlink -f "${1:?usage: stats.sh REPORTER}") || exit 1
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/tool/check.sh disable=SC1091
. "$here/check.sh"
trap 'rm -rf "$work"' EXIT
unset BATCHMIG_STATS BATCHMIG_STATS_FILE

# What is wrong with a run, in $wrong; nothing may be on standard output.
look() { # way status reports processes
	run "$1"
	wrong='' look_seen=$(grep -c '^batchmig: process [0-9]*: [0-9]* batch' "$work/err")
	look_of=$(sed -n 's/^batchmig: process \([0-9]*\):.*/\1/p' "$work/err" | sort -u | wc -l)
	[ "$status" -eq "$2" ] || wrong="status $status, not $2"
	[ "$look_seen $look_of" = "$3 $4" ] || wrong="$look_seen reports of $look_of processes"
	[ ! -s "$work/out" ] || wrong="something on standard output"
}

reports() { # way status reports processes [times]
	reports_left=${5:-1} wrong=
	while [ "$reports_left" -gt 0 ] && [ -z "$wrong" ]; do
		look "$@"
		reports_left=$((reports_left - 1))
	done
	if [ -n "$wrong" ]; then not_ok "stats/$1" "$wrong"; else ok "stats/$1"; fi
}

test_ends() {
	reports return 0 1 1
	reports exit 3 1 1
	reports _exit 0 0 0
	reports idle 0 0 0
	reports freed 0 1 1
	reports fork 0 1 1
	reports child 0 2 2
	reports threads 0 1 1 20
}

# One file for each process; what is there already stays.
test_file() {
	BATCHMIG_STATS_FILE=$work/report.%p
	export BATCHMIG_STATS_FILE
	run child
	set -- "$work"/report.*
	if [ "$status" -eq 0 ] && [ $# -eq 2 ] && [ ! -s "$work/err" ]; then
		ok stats/files
	else
		not_ok stats/files "status $status, $# files"
	fi
	BATCHMIG_STATS_FILE=$work/report
	run return
	run return
	if [ "$(grep -c '^batchmig: process' "$work/report")" -eq 2 ]; then
		ok stats/added_to_a_file
	else
		not_ok stats/added_to_a_file "not two reports"
	fi
	unset BATCHMIG_STATS_FILE
}

run return
if [ -s "$work/err" ]; then not_ok stats/off "something was printed"; else ok stats/off; fi
export BATCHMIG_STATS=1
test_ends
test_file
finish

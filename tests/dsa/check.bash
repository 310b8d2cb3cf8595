# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # what the script sets: work, lib
# Counts, and runs the program that finds queues. The script sets work and build.
: "${build:?}"
passed=0 failed=0 skipped=0

ok() { # NAME
	passed=$((passed + 1))
	echo "ok $1"
}

not_ok() { # NAME WHY
	failed=$((failed + 1))
	echo "not ok $1: $2"
	[ ! -s "$work/out" ] || head -n 20 "$work/out" | sed 's/^/# /'
}

skip() { # NAME WHY
	skipped=$((skipped + 1))
	echo "skip $1: $2"
}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

# The program with the library that is tried now, and its output in a file.
command=()
find_queues() { # ARGUMENT...
	"${command[@]}" "$build/tests/dsa/queues" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
}

# After find_queues: it did not crash, it printed nothing else, and these are all lines.
lines_are() { # NAME PATTERN...
	local name=$lib/$1 count=0 line
	shift
	while IFS= read -r line; do
		count=$((count + 1))
		# shellcheck disable=SC2053 # patterns are what is wanted
		if [ $count -gt $# ] || [[ $line != ${!count} ]]; then
			not_ok "$name" "line $count is not ${!count-there}"
			return
		fi
	done <"$work/out"
	if [ "$status" -ne 0 ]; then
		not_ok "$name" "status $status"
	elif [ -s "$work/err" ]; then
		not_ok "$name" "on standard error: $(head -n 1 "$work/err")"
	elif [ $count -ne $# ]; then
		not_ok "$name" "$count lines, not $#"
	else
		ok "$name"
	fi
}

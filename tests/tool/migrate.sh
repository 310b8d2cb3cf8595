#!/bin/sh
# SPDX-License-Identifier: MIT
# The program moves the memory of other processes; for a machine with two nodes.
#
# usage: migrate.sh TOOL HOLDER [MIB]
#
# HOLDER is the program holder of this folder, built. MIB of each piece of memory: 16.
# shellcheck disable=SC2016,SC2154 # filters of jq; $work is made in check.sh
set -u
tool=$(readlink -f "${1:?usage: migrate.sh TOOL HOLDER [MIB]}") || exit 1
holder=$(readlink -f "${2:?usage: migrate.sh TOOL HOLDER [MIB]}") || exit 1
mib=${3:-16}
bytes=$((mib * 1048576))
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/tool/check.sh disable=SC1091
. "$here/check.sh"
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

wait_for() { # pattern: in what the holder printed, for 60 seconds
	tries=0
	until grep -q -e "$1" "$work/held"; do
		tries=$((tries + 1))
		[ "$tries" -le 600 ] || return 1
		sleep 0.1
	done
}

# Starts a process with its memory on $from; $pid, and range KIND says where.
hold() { # mib kind...
	: >"$work/held"
	"$holder" "$from" "$@" >"$work/held" 2>&1 &
	pid=$!
	wait_for '^ready$' || not_ok hold "the holder did not get ready: $(cat "$work/held")"
}

range() { # kind
	sed -n "s/^$1 //p" "$work/held"
}

# Its content is what it was, as the process itself sees it.
release() { # name
	kill -TERM "$pid"
	if wait "$pid"; then
		ok "$1/content"
	else
		not_ok "$1/content" "the content is different"
	fi
	pid=
}

# Bytes of a range on a node.
on_node() { # node range
	"$tool" query --pid "$pid" --map "$2" --json |
		jq --argjson node "$1" '[.nodes[] | select(.node == $node) | .all] | add // 0'
}

is_on() { # name node range bytes
	there=$(on_node "$2" "$3")
	if [ "$there" = "$4" ]; then
		ok "$1"
	else
		not_ok "$1" "$there bytes on node $2, not $4"
	fi
}

test_range() {
	hold "$mib" anon
	is_on range/before "$from" "$(range anon)" "$bytes"
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range anon)" --dry-run --json
	json_is dry_run/counts 0 '.bytes_found == $n and .bytes_by_mapping.anon == $n and
		.bytes_moved == 0 and .pages == 0 and .dry_run' --argjson n "$bytes"
	is_on dry_run/moves_nothing "$from" "$(range anon)" "$bytes"
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range anon)" --dry-run
	if [ "$status" -eq 0 ] && grep -q "^  anon .* $mib\\.0$" "$work/out"; then
		ok dry_run/text
	else
		not_ok dry_run/text "status $status, or no row: anon ... $mib.0"
	fi
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range anon)" --json
	json_is range/all 0 '.result == "all" and .moved * .page_size == $n and .failed == 0 and
		.bytes_moved == $n and .errors == {}' --argjson n "$bytes"
	is_on range/after "$to" "$(range anon)" "$bytes"
	if [ -s "$work/err" ]; then
		not_ok range/json_is_silent "something on standard error"
	else
		ok range/json_is_silent
	fi
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range anon)" --json
	json_is range/nothing_left 0 '.result == "all" and .bytes_found == 0 and .pages == 0'
	run migrate --pid "$pid" --from any --to "$from" --map "$(range anon)" --json
	json_is any/all 0 '.from == null and .bytes_found == $n and .bytes_moved == $n' \
		--argjson n "$bytes"
	is_on any/after "$from" "$(range anon)" "$bytes"
	release range
}

# One byte names its page, two selections count a page once.
test_part() {
	hold "$mib" anon
	start=$(range anon)
	start=${start%-*}
	page=$(getconf PAGESIZE)
	one=$(printf '0x%x-0x%x' $((start + page + 5)) $((start + page + 6)))
	two=$(printf '0x%x-0x%x' $((start + 5)) $((start + 2 * page)))
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$one" --json
	json_is part/one_page 0 '.moved == 1 and .bytes_found == .page_size'
	run migrate --pid "$pid" --from any --to "$from" --map "$one" --map "$two" --json
	json_is part/overlap 0 '.moved == 1'
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$one" --map "$two" --json
	json_is part/overlap_once 0 '.moved == 2'
	release part
}

test_kinds_of_mapping() {
	hold "$mib" anon heap
	run migrate --pid "$pid" --from "$from" --to "$to" --map heap --json
	json_is heap/all 0 '.bytes_by_mapping.heap == .bytes_found and .bytes_found >= $n' \
		--argjson n "$bytes"
	is_on heap/after "$to" "$(range heap)" "$bytes"
	is_on heap/anon_stays "$from" "$(range anon)" "$bytes"
	run migrate --pid "$pid" --from any --to "$from" --map heap --json
	run migrate --pid "$pid" --from "$from" --to "$to" --map anon --json
	json_is anon/all 0 '.bytes_by_mapping.anon == .bytes_found and .bytes_found >= $n' \
		--argjson n "$bytes"
	is_on anon/after "$to" "$(range anon)" "$bytes"
	is_on anon/heap_stays "$from" "$(range heap)" "$bytes"
	# Everything: libraries that others map too may stay, nothing else.
	run migrate --pid "$pid" --from "$from" --to "$to" --json
	if [ "$status" -eq 3 ]; then
		json_is whole/some 3 '.result == "some" and (.errors | keys - ["EACCES"]) == []'
	else
		json_is whole/some 0 '.result == "all"'
	fi
	is_on whole/heap "$to" "$(range heap)" "$bytes"
	release kinds
}

test_shared() {
	hold "$mib" anon shared
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range shared)" \
		--map "$(range anon)" --dry-run --json
	json_is shared/told_beforehand 0 '.bytes_found == 2 * $n and .bytes_shared == $n' \
		--argjson n "$bytes"
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range shared)" --dry-run
	says_without_all=$(grep -c 'shared .*stay without --all' "$work/out")
	if [ "$status" -eq 0 ] && [ "$says_without_all" -eq 1 ]; then
		ok shared/told_beforehand_as_text
	else
		not_ok shared/told_beforehand_as_text "status $status, or no word of --all"
	fi
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range shared)" --json
	json_is shared/none 4 '.result == "none" and .moved == 0 and
		.errors.EACCES * .page_size == $n' --argjson n "$bytes"
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range shared)" \
		--map "$(range anon)"
	if [ "$status" -eq 3 ] && grep -q '^    *EACCES\|^  EACCES .*shared' "$work/out" &&
		grep -q 'move with --all' "$work/out"; then
		ok shared/some
	else
		not_ok shared/some "status $status, or EACCES and --all are not named"
	fi
	is_on shared/anon_moved "$to" "$(range anon)" "$bytes"
	is_on shared/shared_stays "$from" "$(range shared)" "$bytes"
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range shared)" --all --json
	if [ "$(id -u)" -eq 0 ]; then
		json_is shared/move_all 0 '.result == "all" and .bytes_moved == $n' --argjson n "$bytes"
		is_on shared/moved "$to" "$(range shared)" "$bytes"
	else
		fails shared/move_all 1 '--all needs CAP_SYS_NICE'
	fi
	release shared
}

test_huge() {
	hold "$mib" huge
	run query --pid "$pid" --map "$(range huge)" --json
	were_huge=$(jq '[.nodes[].huge] | add' "$work/out")
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range huge)" --json
	json_is huge/all 0 '.result == "all" and .bytes_moved == $n and .moved * .page_size == $n' \
		--argjson n "$bytes"
	is_on huge/after "$to" "$(range huge)" "$bytes"
	if [ "$were_huge" != "$bytes" ]; then
		skip huge/stay_huge 'there are no huge pages, or this kernel does not tell'
		release huge
		return
	fi
	run query --pid "$pid" --map "$(range huge)" --json
	json_is huge/stay_huge 0 '.nodes | length == 1 and .[0].node == $to and .[0].huge == $n' \
		--argjson n "$bytes" --argjson to "$to"
	release huge
}

test_progress() {
	hold "$mib" anon
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range anon)"
	if [ "$status" -eq 0 ] && grep -q "^100 % of $mib\\.0 MiB, .* MB/s" "$work/err" &&
		grep -q '^  not moved  *0 ' "$work/out"; then
		ok progress/lines
	else
		not_ok progress/lines "status $status, or no line with 100 %"
	fi
	run migrate --pid "$pid" --from "$to" --to "$from" --map "$(range anon)" -q
	if [ "$status" -eq 0 ] && [ ! -s "$work/err" ] && [ -s "$work/out" ]; then
		ok progress/quiet
	else
		not_ok progress/quiet "status $status, or not quiet, or no summary"
	fi
	if command -v script >/dev/null && script -qec true /dev/null >"$work/out" 2>"$work/err"; then
		script -qec "$tool migrate --pid $pid --from $from --to $to --map $(range anon)" \
			/dev/null >"$work/out" 2>"$work/err" </dev/null
		if grep -q '\[#\{30\}\] 100 %.* MB/s .* s left' "$work/out"; then
			ok progress/bar
		else
			not_ok progress/bar "no full bar on the terminal"
		fi
	else
		skip progress/bar 'no program "script", or no terminal to be had'
	fi
	release progress
}

# Starts a migration beside and comes back when it catches signals: $migration.
begin() { # argument...
	"$tool" migrate --pid "$pid" --from "$from" --to "$to" --map "$(range anon)" "$@" \
		>"$work/out" 2>"$work/err" &
	migration=$!
	tries=0
	# SIGTERM is bit 14 of the mask; before exec it is still that of the shell.
	until [ "$(cat /proc/$migration/comm 2>/dev/null)" != sh ] &&
		grep -q '^SigCgt:.*[4-7c-f]...$' /proc/$migration/status 2>/dev/null; do
		tries=$((tries + 1))
		if [ "$tries" -gt 600 ] || ! kill -0 "$migration" 2>/dev/null; then
			break
		fi
		sleep 0.1
	done
	sleep 0.1
}

# Rates are kept by the clock of the process that moves: $seconds is from there.
test_rate() {
	hold 64 anon
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range anon)" --rate 8M --json
	json_is rate/within_a_tenth 0 '.bytes_moved == 67108864 and .max_bytes_per_s == 8000000 and
		(.bytes_moved / .seconds | . > 7200000 and . < 8800000)'
	[ "$status" -ne 0 ] || echo "# $(jq '.bytes_moved / .seconds' "$work/out") bytes in a second"
	# A batch is 64 MiB: what the bar shows before the end is from within it.
	run migrate --pid "$pid" --from "$to" --to "$from" --map "$(range anon)" --rate 8M
	within=$(grep -c '^[1-9][0-9]* % of 64' "$work/err")
	if [ "$status" -eq 0 ] && [ "$within" -ge 3 ]; then
		ok rate/progress_within_a_batch
	else
		not_ok rate/progress_within_a_batch "status $status, $within lines of progress"
	fi
	begin --rate 4M --json
	sleep 2
	before=$(date +%s%N)
	kill -INT "$migration"
	wait "$migration"
	status=$?
	took=$((($(date +%s%N) - before) / 1000000))
	json_is rate/stopped 3 '.stopped and .result == "some" and .moved > 0 and
		.bytes_moved < 60000000 and .failed == 0 and .errors == {}'
	is_on rate/stopped/moved "$to" "$(range anon)" "$(jq .bytes_moved "$work/out")"
	if [ "$took" -lt 1000 ]; then
		ok rate/stops_at_once
	else
		not_ok rate/stops_at_once "after $took ms"
	fi
	release rate
}

# 2 MiB in 50 us would be 40 GB/s.
test_bound() {
	hold "$mib" huge
	huge=$("$tool" query --pid "$pid" --map "$(range huge)" --json | jq '[.nodes[].huge] | add')
	if [ "$huge" != "$bytes" ]; then
		run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range huge)" --rate 1G --json
		json_is bound/no_promise 0 '.note == null or (.note | test("neither a bound nor a rate"))'
		skip bound/huge 'there are no huge pages, or this kernel does not tell'
		release bound
		return
	fi
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range huge)" --max-stall-us 50 --json
	json_is bound/strict "$status" '($status == 3 or $status == 4) and
		.reasons.bound == .errors.ETIME and .reasons.bound == .failed and
		.bytes_moved <= $n / 2' --argjson n "$bytes" --argjson status "$status"
	is_on bound/stays "$from" "$(range huge)" $((bytes - $(jq .bytes_moved "$work/out")))
	run migrate --pid "$pid" --from "$from" --to "$to" --map "$(range huge)" --max-stall-us 50
	if grep -q '^batchmig: note: .*left where it is' "$work/err" &&
		grep -q '^  ETIME ' "$work/out" && grep -q ' bound: .*--bound wish' "$work/out"; then
		ok bound/text
	else
		not_ok bound/text "no note, or the summary does not tell of the bound"
	fi
	run migrate --pid "$pid" --from any --to "$to" --map "$(range huge)" --max-stall-us 50 \
		--bound wish --json
	json_is bound/wish 0 '.result == "all" and .failed == 0 and .reasons == {} and
		.ns_call_max > 50000'
	is_on bound/wish_moves "$to" "$(range huge)" "$bytes"
	run query --pid "$pid" --map "$(range huge)" --json
	json_is bound/wish_stays_huge 0 '.nodes[0].huge == $n' --argjson n "$bytes"
	run migrate --pid "$pid" --from "$to" --to "$from" --map "$(range huge)"
	if [ "$status" -eq 0 ] && grep -q '^Longest call of the kernel: [1-9][0-9]* us$' "$work/out"; then
		ok bound/longest
	else
		not_ok bound/longest "status $status, or no longest call"
	fi
	release bound
}

# The migration may be over sooner, and the answer must fit.
test_signal() {
	hold "$((mib * 8))" anon
	for signal in INT TERM; do
		begin --json
		kill -"$signal" "$migration" 2>/dev/null
		wait "$migration"
		status=$?
		case $status in
		0) json_is "signal/$signal" 0 '.result == "all" and .stopped == false' ;;
		3) json_is "signal/$signal" 3 '.result == "some" and .stopped and .moved > 0' ;;
		4) json_is "signal/$signal" 4 '.result == "none" and .stopped and .moved == 0' ;;
		*) not_ok "signal/$signal" "status $status" ;;
		esac
		moved=$(jq .bytes_moved "$work/out")
		[ "$moved" = 0 ] || is_on "signal/$signal/moved" "$to" "$(range anon)" "$moved"
		"$tool" migrate --pid "$pid" --from any --to "$from" --map "$(range anon)" -q \
			>"$work/out"
	done
	release signal
}

test_process_ends() {
	hold "$((mib * 8))" anon
	begin -q
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	wait "$migration"
	status=$?
	case $status in
	0)
		ok process_ends
		;;
	1 | 3 | 4)
		lines=$(wc -l <"$work/err")
		if [ "$lines" -eq 1 ] && grep -q 'no process\|has no memory' "$work/err"; then
			ok process_ends
		else
			not_ok process_ends "status $status, $lines lines on standard error"
		fi
		;;
	*)
		not_ok process_ends "status $status"
		;;
	esac
	run migrate --pid "$pid" --from "$from" --to "$to"
	fails process_ended 1 "no process $pid"
	pid=
}

command -v jq >/dev/null || {
	not_ok jq 'the checks need jq: install it'
	finish
}
run info --json
json_is info 0 '.nodes | length > 0'
# Words, not lines: the nodes that have memory.
nodes=$(jq -r '.nodes[] | select(.memory_bytes > 0) | .id' "$work/out")
# shellcheck disable=SC2086 # words
set -- $nodes
if [ $# -lt 2 ]; then
	skip migrate "two nodes with memory are needed, there is: $*"
else
	from=$1 to=$2
	test_range
	test_part
	test_kinds_of_mapping
	test_shared
	test_huge
	test_progress
	test_signal
	test_rate
	test_bound
	test_process_ends
fi
finish

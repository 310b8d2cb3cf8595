#!/bin/sh
# SPDX-License-Identifier: MIT
# The program's command line: arguments, messages, JSON, statuses. One node will do.
#
# usage: cli.sh TOOL
# shellcheck disable=SC1091,SC2016,SC2154 # what tune prints; filters of jq; $work is made in check.sh
set -u
tool=$(readlink -f "${1:?usage: cli.sh TOOL}") || exit 1
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=tests/tool/check.sh disable=SC1091
. "$here/check.sh"
sleeper=
trap '[ -z "$sleeper" ] || kill "$sleeper" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

usage() { # name pattern argument...
	usage_name=$1 usage_pattern=$2
	shift 2
	run "$@"
	fails "usage/$usage_name" 2 "$usage_pattern"
}

says() { # name pattern argument...
	says_name=$1 says_pattern=$2
	shift 2
	run "$@"
	if [ "$status" -eq 0 ] && grep -q -e "$says_pattern" "$work/out" && [ ! -s "$work/err" ]; then
		ok "$says_name"
	else
		not_ok "$says_name" "status $status, or not on standard output: $says_pattern"
	fi
}

# Standard output on a full disk, and none at all.
unwritable() { # name argument...
	unwritable_name=$1
	shift
	"$tool" "$@" >/dev/full 2>"$work/err"
	status=$?
	: >"$work/out"
	fails "full_disk/$unwritable_name" 1 'No space left'
	"$tool" "$@" >&- 2>"$work/err"
	status=$?
	fails "no_output/$unwritable_name" 1 'could not be written'
}

test_commands() {
	usage no_command 'info, query, migrate or tune'
	usage unknown_command "'foo'.*info, query, migrate, tune" foo
	usage near_command 'did you mean query?' qeury
	usage near_tune 'did you mean tune?' tun
	usage near_version 'did you mean --version?' version
	usage help_of_unknown "'foo'" help foo
	usage empty_command 'there is no command' ''
	says version '^batchmig [0-9][0-9.]*$' --version
	says help '^Usage: batchmig info' --help
	says help_word '^Usage: batchmig info' help
	for command in info query migrate tune; do
		says "help_$command" "^Usage: batchmig $command" "$command" --help
		says "help_word_$command" "^Usage: batchmig $command" help "$command"
	done
}

test_options() {
	usage unknown_long '--foo is not an option of info' info --foo
	usage unknown_short '-x is not an option' info -x
	usage unknown_in_group '-jx is not an option' info -jx
	usage unknown_first_in_group '-xj is not an option' info -xj
	usage no_value '--pid needs a value: PID' query --pid
	usage no_value_short '-p needs a value: PID' query -p
	usage no_value_in_group '-jp needs a value: PID' query -jp
	usage value_not_taken '--json takes no value' info --json=1
	usage extra_argument "'extra' is not allowed" info extra
	usage option_of_another '--to is not an option of query' query --pid 1 --to 0
	usage control_characters "'a?b'" query --pid "$(printf 'a\nb')"
}

test_pids() {
	usage no_pid 'query needs --pid' query
	for pid in 0 -1 abc 1x ' 1' +1 '' 4194305 99999999999999999999 0x10; do
		usage "pid/$pid" "1\\.\\.4194304" query --pid "$pid"
	done
}

test_nodes() {
	usage no_from 'needs --from' migrate --pid $$ --to 0
	usage no_to 'needs --to' migrate --pid $$ --from 0
	usage same_node 'the same node' migrate --pid $$ --from 0 --to 0
	usage to_any '--to .any. is not allowed' migrate --pid $$ --from 0 --to any
	usage negative_node '--from .-1. is not allowed: .*0\.\.1023, or any' migrate --pid $$ --from -1 --to 0
	usage node_overflow '--to .4294967296. is not' migrate --pid $$ --from 0 --to 4294967296
	usage no_such_target '--to 1000: .*only 0' migrate --pid $$ --from 0 --to 1000
	usage no_such_source '--from 1000: .*only 0' migrate --pid $$ --from 1000 --to 0
}

test_limits() {
	for us in -1 60000001 1.5 50us '' 99999999999999999999; do
		usage "max_stall_us/$us" '0\.\.60000000, in microseconds' \
			migrate --pid $$ --from any --to 0 --max-stall-us "$us"
	done
	for bound in loose '' Wish strict,wish; do
		usage "bound/$bound" 'strict or wish' migrate --pid $$ --from any --to 0 --bound "$bound"
	done
	for rate in -1 '' K /s 5X 5k 5KB 1.5M '5 M' 5/s/s 1000001G 1000000000000001 9999999999999999999; do
		usage "rate/$rate" 'K, M, G .*of 1000.* Ki, Mi, Gi .*of 1024.* up to 1000000G' \
			migrate --pid $$ --from any --to 0 --rate "$rate"
	done
	usage limits_of_migrate_only '--rate is not an option of query' query --pid $$ --rate 1M
	# Pages of the own shell, of which nothing is moved.
	for rate in 0=0 7=7 3K=3000 2M=2000000 1G/s=1000000000 3Ki=3072 2Mi/s=2097152 1Gi=1073741824 \
		1000000G=1000000000000000; do
		run migrate --pid $$ --from any --to 0 --dry-run --json --rate "${rate%=*}"
		json_is "rate/${rate%=*}" 0 ".max_bytes_per_s == ${rate#*=}"
	done
	BATCHMIG_MAX_STALL_US=70 BATCHMIG_BOUND=wish BATCHMIG_MAX_BYTES_PER_S=9 \
		run migrate --pid $$ --from any --to 0 --dry-run --json
	json_is limits/environment 0 \
		'.max_stall_us == 70 and .bound == "wish" and .max_bytes_per_s == 9'
	BATCHMIG_MAX_STALL_US=70 BATCHMIG_BOUND=wish BATCHMIG_MAX_BYTES_PER_S=9 run migrate --pid $$ \
		--from any --to 0 --dry-run --json --max-stall-us 0 --bound strict --rate 80
	json_is limits/before_environment 0 \
		'.max_stall_us == 0 and .bound == "strict" and .max_bytes_per_s == 80'
}

# Fails before anything is measured.
tune_fails() { # name pattern argument...
	tune_name=$1 tune_pattern=$2
	shift 2
	run tune --quiet "$@"
	fails "tune/$tune_name" 1 "$tune_pattern.*--output"
}

test_tune() {
	usage tune_json '--json is not an option of tune' tune --json
	usage tune_no_file '--output needs a value: FILE' tune --output
	usage tune_empty_file '--output .. is not allowed' tune --output ''
	tune_fails no_folder "$work/none: No such file" --output "$work/none/profile"
	tune_fails a_folder "$work: Is a directory" --output "$work"
	: >"$work/file"
	tune_fails no_folder_to_make "$work/file.*Not a directory" --output "$work/file/profile"
	HOME='' XDG_CONFIG_HOME=relative tune_fails no_home 'neither HOME nor XDG_CONFIG_HOME'
	HOME=$work/file XDG_CONFIG_HOME='' tune_fails no_config "$work/file.*Not a directory"
	# Measured where it can be: otherwise it says why not, and what helps.
	XDG_CONFIG_HOME=$work/a/b BATCHMIG_PROFILE=$work/none run tune
	if [ "$status" -ne 0 ]; then
		if [ "$status" -eq 1 ] && grep -q '^batchmig: .*not usable here: .*what helps: .' "$work/err"; then
			ok tune/not_here
		else
			not_ok tune/not_here "status $status, or not said why"
		fi
		skip tune/writes 'the mover swap is not usable here'
		return
	fi
	if [ -s "$work/a/b/batchmig/profile" ] &&
		[ "$(. "$work/out" && echo "$BATCHMIG_PROFILE")" = "$work/a/b/batchmig/profile" ]; then
		ok tune/writes
	else
		not_ok tune/writes "no profile, or the output does not name it"
	fi
	cd "$work" || return
	run tune --quiet --output "it's"
	cd "$OLDPWD" || return
	if [ "$status" -eq 0 ] && [ ! -s "$work/err" ] &&
		[ "$(. "$work/out" && echo "$BATCHMIG_PROFILE")" = "$work/it's" ]; then
		ok tune/quotes
	else
		not_ok tune/quotes "status $status, or the name cannot be used by a shell"
	fi
}

test_maps() {
	for map in stack '' 0x10 10-20 0x10-20 0x-0x10 0x10-0x 0x10-0x20x 0x10000000000000000-0x1 \
		'0x 10-0x20' 0x-10-0x20; do
		usage "map/$map" 'heap, anon, or a range' query --pid $$ --map "$map"
	done
	usage map_reversed 'A < B' query --pid $$ --map 0x2000-0x1000
	usage map_empty 'A < B' query --pid $$ --map 0x1000-0x1000
	set --
	while [ $# -lt 34 ]; do
		set -- "$@" --map heap
	done
	usage map_too_many 'at most 16' query --pid $$ "$@"
}

test_info() {
	run info --json
	json_is info_keys 0 'keys == ["backends", "kernel", "movers", "nodes", "options", "queues"]'
	json_is info_rows 0 'del(.queues) | [.[] | length > 0] | all'
	json_is info_queues 0 '[.queues[] | (.usable | type) == "boolean" and
		.usable == (.why == "") and .usable == (.remedy == "") and (.node | type) == "number"] | all'
	json_is info_node 0 '.nodes[0] | .id >= 0 and .memory_bytes > 0 and (.allowed | type) == "boolean"'
	json_is info_distances 0 '(.nodes | length) as $n | [.nodes[].distances | length == $n] | all'
	json_is info_facility 0 '[.movers[], .backends[] | .usable or (.remedy | length > 0)] | all'
	json_is info_option 0 '.options[0] | keys ==
		["allowed", "default", "doc", "env", "name", "source", "type", "unit", "value"]'
	run info --options --json
	json_is info_options_only 0 'keys == ["options"] and (.options | length > 0)'
	says info_text '^Nodes$' info
	says info_options_text 'BATCHMIG_THREADS' info --options
	BATCHMIG_THREADS=5 run info --json
	json_is info_environment 0 '.options[] | select(.name == "threads") |
		.value == "5" and .source == "environment"'
	for command in 'info' "query --pid $$"; do
		# shellcheck disable=SC2086 # words
		BATCHMIG_THREADS=many run $command
		fails "bad_environment/${command%% *}" 1 'BATCHMIG_THREADS.*many'
	done
	for dry in '' --dry-run; do
		# shellcheck disable=SC2086 # none or one word
		BATCHMIG_MOVER=mbind run migrate --pid $$ --from any --to 0 $dry
		fails "mbind_of_others$dry" 1 'BATCHMIG_MOVER=mbind .*auto or move_pages'
	done
}

# What these variables say is looked at before anything else; machines need not have functions.
wrong_setting() { # name NAME=VALUE pattern
	setting_was=${2%%=*}
	export "${2?}"
	run info
	fails "ptdma/$1/info" 1 "$3"
	run migrate --pid $$ --from any --to 0 --dry-run
	fails "ptdma/$1/migrate" 1 "$3"
	unset "$setting_was"
}

test_ptdma() {
	wrong_setting access BATCHMIG_PTDMA_ACCESS=wrong \
		'BATCHMIG_PTDMA_ACCESS=wrong .*vfio|uio-unsafe'
	for ring in 1 3 100 8193 16384 -1 many ''; do
		wrong_setting "ring/$ring" "BATCHMIG_PTDMA_RING=$ring" \
			"BATCHMIG_PTDMA_RING=$ring .*0\\.\\.8192, 0 or a power of two"
	done
	for functions in nonsense 0000:01:00.8 ,0000:01:00.2; do
		wrong_setting "functions/$functions" "BATCHMIG_PTDMA_FUNCTIONS=$functions" \
			'BATCHMIG_PTDMA_FUNCTIONS.* no address .*allowed: addresses such as'
	done
	wrong_setting backend BATCHMIG_BACKEND=ptdmaa 'no backend "ptdmaa", did you mean "ptdma"'
	run info --json
	if jq -e '.backends[] | select(.name == "ptdma") | .usable' "$work/out" >/dev/null; then
		skip ptdma/none 'there are functions here'
		return
	fi
	wrong_setting none BATCHMIG_BACKEND=ptdma \
		'ptdma: .*what helps: .*allowed: auto, kernel, cpu, dsa, ptdma'
	BATCHMIG_BACKEND=ptdma,cpu run migrate --pid $$ --from any --to 0 --dry-run --json
	json_is ptdma/or_cpu 0 .dry_run
}

# The same tool where software functions are found, if these were built.
with_functions() { # MODEL
	BM_MODEL_DEVICE=ptdma BM_MODEL=$1 LD_LIBRARY_PATH=$model \
		"$tool" info --json >"$work/out" 2>"$work/err"
	status=$?
}

test_functions() {
	model=$(dirname "$tool")/../tests/models/library
	if [ ! -e "$model/libbatchmig.so.0" ]; then
		skip ptdma/functions 'the library with software functions was not built'
		return
	fi
	with_functions vfio
	json_is ptdma/functions/vfio 0 '[.queues[] | select(.backend == "ptdma")] |
		length == 4 and all(.usable and .why == "" and .remedy == "") and
		.[0].what == "driver vfio-pci, IOMMU group 21 of type DMA, 1 ring"'
	with_functions uio
	json_is ptdma/functions/uio 0 '[.queues[] | select(.backend == "ptdma")] |
		length == 4 and all(.usable) and
		.[3].what == "driver uio_pci_generic, IOMMU group 24 of type identity, up to 16 rings"'
	BATCHMIG_PTDMA_ACCESS=vfio with_functions uio
	json_is ptdma/functions/other_driver 0 '[.queues[] | select(.backend == "ptdma")] |
		all(.usable == false and .why == "it has the driver uio_pci_generic, not vfio-pci" and
		.remedy == "driverctl set-override \(.device) vfio-pci")'
	BATCHMIG_PTDMA_ACCESS=uio-unsafe with_functions vfio
	json_is ptdma/functions/other_type 0 '[.queues[] | select(.backend == "ptdma")] |
		all(.usable == false and (.why | test("has the type DMA, not identity")) and
		(.remedy | test("unbind && echo identity > /sys/kernel/iommu_groups/[0-9]+/type")))'
}

test_query() {
	run query --pid $$ --json
	json_is query_own_shell 0 '.pid == $pid and .all > 0 and .pages * .page_size == .all and
		([.nodes[].all] | add) == .all' --argjson pid $$
	json_is query_kinds_add_up 0 '[.nodes[] | .base + .huge + .hugetlb + .file + .shared == .all] | all'
	says query_text '  all .*100 %' query --pid $$
	run query --pid $$ --map heap --json
	json_is query_heap 0 '.all > 0'
	run query --pid $$ --map heap --map 0x0-0xffffffffffffffff --json
	json_is query_overlap 0 '.all > 0'
	whole=$(jq .all "$work/out")
	run query --pid $$ --map 0x0-0xffffffffffffffff --json
	json_is query_overlap_once 0 '.all == $whole' --argjson whole "$whole"
	run query --pid $$ --map 0x1000-0x1001 --json
	if [ "$status" -eq 0 ] && grep -q 'no mapping that --map names' "$work/err"; then
		ok query_no_mapping
	else
		not_ok query_no_mapping "status $status, or nothing said"
	fi
}

test_processes() {
	sh -c : &
	gone=$!
	wait "$gone"
	for command in 'query' 'migrate --from any --to 0'; do
		# shellcheck disable=SC2086 # words
		run $command --pid "$gone" --json
		fails "gone/${command%% *}" 1 "no process $gone"
		if [ -e /proc/2/maps ] && [ -z "$(cat /proc/2/maps)" ]; then
			# shellcheck disable=SC2086 # words
			run $command --pid 2
			fails "kernel_thread/${command%% *}" 1 'kernel thread'
		else
			skip "kernel_thread/${command%% *}" "process 2 is none here"
		fi
	done
	if setpriv --reuid=65534 --clear-groups "$tool" --version >/dev/null 2>&1; then
		setpriv --reuid=65534 --clear-groups "$tool" query --pid $$ >"$work/out" 2>"$work/err"
		status=$?
		fails other_user 1 'the same user and group .* or CAP_SYS_PTRACE'
	else
		skip other_user "cannot become another user, or that one cannot start the tool"
	fi
}

test_nothing_to_move() {
	sleep 60 &
	sleeper=$!
	only=$(jq -n '[inputs.nodes[].id] | length' "$work/nodes")
	if [ "$only" -ne 1 ]; then
		skip nothing_to_move "there are $only nodes"
		return
	fi
	run migrate --pid "$sleeper" --from any --to 0 --json
	json_is nothing_to_move 0 '.result == "all" and .bytes_found == 0 and .pages == 0'
	run migrate --pid "$sleeper" --from any --to 0 --json --dry-run
	json_is nothing_to_move_dry 0 '.dry_run and .bytes_found == 0'
	run migrate --pid "$sleeper" --from any --to 0 --json --max-stall-us 50
	json_is bound_is_noted 0 '.note | test("another process.* left where it is|neither a bound")'
	if [ "$(grep -c '^batchmig: note: ' "$work/err")" -eq 1 ]; then
		ok bound_is_noted_on_stderr
	else
		not_ok bound_is_noted_on_stderr "no line with a note"
	fi
	run migrate --pid "$sleeper" --from any --to 0 --json --quiet --max-stall-us 50 --bound wish
	json_is wish_is_noted 0 '.note | test("moved nevertheless|neither a bound")'
	if [ -s "$work/err" ]; then
		not_ok bound_quiet "something on standard error"
	else
		ok bound_quiet
	fi
	says nothing_to_move_text 'moved  *0' migrate --pid "$sleeper" --from any --to 0
}

if command -v jq >/dev/null; then
	"$tool" info --json >"$work/nodes"
	test_commands
	test_options
	test_pids
	test_nodes
	test_limits
	test_tune
	test_maps
	test_info
	test_ptdma
	test_functions
	test_query
	test_processes
	test_nothing_to_move
	unwritable version --version
	unwritable help --help
	unwritable command_help query --help
	unwritable info info
	unwritable json info --json
	unwritable query query --pid $$
else
	not_ok jq 'the checks need jq: install it'
fi
finish

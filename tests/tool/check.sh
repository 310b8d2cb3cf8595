# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What cli.sh and migrate.sh share: it counts, and runs the tool into files.
# They set "tool" before; $work is an empty folder that goes at the end.
tool=${tool:?}
passed=0 failed=0 skipped=0
work=$(mktemp -d /tmp/batchmig-tool.XXXXXX) || exit 1
# What the environment sets would change the answers.
unset BATCHMIG_BACKEND BATCHMIG_MOVER BATCHMIG_QUIET BATCHMIG_LOG BATCHMIG_THREADS
unset BATCHMIG_CALL_PAGES BATCHMIG_RETRIES BATCHMIG_RETRY_US BATCHMIG_PROFILE
unset BATCHMIG_MAX_STALL_US BATCHMIG_BOUND BATCHMIG_MAX_BYTES_PER_S
unset BATCHMIG_PTDMA_FUNCTIONS BATCHMIG_PTDMA_ACCESS BATCHMIG_PTDMA_RING BATCHMIG_DSA_WQS

ok() { # name
	passed=$((passed + 1))
	echo "ok $1"
}

not_ok() { # name why
	failed=$((failed + 1))
	echo "not ok $1: $2"
	[ ! -s "$work/out" ] || head -n 20 "$work/out" | sed 's/^/# out: /'
	[ ! -s "$work/err" ] || head -n 20 "$work/err" | sed 's/^/# err: /'
}

skip() { # name why
	skipped=$((skipped + 1))
	echo "skip $1: $2"
}

# The tool, with its outputs in files and its status in $status.
run() { # argument...
	"$tool" "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
}

# After run: nothing on standard output and one line on standard error.
fails() { # name status pattern
	lines=$(wc -l <"$work/err")
	if [ "$status" -ne "$2" ]; then
		not_ok "$1" "status $status, not $2"
	elif [ -s "$work/out" ]; then
		not_ok "$1" "something on standard output"
	elif [ "$lines" -ne 1 ]; then
		not_ok "$1" "$lines lines on standard error, not 1"
	elif ! grep -q -e "^batchmig: .*$3" "$work/err"; then
		not_ok "$1" "the message does not say: $3"
	else
		ok "$1"
	fi
}

# After run: the JSON on standard output and the status are as expected.
json_is() { # name status filter [jq-argument...]
	json_name=$1 json_status=$2 json_filter=$3
	shift 3
	if [ "$status" -ne "$json_status" ]; then
		not_ok "$json_name" "status $status, not $json_status"
	elif ! jq -e "$@" "$json_filter" "$work/out" >"$work/jq" 2>&1; then
		not_ok "$json_name" "not so: $json_filter ($(head -n 1 "$work/jq"))"
	else
		ok "$json_name"
	fi
}

finish() {
	rm -rf "$work"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] || exit 1
	exit 0
}

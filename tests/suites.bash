# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Suites of tests one after the other in one guest, and the sum of all of them.
# Read by tests/dsa/device and tests/pci/device.
tally=$(mktemp) || exit 1

# As a test of its own.
fail() { # NAME WHY
	echo "not ok $1: $2" | tee -a "$tally"
}

# Its lines, named after the run; one that ends badly without a line has failed.
suite() { # NAME SECONDS COMMAND...
	local name=$1 seconds=$2 status lines
	shift 2
	lines=$(mktemp)
	timeout -k 5 "$seconds" "$@" 2>&1 | sed -u -E "s,^(ok|not ok|skip) ,&$name:," | tee "$lines" |
		grep --line-buffered -v -E '^[0-9]+ passed, '
	status=${PIPESTATUS[0]}
	grep -E '^(ok|not ok|skip) ' "$lines" >>"$tally"
	if ((status != 0)) && ! grep -q '^not ok ' "$lines"; then
		fail "$name" "status $status"
	fi
	rm -f "$lines"
}

# Ends the script: well when something passed and nothing failed.
sum_up() {
	local ok bad skips
	ok=$(grep -c '^ok ' "$tally") bad=$(grep -c '^not ok ' "$tally") skips=$(grep -c '^skip ' "$tally")
	rm -f "$tally"
	echo "$ok passed, $bad failed, $skips skipped"
	((bad == 0 && ok > 0))
	exit
}

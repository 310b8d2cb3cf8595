# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Checks of the compiled library: it has no mutable global state.
# Sourced by run, which sets these:
: "${root:?}" "${build:?}" "${scratch:?}"

# FILE.o:SYMBOL that may be written: the default context (with gcc's or clang's name); who is in
# libaccel-config, which has state of its own.
state_allowed='^(context\.c\.o:(shared\.[0-9]+|default_context\.shared)|uffd\.c\.o:process|exit_report\.c\.o:(slots|armed)|accel\.c\.o:inside)$'

# .data.rel.ro is constant once the addresses in it are known.
global_state() {
	local objects=$build/lib/CMakeFiles/batchmig_objects.dir object
	have nm || return
	if grep -q '^BATCHMIG_SANITIZE:STRING=.' "$build/CMakeCache.txt"; then
		echo "skip: the sanitizer adds state of its own"
		return
	fi
	[ -d "$objects" ] || { echo "there are no objects in $objects" && return; }
	for object in "$objects"/*.o "$objects"/__/backends/*/*.o; do
		nm -f sysv "$object" | awk -F '|' -v file="$(basename "$object")" '
			NF >= 7 { gsub(/ /, ""); section = $7 }
			NF >= 7 && section ~ /^(\.t?data|\.t?bss|\*COM\*)/ &&
				section !~ /^\.data\.rel\.ro/ && $4 != "SECTION" {
				print file ":" $1 }'
	done | grep -vE "$state_allowed" | sed 's/$/: state that the whole process shares/'
}

# What runs while pages are out of reach must not enter the C library: its data
# may be among them. (pthread_*: before and after; snprintf: of names of files.)
window_calls() {
	local objects=$build/lib/CMakeFiles/batchmig_objects.dir object
	have nm || return
	if grep -q '^BATCHMIG_SANITIZE:STRING=.' "$build/CMakeCache.txt"; then
		echo "skip: the sanitizer adds calls of its own"
		return
	fi
	for object in window putback lease claims segments chunk copy pieces pins plain_copy events forked touches sys_raw uffd_move; do
		nm -u "$objects/$object.c.o" | awk -v file="$object.c" '
			$2 ~ /^(mem|str|__errno|malloc|calloc|free|syscall|ioctl|__stack_chk)/ &&
				!(file == "sys_raw.c" && $2 == "strlen") { print file " calls " $2 }'
	done
	for object in "$objects"/__/backends/cpu/loop*.o \
		"$objects"/__/backends/dsa/{order,queue,reap,resume,submit,wait}.c.o \
		"$objects"/__/backends/pci/{config,map,pins,pins_uio,pins_vfio,ranges}.c.o \
		"$objects"/__/backends/ptdma/{function,order,pin,poll,reap,ring,ring_ae4dma,ring_ptdma,submit,wait}.c.o; do
		nm -u "$object" | awk -v file="${object##*/}" '
			$2 ~ /^(mem|str|__errno|malloc|calloc|free|__stack_chk)/ { print file " calls " $2 }'
	done
}

# The library has the probes that probes.h lists, and the manual tells of each.
probes() {
	local name
	have readelf || return
	if ! grep -q '^BATCHMIG_USDT:BOOL=ON' "$build/CMakeCache.txt"; then
		echo "skip: built without probes (sys/sdt.h missing, or BATCHMIG_USDT=OFF)"
		return
	fi
	sed -n 's/^ \* \([a-z]*__[a-z]*\) .*/\1/p' "$root/lib/probes.h" | sort >"$scratch/listed"
	[ -s "$scratch/listed" ] || echo "no probe was found in lib/probes.h"
	readelf -n "$build/lib/libbatchmig.so.0" |
		awk '/Provider:/ { ours = $2 == "batchmig" } /Name:/ && ours { print $2 }' |
		sort -u >"$scratch/probes"
	compare "$scratch/listed" lib/probes.h "$scratch/probes" libbatchmig.so.0
	while read -r name; do
		sed 's/\\//g' "$root/man/libbatchmig.7.scd" | grep -qw -- "$name" ||
			echo "$name: a probe that libbatchmig(7) does not tell of"
	done <"$scratch/listed"
}

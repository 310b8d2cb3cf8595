# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Checks of the layers: includes and calls never run up, nobody looks into lib/.
# Sourced by run, which sets these:
: "${root:?}" "${build:?}" "${headers[0]:?}" "${here:?}" "${scratch:?}"

# FILE RANK LAYER for each file of lib/, the lowest rank being the highest layer.
rank_files() {
	local file
	for file in "$root"/lib/*.[ch]; do basename "$file"; done >"$scratch/files"
	awk 'NR == FNR { if (/^#/ || !NF) next
			rank++; layer = $1; sub(/:/, "", layer)
			for (i = 2; i <= NF; i++) { at[$i] = rank; name[$i] = layer }
			next }
		{ stem = $1; sub(/\.[ch]$/, "", stem)
		  key = $1 in at ? $1 : stem
		  print $1, key in at ? at[key] : 0, key in at ? name[key] : "none" }' \
		"$here/layers" "$scratch/files" >"$scratch/ranks"
}

# Reads FROM TO lines; says which run up.
arrows() { # VERB
	awk -v verb="$1" 'NR == FNR { rank[$1] = $2; layer[$1] = $3; next }
		rank[$1] && rank[$2] && rank[$2] < rank[$1] {
			print "lib/" $1 " (" layer[$1] ") " verb " " $2 " (" layer[$2] \
				"), a layer above" ($3 ? ": " $3 : "") }' "$scratch/ranks" -
}

layers_includes() {
	rank_files
	awk '$2 == 0 { print "lib/" $1 " is in no layer: add it to tests/lint/layers" }' \
		"$scratch/ranks"
	(cd "$root/lib" && grep -o '^#include "[^"]*"' -- *.[ch]) |
		sed 's/:#include "/ /; s/"$//' | arrows includes
}

# The drawing for people has the same lines as the table.
layers_drawing() {
	local line
	sed -n '/^#/d; s/^[a-z]*: *//p' "$here/layers" | while read -r line; do
		grep -q "^\(lib/\)\? *$line   *" "$root/CONTRIBUTING.md" ||
			echo "\"$line\" is no line of the drawing in CONTRIBUTING.md"
	done
}

# What an object lacks and another one has.
layers_calls() {
	local objects=$build/lib/CMakeFiles/batchmig_objects.dir object
	have nm || return
	[ -d "$objects" ] || { echo "there are no objects in $objects" && return; }
	rank_files
	for object in "$objects"/*.o; do
		nm "$object" | awk -v file="$(basename "$object" .o)" '
			$1 == "U" && /bm_/ { print "uses", $2, file }
			$2 ~ /^[TDRB]$/ && /bm_/ { print "has", $3, file }'
	done >"$scratch/symbols"
	awk '$1 == "has" { home[$2] = $3 } { line[NR] = $0 }
		END { for (i = 1; i <= NR; i++) { split(line[i], part, " ")
			if (part[1] == "uses" && part[2] in home)
				print part[3], home[part[2]], part[2] } }' "$scratch/symbols" |
		arrows calls
}

# Programs see the public header only.
layers_outside() {
	local file folder name
	for file in "$root"/{tools,examples,bench,bench/inside}/*.[ch]; do
		[ -e "$file" ] || continue
		folder=$(dirname "$file")
		sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file" | while read -r name; do
			[ "$name" = batchmig.h ] || { [ -e "$folder/$name" ] && [[ $name != *..* ]]; } ||
				echo "${file#"$root/"} includes $name: only batchmig.h and headers of its own folder, or of one in it, are allowed"
		done
		sed -n 's/^#include <\([^>]*\)>.*/\1/p' "$file" | while read -r name; do
			! [ -e "$root/lib/$name" ] || echo "${file#"$root/"} includes lib/$name"
		done
	done
	grep -n 'batchmig_objects' "$root"/{tools,examples,bench}/CMakeLists.txt 2>/dev/null |
		sed "s|^$root/||; s|\$| (only tests may link the objects of lib/)|"
}

# batchmig.h includes every part and nothing of lib/; nobody else names the parts.
layers_interface() {
	local compiler=${CC:-cc}
	have "$compiler" || return
	printf '%s\n' "${headers[@]#"$root/"}" | sort >"$scratch/parts"
	(cd "$root" && "$compiler" -MM include/batchmig.h) | tr -s ' \\' '\n' | grep '\.h$' |
		sort -u >"$scratch/reached"
	compare "$scratch/parts" include/ "$scratch/reached" "what batchmig.h includes"
	(cd "$root" && grep -rnE '^#include [<"](.*/)?batchmig/' lib backends tools examples bench tests man) |
		sed 's/$/: only batchmig.h names its parts/'
}

# A backend sees the seam, the system and its own folder.
layers_backends() {
	local file folder name
	for file in "$root"/backends/*/*.[ch]; do
		[ -e "$file" ] || continue
		folder=$(dirname "$file")
		sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file" | while read -r name; do
			case $name in
			batchmig.h | backend.h | sys.h | log.h | least.h | plain_copy.h | pci/pci.h) ;;
			*) [ -e "$folder/$name" ] && [ "$name" = "${name##*/}" ] ||
				echo "${file#"$root/"} includes $name" ;;
			esac
		done
	done
}

# Names in quotes outside the registry.
backend_names() {
	grep -nE '"(cpu|dsa|ptdma)"' "$root"/lib/*.[ch] | grep -v '/registry\.c:' |
		sed "s|^$root/||; s|\$|: only registry.c names backends|"
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Checks of the interface: headers, symbol map, library, version.
# Sourced by run, which sets these:
: "${root:?}" "${build:?}" "${headers[0]:?}" "${here:?}" "${scratch:?}"

library=$build/lib/libbatchmig.so.0

header_list() { # WANT
	awk -v want="$1" -f "$here/header.awk" "${headers[@]}"
}

symbols_header_map() {
	header_list functions | sort >"$scratch/header"
	sed -n '/global:/,/local:/s/^[ \t]*\([A-Za-z0-9_*]*\);.*/\1/p' "$root/lib/batchmig.map" |
		sort >"$scratch/map"
	[ -s "$scratch/header" ] || echo "no function was found in include/"
	compare "$scratch/header" include/ "$scratch/map" batchmig.map
}

library_symbols() { # TYPES, as a set of letters
	nm -D --defined-only "$library" |
		awk -v types="$1" '$2 ~ "^[" types "]$" { sub(/@.*/, "", $3); print $3 }' | sort
}

symbols_library() {
	have nm || return
	[ -e "$library" ] || { echo "there is no $library" && return; }
	header_list functions | sort >"$scratch/header"
	library_symbols 'TtWwi' >"$scratch/library"
	compare "$scratch/header" include/ "$scratch/library" libbatchmig.so.0
	grep -v '^bm_' "$scratch/library" | sed 's/$/: exported, but its name does not begin with bm_/'
}

# A is the name of the version node.
exported_data() {
	have nm || return
	[ -e "$library" ] || { echo "there is no $library" && return; }
	library_symbols 'BbCDdGgRrSsVvu' | sed 's/$/: exported data/'
	library_symbols 'A' | grep -v '^BATCHMIG_' | sed 's/$/: exported absolute symbol/'
}

doc_comments() {
	header_list comments
}

version_everywhere() {
	local of_header of_cmake of_news
	of_header=$(awk '/^#define BM_VERSION_(MAJOR|MINOR|PATCH) / {
		printf "%s%s", dot, $3; dot = "." }' "${headers[@]}")
	of_cmake=$(sed -n 's/^project(batchmig VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
	[ "$of_header" = "$of_cmake" ] ||
		echo "the header says $of_header, CMakeLists.txt says ${of_cmake:-nothing}"
	[ -f "$root/NEWS.md" ] || { echo "there is no NEWS.md" && return; }
	of_news=$(sed -n 's/^## \([0-9][0-9.]*\).*/\1/p' "$root/NEWS.md" | head -n 1)
	[ "$of_header" = "$of_news" ] ||
		echo "the header says $of_header, the top of NEWS.md says ${of_news:-nothing}"
}

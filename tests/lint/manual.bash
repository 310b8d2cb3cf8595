# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Checks of the manual against the headers, the option table and the compiler.
# Sourced by run, which sets these:
: "${root:?}" "${build:?}" "${here:?}" "${scratch:?}"

pages=$build/man
strict=(-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wconversion -Wsign-conversion -Wvla -Werror)

have_pages() {
	[ -d "$pages/man3" ] && return
	echo "skip: no manual in the build folder (scdoc missing, or BATCHMIG_MAN=OFF)"
	return 1
}

# The source of the page that a function's page is or points to.
source_of() { # NAME
	local target
	target=$(sed -n 's|^\.so man3/||p' "$pages/man3/$1.3" 2>/dev/null)
	echo "$root/man/${target:-$1.3}.scd"
}

man_pages() {
	have_pages || return
	header_list functions | sort >"$scratch/header"
	find "$pages/man3" -name '*.3' -printf '%f\n' | sed 's/\.3$//' | sort >"$scratch/pages"
	compare "$scratch/header" include/ "$scratch/pages" man/man3
}

# Every name of a page is in its NAME line, in the form that mandb reads.
man_names() {
	local page name
	have_pages || return
	have lexgrog || return
	for page in "$pages"/man*/*; do
		name=$(basename "$page")
		name=${name%.*}
		[ -f "$(source_of "$name")" ] && page=$pages/man3/$(basename "$(source_of "$name")" .scd)
		lexgrog "$page" 2>&1 | grep -q "\"$name - " || echo "$name: not in the NAME line of $page"
	done
}

# Prototypes and structs are in the pages as they are in the headers.
man_synopsis() {
	local name text
	have_pages || return
	while IFS=$'\t' read -r name text; do
		[ -f "$(source_of "$name")" ] || continue
		tr -s ' \t\n' ' ' <"$(source_of "$name")" | grep -qF -- "$text" ||
			echo "$name(3) has another prototype than in include/: $text"
	done < <(header_list prototypes)
	cat "$root"/man/*.scd | tr -s ' \t\n' ' ' >"$scratch/text"
	while IFS=$'\t' read -r name text; do
		grep -qF -- "$text" "$scratch/text" ||
			echo "struct $name: no page has it as it is in include/: $text"
	done < <(header_list structs)
}

man_mentions() {
	local word
	for word in $(header_list words | sort -u); do
		grep -qw -- "$word" "$root"/man/*.scd || echo "$word: in include/ but in no man page"
	done
}

# The lines of libbatchmig.7 that begin with a variable are written like this table.
man_options() {
	have jq || return
	[ -x "$build/tools/batchmig" ] || { echo "skip: the tool was not built" && return; }
	env -i "$build/tools/batchmig" info --options --json >"$scratch/options.json" || return
	jq -r '.options[] | "*\(.env)*, option _\(.name)_: \(.type), \(.allowed)" +
		(if .unit == "" then "" else " " + .unit end) + ", default " + (if .default == "" then "empty" else .default end)' \
		"$scratch/options.json" | sort >"$scratch/table"
	grep '^\*BATCHMIG_' "$root/man/libbatchmig.7.scd" | sort >"$scratch/manual"
	compare "$scratch/table" "the option table" "$scratch/manual" "libbatchmig(7)"
}

# What is told of a function that is not used is in batchmig-ptdma(7) in the same words.
man_reasons() {
	local words
	tr -d '_*' <"$root/man/batchmig-ptdma.7.scd" | tr -s ' \t\n' ' ' >"$scratch/page"
	cat "$root"/backends/pci/usable*.c | tr -s ' \t\n' ' ' | sed 's/" "//g' |
		sed 's/bm_pci_why(verdict, /\n&/g' | grep '^bm_pci_why' | sed 's/);.*//' |
		grep -oE '"[^"]*"' | tr -d '"' |
		sed 's/%[a-z]/\n/g' | sed 's/^ *//; s/ *$//' | grep -E '.{8}' >"$scratch/reasons"
	[ "$(wc -l <"$scratch/reasons")" -ge 10 ] || echo "the reasons of backends/pci/usable*.c are not found"
	while IFS= read -r words; do
		grep -qF -- "$(tr -d '_*' <<<"$words")" "$scratch/page" ||
			echo "backends/pci/usable*.c says, and batchmig-ptdma(7) does not: $words"
	done <"$scratch/reasons"
}

# The programs in the EXAMPLE sections: each block of code that is a whole one.
man_examples() {
	local page name program compiler=${CC:-cc}
	have "$compiler" || return
	for page in "$root"/man/*.3.scd "$root/man/libbatchmig.7.scd"; do
		name=$(basename "$page" .scd)
		rm -f "$scratch"/example*.c
		awk -v file="$scratch/example" '/^# / { inside = $2 == "EXAMPLE" }
			inside && /^```/ { code = !code; number += code; next }
			inside && code { print >(file number ".c") }' "$page"
		if ! grep -qs '^int main' "$scratch"/example*.c; then
			case $name in
			libbatchmig.7 | bm_migrate_batch.3) echo "$name has no example" ;;
			esac
			continue
		fi
		for program in $(grep -l '^int main' "$scratch"/example*.c); do
			"$compiler" "${strict[@]}" -I "$root/include" -o /dev/null "$program" \
				-L "$build/lib" -lbatchmig -Wl,--allow-shlib-undefined \
				>"$scratch/said" 2>&1 && continue
			grep -E 'error|undefined|cannot find' "$scratch/said" |
				sed "s|.*example[0-9]*.c|$name|"
		done
	done
}

man_warnings() {
	local page
	have_pages || return
	have man || return
	for page in "$pages"/man*/*; do
		grep -q '^\.so ' "$page" && continue
		man -l --warnings -E UTF-8 -Tutf8 "$page" 2>&1 >/dev/null |
			sed "s|^|$(basename "$page"): |"
	done
}

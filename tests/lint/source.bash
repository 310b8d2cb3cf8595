# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Checks of the source files: sizes, first lines, leftover words, shell scripts.
# Sourced by run, which sets these:
: "${root:?}" "${here:?}" "${scratch:?}"

FILE_LINES=400
FUNCTION_LINES=60
PARAMETERS=6
folders=(lib include backends tools tests bench examples scripts man cmake .ci)

# Paths from the root, of what people write: no Markdown, no captured data.
source_files() {
	local folder
	for folder in "${folders[@]}"; do
		[ -d "$root/$folder" ] || continue
		(cd "$root" && find "$folder" -type f \( -name '*.[ch]' -o -name '*.scd' \
			-o -name '*.awk' -o -name '*.bash' -o -name '*.sh' -o -name '*.py' \
			-o -name '*.map' -o -name CMakeLists.txt -o -name '*.cmake' \
			-o ! -name '*.*' -exec grep -qIm1 '^#' {} \; \) -print)
	done
	echo CMakeLists.txt
}

sizes() {
	local file lines
	source_files | grep -v '\.scd$' | while read -r file; do
		lines=$(wc -l <"$root/$file")
		[ "$lines" -le "$FILE_LINES" ] ||
			echo "$file has $lines lines, at most $FILE_LINES"
	done
	(cd "$root" && source_files | grep '\.[ch]$' | xargs awk -v lines="$FUNCTION_LINES" \
		-v parameters="$PARAMETERS" -f "$here/functions.awk")
}

# SPDX, then what the file is for; after the line that the format wants first.
opening_lines() {
	local file
	source_files | while read -r file; do
		awk -v file="$file" '
			NR == 1 && (/^#!/ || file ~ /\.scd$/) { next }
			!spdx { if (!/SPDX-License-Identifier: MIT/) bad = "no SPDX line at the top"
				spdx = 1; next }
			/^# shellcheck/ { next }
			file ~ /\.[ch]$/ ? !/^\/[*\/]/ : !/^(\/\*|#|;)/ {
			  bad = bad ? bad : "no comment that says what it is for" }
			{ exit }
			END { if (!spdx) bad = "empty"; if (bad) print file ": " bad }' "$root/$file"
	done
}

leftover_words() {
	(cd "$root" && source_files | xargs grep -nwE 'TO''DO|FIX''ME|X''XX' |
		sed 's/$/ (finish it, or say it without the word)/')
}

# Other releases of clang-format break lines elsewhere.
formatting() {
	have clang-format || return 0
	clang-format --version | grep -q 'version 14\.' || {
		echo "skip: clang-format is not release 14, that of Debian 12"
		return 0
	}
	(cd "$root" && source_files | grep '\.[ch]$' |
		xargs clang-format --dry-run --Werror 2>&1 | sed -n 's/: error:.*//p')
}

# SC2187: busybox's ash is checked as dash, which is what is wanted.
shell_scripts() {
	have shellcheck || return
	(cd "$root" && source_files | grep -vE '\.(c|h|scd|awk|py|map|cmake|txt)$' |
		xargs grep -lE '^#!.*(/| )(ba|da|)sh|shell=bash' |
		xargs shellcheck -x -P SCRIPTDIR -S warning -e SC2187 -f gcc 2>&1)
}

# SPDX-License-Identifier: MIT
# Says which functions of C files are longer than `lines` or take more than
# `parameters`. A function begins with its name at the left margin, its body with
# a brace there, as .clang-format makes it.
function parameters_of(text,   depth, commas, i, c, any)
{
	gsub(/__attribute__ *\(\([^)]*\)\)/, "", text)
	for (i = index(text, "("); i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "(")
			depth++
		else if (c == ")" && --depth == 0)
			break
		else if (c == "," && depth == 1)
			commas++
		else if (c !~ /[ \t]/)
			any = any c
	}
	return any == "" || any == "void" ? 0 : commas + 1
}

function name_of(text)
{
	gsub(/__attribute__ *\(\([^)]*\)\)/, "", text)
	sub(/\(.*/, "", text)
	sub(/.*[^A-Za-z0-9_]/, "", text)
	return text
}

FNR == 1 { signature = "" ; start = 0 }
/^[A-Za-z_].*\(/ && signature == "" && !start { signature = $0; first = FNR; next }
signature != "" && /^\{/ { start = first; next }
start && /^}/ {
	if (FNR - start + 1 > lines)
		printf "%s:%d: %s() has %d lines, at most %d\n", FILENAME, start,
			name_of(signature), FNR - start + 1, lines
	if (parameters_of(signature) > parameters)
		printf "%s:%d: %s() takes %d parameters, at most %d\n", FILENAME, start,
			name_of(signature), parameters_of(signature), parameters
	signature = ""
	start = 0
}
signature != "" && !start {
	if (/^[ \t]/) {
		signature = signature " " $0
	} else {
		signature = /^[A-Za-z_].*\(/ ? $0 : ""
		first = FNR
	}
}

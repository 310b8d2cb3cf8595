# SPDX-License-Identifier: MIT
# Takes the public headers apart. -v want=
#   functions   NAME of each function
#   comments    "NAME: why" for functions whose comment does not name and date them
#   prototypes  NAME<tab>PROTOTYPE, white space made single
#   structs     NAME<tab>DEFINITION, without comments, white space made single
#   words       every struct, enum, typedef, macro and enumerator
function squeeze(text)
{
	gsub(/[ \t\n]+/, " ", text)
	sub(/^ /, "", text)
	sub(/ $/, "", text)
	return text
}

# The name before the first parenthesis.
function name_of(text)
{
	sub(/\(.*/, "", text)
	sub(/.*[^a-z0-9_]/, "", text)
	return text
}

function prototype(text,   name)
{
	name = name_of(text)
	if (want == "functions")
		print name
	else if (want == "prototypes")
		print name "\t" squeeze(text)
	else if (want == "comments" && comment == "")
		print name ": no comment right before it"
	else if (want == "comments" && comment !~ ("(^|[^a-z0-9_])" name "([^a-z0-9_].*)? - "))
		print name ": the comment before it does not say \"" name " - ...\""
	else if (want == "comments" && comment !~ /Since [0-9]/)
		print name ": the comment before it does not say since when it is there"
}

function type_end(text,   name)
{
	name = text
	sub(/ \{.*/, "", name)
	if (want == "structs" && name ~ /^struct/)
		print substr(name, 8) "\t" squeeze(text)
	if (want == "words")
		print substr(name, index(name, " ") + 1)
}

function strip(line)
{
	gsub(/\/\*[^*]*(\*[^\/][^*]*)*\*\//, "", line)
	if (sub(/\/\*.*/, "", line))
		in_comment = 1
	return line
}

/^\/\*/ { comment = ""; reading = 1 }
reading {
	comment = comment " " squeeze($0)
	if (/\*\//)
		reading = 0
	next
}
in_comment {
	if (!sub(/.*\*\//, ""))
		next
	in_comment = 0
}
{ $0 = strip($0) }
body == "" && /^[ \t]*$/ { comment = "" ; next }
/^#define BM_/ && want == "words" { word = $2; sub(/\(.*/, "", word); print word }
/^#/ { next }
/^typedef .*\(/ {
	if (want == "words")
		print name_of($0)
	next
}
/^(struct|enum) [a-z_]+ \{/ { body = $0; next }
body != "" {
	body = body "\n" $0
	if (want == "words" && body ~ /^enum/ && match($0, /BM_[A-Z0-9_]+/))
		print substr($0, RSTART, RLENGTH)
	if (/^};/) {
		type_end(body)
		body = ""
	}
	next
}
pending != "" || /^[a-z].*\(/ {
	pending = pending " " $0
	if (/;[ \t]*$/) {
		prototype(squeeze(pending))
		pending = ""
	}
}

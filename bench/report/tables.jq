# SPDX-License-Identifier: MIT
# tables.jq - the rows of a table for a page: a line for those with the same keys, a column for each metric.
include "rows";

# Four digits are more than any measurement is worth.
def short:
  if . == 0 then "0" else
    (fabs | log10 | floor) as $place
    | if $place >= 3 then round | tostring
      else pow(10; 3 - $place) as $scale | (. * $scale | round) / $scale | tostring end
  end;

def mark: "<abbr class=\"mark\" title=\"moved more than 10 % between rounds\">≠</abbr>";

def cell:
  if . == null then "<td></td>" else
    "<td class=\"\(if .steady then "number" else "number moved" end)\" title=\"\(
      "\(.rounds | length) rounds, \(.min | short) to \(.max | short), mean \(.mean | short)" | @html)\">"
    + "\(.median | short)\(if .steady then "" else mark end)"
    + (if (.rounds | length) < 2 then "" else "<small>\(.quarter | short)–\(.three_quarters | short)</small>" end)
    + "</td>"
  end;

def notes:
  map(select(.note != null)) | groups(.note)
  | map("\(.[1] | map(.metric | gsub("_"; " ")) | unique | join(", ")): \(.[0])") | join("; ");

def head($keys; $columns; $noted):
  "<thead><tr>" + ($keys | map("<th scope=\"col\">\(gsub("_"; " ") | @html)</th>") | add // "")
  + ($columns | map(fromjson | "<th scope=\"col\" class=\"number\">\(.[0] | gsub("_"; " ") | @html)<small>\(.[1] | @html)</small></th>")
      | add // "")
  + (if $noted then "<th scope=\"col\">note</th>" else "" end) + "</tr></thead>";

# Of rows with the same keys.
def table_line($keys; $columns; $noted):
  . as $rows
  | "<tr>" + ($keys | map("<td>\($rows[0].keys[.] // "" | @html)</td>") | add // "")
  + ($columns | map(. as $column | $rows | map(select(([.metric, .unit] | tojson) == $column))[0] | cell) | add // "")
  + (if $noted then "<td class=\"note\">\($rows | notes | @html)</td>" else "" end) + "</tr>";

def table:
  (reduce (.[].keys | to_entries[].key) as $key ([]; if index([$key]) then . else . + [$key] end)) as $keys
  | values([.metric, .unit] | tojson) as $columns
  | any(.[]; .note != null) as $noted
  | groups(.keys | tojson)
  | "<details open><summary>\(length | counted("line"))</summary><div class=\"wide\"><table>"
    + head($keys; $columns; $noted) + "<tbody>"
    + (map(.[1] | table_line($keys; $columns; $noted)) | join("\n")) + "</tbody></table></div></details>";

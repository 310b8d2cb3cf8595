# SPDX-License-Identifier: MIT
# facts.jq - what is known of the machine, as a table.

def gib: . / 1073741824 * 10 | round / 10;
def node_text:
  "node \(.id): CPUs \(if (.cpu_list // "") == "" then "none" else .cpu_list end), "
  + "\((.memory_bytes // 0) | if type == "number" then gib else . end) GiB"
  + (if .tier == null then "" else ", tier \(.tier)" end);

def fact_text:
  if type == "string" or type == "number" then tostring
  elif type == "boolean" then (if . then "yes" else "no" end)
  elif type == "object" then to_entries | map("\(.key): \(.value | if type == "string" then . else tojson end)")
    | if length == 0 then "none" else join("\n") end
  elif type == "array" and all(.[]; type == "object" and has("id")) then map(node_text) | join("\n")
  else tojson end;

def facts_line: to_entries | map("\(.key | gsub("_"; " ")): \(.value | fact_text | gsub("\n"; ", "))") | join("; ");

def facts:
  "<table class=\"facts\"><tbody>"
  + (to_entries | map("<tr><th scope=\"row\">\(.key | gsub("_"; " ") | @html)</th><td>"
      + "\(.value | fact_text | @html | gsub("\n"; "<br>"))</td></tr>") | add // "")
  + "</tbody></table>";

# SPDX-License-Identifier: MIT
# page.jq - one page with all that was measured. $pictures: objects with a picture each; $style: of the page.
#
# Beside rows and the machine a file may say how it was made: "set" (whole, quick or rig)
# and "commands", each with name, line, status, seconds, what it said on stderr, and facts
# that are its own.
include "rows";
include "texts";
include "tables";
include "facts";

def headline:
  "libbatchmig: what moving memory costs" + ({rig: ", in instructions counted in an emulated machine: no times",
    quick: ", the quick set"}[.set // ""] // "");

# The tables that there are, known ones first.
def tables: (.rows | values(.table)) as $there
  | [texts[].table as $name | select($there | index([$name])) | $name]
  + ($there - [texts[].table]);

def picture($alone):
  .[0] as $name | (.[1] | @html) as $caption
  | $alone[$name] // empty
  | "<figure>\(.)<figcaption>\($caption) <a href=\"\($name).png\">PNG</a> <a href=\"\($name).svg\">SVG</a></figcaption></figure>";

# Which command makes a table: that of its name, or the one that says so.
def command_of($table): (.commands // [] | map(select((.tables // [.name]) | index([$table])))[0]);
def command_text: if . == null then "" else "<p class=\"command\"><code>\(.line | tostring | @html)</code>"
  + (.facts // {} | if . == {} then "" else "<br><small>\(facts_line | @html)</small>" end) + "</p>" end;

def section($alone): . as $document | tables[] | . as $table | text_of(.)
  | "<section id=\"\($table | @uri)\"><h2>\(.title | @html)</h2>"
  + "<p>\(.what | @html) \(.how | @html)</p>"
  + ($document | command_of($table) | command_text)
  + ([.pictures[] | picture($alone)] | add // "")
  + ($document | rows($table) | table) + "</section>";

# 77: cannot work here; anything else but 0 has failed.
def outcome: if .status == 0 then "Only a part was measured" elif .status == 77 then "Cannot be measured here"
  else "<strong>Failed</strong> with status \(.status | tostring | @html)" end;
def said: "<p>\(outcome): <code>\(.line | tostring | @html)</code></p><pre>\(.stderr // "" | tostring | @html)</pre>";
def missing: {id: "missing", title: "What is missing", commands: (.commands // [] | map(select(.status != 0)))};
def left_out: {id: "left-out", title: "What was left out",
  commands: (.commands // [] | map(select(.status == 0 and (.stderr // "") != "")))};
def endings: [missing, left_out] | map(select(.commands | length > 0));
def ending: "<section id=\"\(.id)\"><h2>\(.title)</h2>" + (.commands | map(said) | add) + "</section>";

def navigation: "<nav>" + ([tables[] | "<a href=\"#\(@uri)\">\(text_of(.).title | @html)</a>"]
  + (endings | map("<a href=\"#\(.id)\">\(.title)</a>")) | join(" ")) + "</nav>";

def reading: "<p>Every number is the median of its rounds, the small ones below it are their quartiles: half of the rounds were between them. "
  + "\(mark) marks what moved more than 10 % between rounds: do not build on it. "
  + "Competitors took turns in every round. Lines are in the order in which they were measured.</p>";

($pictures | add // {}) as $alone
| "<!DOCTYPE html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>\(headline | @html)</title><style>\($style)</style></head><body>
<h1>\(headline | @html)</h1>
\(navigation)
\(reading)
<p>All numbers: <a href=\"results.json\">results.json</a>, <a href=\"results.csv\">results.csv</a>.</p>
<section id=\"machine\"><h2>The machine</h2>\(.machine | facts)</section>
\([section($alone)] | join("\n"))
\(endings | map(ending) | join("\n"))
</body></html>"

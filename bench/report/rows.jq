# SPDX-License-Identifier: MIT
# rows.jq - what all pictures need: rows of a table, and blocks of numbers for gnuplot.
#
# What style.gnuplot reads, with two empty lines between blocks: the first block has
# a line for each panel (title, first and last curve, label of the y axis), the second
# one for each curve (title, colour, dashes, symbol), then comes one with the points
# of each curve. Bars have in place of curves the series first and last of a panel,
# and then a block for each panel.

# gnuplot takes what is in quotes apart: of texts from a file only harmless letters are left.
def quoted: "\"" + (tostring | gsub("[^A-Za-z0-9 _/.,:%()+=#-]"; "?")) + "\"";

def rows($table): .rows | map(select(.table == $table));

# As people say it.
def pages: (.keys.pages // "") as $pages
  | {"thp": "huge pages", "scattered": "4K pages, scattered frames", "": "all pages"}[$pages] // "\($pages) pages";

# [[name, rows]...] in the order in which the names come first.
def groups(name):
  reduce (.[] | [(name | tostring), .]) as [$name, $row] ({order: [], of: {}};
    (if .of[$name] then . else .order += [$name] end) | .of[$name] += [$row])
  | .of as $of | .order | map([., $of[.]]);
def values(name): groups(name) | map(.[0]);

# "64K" as a number; null for words.
def size:
  if . == null then null
  else (capture("^(?<number>[0-9.]+)(?<unit>[KMG]?)$") // null)
    | if . then (.number | tonumber) * {"": 1, K: 1024, M: 1048576, G: 1073741824}[.unit] else null end
  end;
def numeric: if . == null then null else (tonumber? // null) end;
def counted(word): "\(.) \(word)" + (if tostring == "1" then "" else "s" end);
def threads: (.keys.threads // "1") | counted("thread");

# The least and the largest number of threads: more would be too many panels.
def few_threads:
  (map(.keys.threads // "1" | numeric // 1) | [min, max]) as $ends
  | map(select((.keys.threads // "1" | numeric // 1) as $n | $ends | index($n)));
# And where nothing moves, which has none.
def most_threads:
  (map(.keys.threads // "1" | numeric // 1) | max) as $most
  | map(select(.keys.mover == "none" or (.keys.threads // "1" | numeric // 1) == $most));

# The palette of Okabe and Ito: told apart by the colour-blind, too. Grey in place of its yellow.
def palette: ["#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#000000", "#999999"];
# Who takes part looks the same in all pictures.
def looks: {
  "auto": ["#000000", 1, 7], "swap/cpu": ["#0072b2", 1, 7], "swap/dsa": ["#56b4e9", 1, 5],
  "swap/ptdma": ["#56b4e9", 2, 4], "move_pages": ["#d55e00", 1, 9], "mbind": ["#d55e00", 3, 8],
  "plain move_pages": ["#e69f00", 2, 11], "plain mbind": ["#e69f00", 3, 10],
  "migrate_pages": ["#cc79a7", 2, 13], "plain nt": ["#009e73", 2, 5], "memcpy": ["#999999", 2, 4]};
def look($number): [palette[$number % 8], ($number / 8 | floor) + 1, [7, 5, 9, 11, 13, 4, 6, 8][$number % 8]];
def mover_look($number): looks[.] // look($number);

# A point: x, median and quartiles; as gnuplot's yerrorlines take them.
def point(x): [x, .median, .quarter, .three_quarters];

def line: map(if type == "number" then tostring elif . == null then "NaN" else quoted end) | join(" ");
def blocks: map(map(line) | join("\n")) | join("\n\n\n");

# A line for each panel, with the numbers of what is in it.
def panels(parts): reduce .[] as $panel ([[], 0]; ($panel | parts | length) as $count
  | [.[0] + [[$panel.title, .[1], .[1] + $count - 1, $panel.y]], .[1] + $count]) | .[0];

# [{title, y, curves: [{title, look, points}]}]: nothing when there is nothing to be seen.
def curves:
  map(.curves |= map(select(.points | length > 0)) | select(.curves | length > 0))
  | if length == 0 then empty else
      [panels(.curves), map(.curves[] | [.title] + .look)] + map(.curves[].points) | blocks
    end;

# [{title, y, series: [{title, look}], bars: [[label, number...]...]}]; null: it was not measured,
# and has no bar. gnuplot refuses a series without any.
def bars:
  map(select(.bars | length > 0))
  | if length == 0 then empty else
      [panels(.series), map(.series[] | [.title] + .look)] + map(.bars) | blocks
    end;

# More than one place on the x axis: else it is no curve.
def spread_out: [.curves[].points[][0]] | unique | length > 1;

# SPDX-License-Identifier: MIT
# thp.jq - are huge pages still huge after they moved, and what does an access cost then?
include "rows";

def series: [{title: "before", look: look(7)}, {title: "after", look: look(0)}];
def panel($title; $metric; scale):
  map(select(.metric | startswith($metric)) | .when = (.metric | ltrimstr($metric + "_")))
  | values(.when) as $there
  | {title: $title, y: (if .[0].unit == "share" then "%" else .[0].unit end),
     series: (series | map(select(.title | IN($there[])))),
     bars: (groups(.keys.mover) | map([.[0]] + (.[1] as $rows | series | map(.title | select(IN($there[])))
       | map(. as $when | ($rows | map(select(.when == $when))[0]) as $row
         | [$row.median, $row.quarter, $row.three_quarters] | map(if . == null then . else scale end))
       | add)))};

rows("thp")
| [panel("Memory in huge pages"; "huge"; 100 * .), panel("An access"; "access"; .)]
| bars

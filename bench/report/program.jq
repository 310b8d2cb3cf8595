# SPDX-License-Identifier: MIT
# program.jq - whole programs before, during and after the migration of their memory.
include "rows";

def phases: ["before", "during", "after"];
def panel($program; $metric; $title):
  map(select(.keys.program == $program and .metric == $metric))
  | values(.keys.phase) as $there
  | {title: "\($program): \($title)", y: .[0].unit,
     series: (phases | to_entries | map({title: .value, look: look([7, 1, 0][.key])} | select(.title | IN($there[])))),
     bars: (groups(.keys.mover // "") | map([.[0]] + (.[1] as $rows | phases | map(select(IN($there[])))
       | map(. as $phase | ($rows | map(select(.keys.phase == $phase))[0]) as $row
         | [$row.median, $row.quarter, $row.three_quarters]) | add)))};

rows("program")
| [panel("redis"; "requests"; "requests"), panel("redis"; "latency_p99"; "99th percentile of latency"),
   panel("triad"; "bandwidth"; "bandwidth")]
| bars

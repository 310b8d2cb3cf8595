# SPDX-License-Identifier: MIT
# scaling.jq - where the time of a batch goes, by its number of pages; panels: pages and movers.
include "rows";

def phases: ["plan", "classify", "copy", "remap", "other", "verify"];
def many: numeric as $n | if $n == null then . elif $n >= 1000000 then "\($n / 1000000)M"
  elif $n >= 1000 then "\($n / 1000)k" else . end;

rows("scaling") | map(select(.metric as $metric | phases | index($metric)))
| [phases[] as $phase | select(any(.[]; .metric == $phase)) | $phase] as $phases
| groups("\(pages), \(.keys.mover)")
| map({title: .[0], y: .[1][0].unit,
    series: ($phases | to_entries | map({title: .value, look: look(.key)})),
    bars: (.[1] | groups("\(.keys.count | many), \(.keys.threads // "1") T") | map(.[1] as $rows | [.[0]]
      + ($phases | map(. as $phase | $rows | map(select(.metric == $phase) | .median)[0] // 0))))})
| bars

# SPDX-License-Identifier: MIT
# throughput.jq - throughput against the length of runs; panels: pages and threads.
include "rows";

rows("throughput") | map(select((.metric == "throughput" or .metric == "instructions")
  and (.keys.run | size)))
| values(.keys.mover) as $movers
| few_threads | groups("\(pages), \(threads)")
| map({title: .[0], y: .[1][0].unit, curves: (.[1] | groups(.keys.mover) | map(.[0] as $mover | {
    title: $mover, look: ($mover | mover_look($movers | index($mover))),
    points: (.[1] | map(point(.keys.run | size) + [.keys.run]) | sort)}))}
  | select(spread_out))
| curves

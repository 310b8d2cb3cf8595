# SPDX-License-Identifier: MIT
# memory.jq - memory that the library needs for a page, by the number of pages of a batch.
include "rows";

rows("scaling") | map(select(.metric == "memory" and (.keys.count | numeric))) | most_threads
| values(.keys.mover) as $movers
| groups("\(pages), \(threads)")
| map({title: .[0], y: .[1][0].unit, curves: (.[1] | groups(.keys.mover) | map(.[0] as $mover | {
    title: $mover, look: ($mover | mover_look($movers | index($mover))),
    points: (.[1] | map(point(.keys.count | numeric)) | sort)}))}
  | select(spread_out))
| curves

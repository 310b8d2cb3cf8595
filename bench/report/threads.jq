# SPDX-License-Identifier: MIT
# threads.jq - throughput against the number of threads, with the longest runs of each kind of pages.
include "rows";

# All of it is one run.
def reach: if .keys.run == "all" then infinite else .keys.run | size end;

rows("throughput") | map(select(.metric == "throughput" and reach
  and .keys.pool != "empty" and (.keys.threads | numeric)))
| values(.keys.mover) as $movers
| groups(pages) | map((.[1] | map(reach) | max) as $run
  | [.[0], (.[1] | map(select(reach == $run)))])
| map({title: "\(.[0]), \(.[1][0].keys.run | if . == "all" then "all of it" else "runs of \(.)" end)", y: .[1][0].unit,
    curves: (.[1] | groups(.keys.mover) | map(.[0] as $mover | {
      title: $mover, look: ($mover | mover_look($movers | index($mover))),
      points: (.[1] | map(point(.keys.threads | numeric)) | sort)}))}
  | select(spread_out))
| curves

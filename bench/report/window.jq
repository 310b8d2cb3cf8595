# SPDX-License-Identifier: MIT
# window.jq - throughput against the time until the first page can be used; panels: pages and threads.
include "rows";

def name($movers):
  "chunk \(.keys.chunk // "auto")" + (if ($movers | length) > 1 then ", \(.keys.mover)" else "" end);
# Black is what the library chooses.
def look_of($number): if . == "chunk auto" or . == "chunk auto, auto" then ["#000000", 1, 7]
  else look([0, 1, 2, 3, 4, 5, 7][$number % 7]) end;
# What was measured in the same call.
def pairs:
  groups(.keys | tojson) | map(.[1] | (map({(.metric): .median}) | add) + {keys: .[0].keys,
    unit: (map(select(.metric == "throughput") | .unit)[0])}
    | select(.throughput and .first_page));

rows("window") | values(.keys.mover) as $movers | pairs
| values(name($movers)) as $names
| most_threads | groups("\(pages), \(threads)")
| map({title: .[0], y: .[1][0].unit, curves: (.[1] | groups(name($movers)) | map(.[0] as $name | {
    title: $name, look: ($name | look_of($names | index($name))),
    points: (.[1] | map([.first_page, .throughput]
      + if ($name | look_of(0)[0]) == "#000000" then [.keys.count // "", 1.6] else ["", 0.8] end))}))})
| curves

# SPDX-License-Identifier: MIT
# load.jq - how long accesses of an application take while memory moves; panels: pages.
include "rows";

def percentiles: ["p50", "p90", "p99", "p999", "p9999", "max"];
def shown: {p50: "p50", p90: "p90", p99: "p99", p999: "p99.9", p9999: "p99.99", max: "max"};
def bound: .keys.bound_us // "none";
def name: if .keys.mover == "none" then "no migration" else .keys.mover
  + (if bound == "none" then "" else ", bound \(bound) us" end) end;
# Who moves has a colour, a bound has dashes.
def look_of($movers; $bounds): .keys.mover as $mover | bound as $bound | ($bounds | index($bound)) as $number
  | if $mover == "none" then ["#999999", 2, 4]
    else ($mover | mover_look($movers | index($mover)))
      | if $number == 0 then . else [.[0], $number + 1, look($number)[2]] end
    end;
def place: .metric | ltrimstr("access_") as $name | percentiles | index($name);

rows("load") | map(select((.metric | startswith("access_")) and place != null))
| values(.keys.mover) as $movers | values(bound) as $bounds
| most_threads | groups(pages)
| map({title: .[0], y: "\(.[1][0].unit) an access takes", curves: (.[1] | groups(name) | map({
    title: .[0], look: (.[1][0] | look_of($movers; $bounds)),
    points: (.[1] | map([place, .median, .quarter, .three_quarters, shown[.metric | ltrimstr("access_")]])
      | sort)}))})
| curves

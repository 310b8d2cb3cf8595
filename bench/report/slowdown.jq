# SPDX-License-Identifier: MIT
# slowdown.jq - what is left of an application's throughput while memory moves.
include "rows";

def name: .keys.mover + (if (.keys.bound_us // "none") == "none" then "" else ", \(.keys.bound_us) us" end);

rows("load") | map(select(.metric == "accesses")) | most_threads
| groups(pages)
| map((.[1] | map(select(.keys.mover == "none"))[0].median) as $alone
  | select($alone != null and $alone > 0)
  | {title: .[0], y: "% of the accesses without migration",
     series: [{title: "median, quartiles", look: look(0)}],
     bars: (.[1] | map(select(.keys.mover != "none")
       | [name, (.median, .quarter, .three_quarters | 100 * . / $alone)]))})
| bars

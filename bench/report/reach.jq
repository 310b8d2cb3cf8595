# SPDX-License-Identifier: MIT
# reach.jq - how long pages are out of reach, against the size of chunks, for the largest batches.
include "rows";

rows("window") | map(select(.metric == "out_of_reach"))
| groups(pages) | map([.[0], (.[1] | most_threads)])
| map({title: "\(.[0]), \(.[1][0] | threads)", y: .[1][0].unit,
    curves: (.[1] | map(select(.keys.chunk | size)) | groups("\(.keys.count // "?") pages, \(.keys.mover)")
      | to_entries | map({title: .value[0], look: look([0, 1, 2, 3, 4, 5, 7][.key % 7]),
        points: (.value[1] | map(point(.keys.chunk | size) + [.keys.chunk]) | sort)}))}
  | select(spread_out))
| curves

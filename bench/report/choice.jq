# SPDX-License-Identifier: MIT
# choice.jq - what the library chooses by itself, as a multiple of the best that can be set.
include "rows";

rows("choice") | map(select(.metric == "to_best" and (.keys.setting // "auto") == "auto"))
| if length == 0 then empty else
    [{title: "auto to the best setting", y: "times as long", series: [{title: "median, quartiles", look: look(0)}],
      bars: (map([.keys.scene // "",
        .median, .quarter, .three_quarters]))}]
    | bars
  end

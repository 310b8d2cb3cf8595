# SPDX-License-Identifier: MIT
# lines.jq - all rows as CSV, in the columns of results_write_csv() in bench/results.c.
["table", "keys", "metric", "unit", "median", "mean", "quarter", "three_quarters", "min", "max",
 "rounds", "spread", "note"],
(.rows[] | [.table, (.keys | to_entries | map("\(.key)=\(.value)") | join(" ")), .metric, .unit,
  .median, .mean, .quarter, .three_quarters, .min, .max, (.rounds | length),
  (if .steady then "steady" else "moved" end), .note // ""])
| @csv

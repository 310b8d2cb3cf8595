# SPDX-License-Identifier: MIT
# merge.jq - one document of those of several commands, in their order.
# $set: which was measured; $commands: an object for each that was started, 0 is the status of those with a document.

# Facts of all of them: rounds, time and settings are those of a command.
def common: . as $machines | .[0] // {}
  | with_entries(select(.key as $key | .value as $value | all($machines[]; .[$key] == $value)));

map(.machine) as $machines | ($machines | common) as $common
| [$commands[] | select(.status == 0) | .name] as $measured
| {format: 1, set: $set, machine: $common,
   commands: ($commands | map(.name as $name | ($measured | index([$name])) as $number
     | if $number == null then . else .facts = ($machines[$number] | with_entries(select(.key | in($common) | not))) end)),
   rows: map(.rows[])}

# SPDX-License-Identifier: MIT
# sample.jq - results of a machine that there is not, with all tables: the input of tests.
# Usage: jq -n -f sample.jq. Numbers are made up, and look like it.

# Three rounds around a value; $by: share between them.
def row(table; keys; metric; unit; better; $value; $by):
  {table: table, keys: keys, metric: metric, unit: unit, better: better, median: $value, mean: $value,
   quarter: ($value * (1 - $by / 2)), three_quarters: ($value * (1 + $by / 2)),
   min: ($value * (1 - $by)), max: ($value * (1 + $by)), steady: ($by < 0.1),
   rounds: [$value * (1 - $by), $value, $value * (1 + $by)]};
def more(table; keys; metric; unit; $value): row(table; keys; metric; unit; "more"; $value; 0.04);
def less(table; keys; metric; unit; $value): row(table; keys; metric; unit; "less"; $value; 0.04);

def movers: ["swap/cpu", "auto", "move_pages", "mbind", "plain nt", "memcpy", "plain move_pages", "plain mbind"];
# GB/s of a mover with one thread and endless runs.
def speed: {"swap/cpu": 10, auto: 9.5, move_pages: 3, mbind: 2.8, "plain nt": 11, memcpy: 7,
  "plain move_pages": 2.5, "plain mbind": 2.4}[.];
def lengths: [["4K", 4], ["16K", 16], ["64K", 64], ["256K", 256], ["1M", 1024], ["2M", 2048]];

# What is measured with the pages in runs of lengths, in one run, and with nothing in the pool.
def layouts:
  (lengths[] | {pages: "4K", run: .[0], pool: "kept", kib: .[1]}),
  ("4K", "scattered", "thp" | {pages: ., run: "all", pool: "kept", kib: 16384}),
  ("4K", "thp" | {pages: ., run: "all", pool: "empty", kib: 500});

def throughput:
  ("1", "2", "4") as $threads | layouts as $layout | movers[] as $mover
  | (($layout | del(.kib)) + {mover: $mover, threads: $threads}) as $keys
  | (($mover | speed) * $layout.kib / ($layout.kib + 20) * ($threads | tonumber | sqrt)
     * {"4K": 1, scattered: 0.8, thp: 1.5}[$layout.pages]) as $value
  | row("throughput"; $keys; "throughput"; "GB/s"; "more"; $value; if $mover == "memcpy" then 0.2 else 0.05 end),
    less("throughput"; $keys; "call"; "us"; 16000 / $value),
    (select($mover != "plain nt") | more("throughput"; $keys; "to_plain_nt"; "x"; ($mover | speed) / 11)),
    (select($mover != "plain move_pages") | more("throughput"; $keys; "to_move_pages"; "x"; ($mover | speed) / 2.5)),
    (select($mover == "swap/cpu")
     | row("throughput"; $keys; "tlb_interrupts"; "/2 MiB"; "less"; 3; 0.5) + {note: "a note with <b>markup</b> & more"},
       row("throughput"; $keys; "swapped_share"; ""; "neither"; 1; 0));

def few: ("1", "8") as $count | ("swap/cpu", "plain move_pages") as $mover
  | {pages: "thp", count: $count, mover: $mover, threads: "1"} as $keys
  | more("few"; $keys; "throughput"; "GB/s"; 6), less("few"; $keys; "call"; "us"; 20 + ($count | tonumber));

def window:
  ("4K", "thp") as $pages | ("512", "4096", "32768") as $count
  | ("64K", "256K", "1M", "2M", "auto") as $chunk
  | {pages: $pages, count: $count, chunk: $chunk, mover: "swap/cpu", threads: "1"} as $keys
  | {"64K": 64, "256K": 256, "1M": 1024, "2M": 2048, auto: 700}[$chunk] as $kib
  | ($count | tonumber | log10) as $large
  | more("window"; $keys; "throughput"; "GB/s"; 3 * $large * $kib / ($kib + 100)),
    less("window"; $keys; "first_page"; "us"; 40 + $kib / 4 + $large * 10),
    less("window"; $keys; "out_of_reach"; "us"; 20 + $kib / 5),
    less("window"; $keys; "call"; "us"; ($count | tonumber) * 2);

def load:
  ("4K", "thp") as $pages
  | (["none", "none", 1], ["move_pages", "none", 3], ["swap/cpu", "none", 2], ["swap/cpu", "100", 1.5]) as [$mover, $bound, $slow]
  | {pages: $pages, mover: $mover, bound_us: $bound, touchers: "1", threads: (if $mover == "none" then "0" else "2" end)} as $keys
  | more("load"; $keys; "accesses"; "M/s"; 30 / $slow),
    (["p50", 0.1], ["p90", 0.2], ["p99", 1], ["p999", 40], ["p9999", 100], ["max", 300]
     | less("load"; $keys; "access_\(.[0])"; "us"; .[1] * $slow)),
    (select($mover != "none") | more("load"; $keys; "migrated"; "GB/s"; 6 / $slow));

def scaling:
  ("1000", "10000", "100000", "1000000") as $count | ("1", "2") as $threads | ("swap/cpu", "move_pages") as $mover
  | {pages: "4K", count: $count, mover: $mover, threads: $threads} as $keys
  | (["plan", 20], ["classify", 100], ["copy", 350], ["remap", 80], ["other", 30], ["verify", 90]
     | select($mover == "swap/cpu" or (.[0] | IN("copy", "remap") | not))
     | less("scaling"; $keys; .[0]; "ns/page"; .[1] / ($threads | tonumber))),
    less("scaling"; $keys; "whole"; "ns/page"; 670 / ($threads | tonumber)),
    less("scaling"; $keys; "memory"; "bytes/page"; 30 + 100000 / ($count | tonumber));

def thp: (["swap/cpu", 1], ["auto", 1], ["move_pages", 0.9], ["mbind", 0.5]) as [$mover, $left] | {mover: $mover} as $keys
  | row("thp"; $keys; "huge_before"; "share"; "neither"; 1; 0), more("thp"; $keys; "huge_after"; "share"; $left),
    row("thp"; $keys; "access_before"; "ns"; "neither"; 80; 0.02), less("thp"; $keys; "access_after"; "ns"; 80 / $left),
    more("thp"; $keys; "throughput"; "GB/s"; 12 * $left);
# They do not move.
def still: ("base pages", "scattered base pages") as $name | {mover: $name} as $keys
  | row("thp"; $keys; "huge_before"; "share"; "neither"; 0; 0), row("thp"; $keys; "access_before"; "ns"; "neither"; 110; 0.02);

def program: ("swap/cpu", "move_pages") as $mover | (["before", 1], ["during", 0.7], ["after", 0.98]) as [$phase, $left]
  | {program: "redis", phase: $phase, mover: $mover} as $keys | {program: "triad", phase: $phase, mover: $mover} as $triad
  | more("program"; $keys; "requests"; "1/s"; 90000 * $left), less("program"; $keys; "latency_p50"; "us"; 40 / $left),
    less("program"; $keys; "latency_p99"; "us"; 90 / $left), less("program"; $keys; "latency_max"; "us"; 2000 / $left),
    more("program"; $triad; "bandwidth"; "GB/s"; 16 * $left);

def rest:
  (("1", "2") | {pages: "4K", mover: "swap/cpu", threads: .} as $keys
   | less("interrupts"; $keys; "tlb_interrupts"; "/2 MiB"; 5), more("interrupts"; $keys; "throughput"; "GB/s"; 8)),
  ("base, warm", "base, cold", "huge, warm", "huge, cold", "64 pages, warm", "every 8th, warm" | {scene: ., setting: "auto"} as $keys
   | less("choice"; $keys; "to_best"; "x"; 1.02), less("choice"; $keys; "time"; "us"; 1000)),
  (("50", "1000") | {pages: "4K", rate: "\(.) MB/s", mover: "swap/cpu"} as $keys
   | (["least_1s", "more", 99], ["most_1s", "less", 101], ["least_100ms", "more", 92], ["most_100ms", "less", 108], ["mean_error", "neither", 0.2]
      | row("rate"; $keys; .[0]; "%"; .[1]; .[2]; 0.01))),
  (("none", "running") as $sibling | ("p10", "p50", "p90") | less("tlb"; {sibling: $sibling}; .; "ns"; 700)),
  ("512 pages", "64 THPs, one entry each" | {case: ., way: "plain"} as $plain | {case: ., way: "library"} as $library
   | less("kernel"; $plain; "per_entry"; "ns"; 700), less("kernel"; $library; "per_entry"; "ns"; 690),
     less("kernel"; $library; "ratio"; "x"; 0.98));

def command($name): {name: $name, line: "batchmig-bench \($name) --rounds 3", status: 0, seconds: 12, stderr: "",
  tables: [$name], facts: {rounds: 3, mb: 32}};

{format: 1, set: "quick",
 machine: {date: "2001-02-03T04:05:06Z", kernel: "Linux 0.0.1-sample x86_64", cpu: "A processor of paper <2 GHz>", cpus: 4,
   virtual_machine: true, transparent_hugepage: "always [madvise] never", load: "0.00 0.00 0.00 1/100 1234", library: "0.1.0",
   governor: "schedutil", mb: 1024, page_size: 4096, huge_size: 2097152, options: {copy_loop: "plain"}, backends: {cpu: "usable", dsa: "no work queue"},
   nodes: [{id: 0, cpu_list: "0-3", memory_bytes: 17179869184, tier: 0}, {id: 1, cpu_list: "", memory_bytes: 17179869184, tier: 1}]},
 commands: ([("throughput", "window", "load", "scaling", "thp", "program", "choice", "rate", "tlb") | command(.)]
   | (.[0].tables = ["throughput", "few", "interrupts"])
   | (.[1].stderr = "--counts 262144 is left out: --mb 32 has <room> for 8192 pages")
   | (.[2].facts = {rounds: 2, mb: 256, load_settings: {seconds: 1}})
   + [command("kernel") + {status: 77, stderr: "this machine has one <node>"}]),
 rows: [throughput, few, window, load, scaling, thp, still, program, rest]}

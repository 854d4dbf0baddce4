"""Hold what xinghe-crowd measures against its limits.

    crowd.py PROGRAM      (PROGRAM is xinghe-crowd, see bench/replay/crowd)
"""

import json
import subprocess
import sys

JOBS, DAY_SECONDS = 1_000_000, 10.0
WAITING, PASS_MILLISECONDS = 100_000, 50.0
SEED = 1


def run(program, *words):
    line = subprocess.run([program, *map(str, words)], check=True, capture_output=True, text=True).stdout
    return json.loads(line)


def verdict(value, limit):
    return "met" if value <= limit else "MISSED"


def main(program):
    day = run(program, "day", JOBS, SEED)
    seconds = day["nanoseconds"] / 1e9
    print(f"{JOBS:,} jobs, 20 partitions, 500 accounts, 20 QOS, 50 reservations: {seconds:.1f} s"
          f" ({day['passes']:,} passes, up to {day['waiting_maximum']:,} waiting),"
          f" limit {DAY_SECONDS:.0f} s: {verdict(seconds, DAY_SECONDS)}")
    one = run(program, "pass", WAITING, SEED)
    median, slowest = one["median_ns"] / 1e6, one["slowest_ns"] / 1e6
    print(f"a pass with {one['waiting']:,} waiting, 5,000 associations: {median:.1f} ms,"
          f" the slowest of 41 {slowest:.1f} ms, limit {PASS_MILLISECONDS:.0f} ms:"
          f" {verdict(slowest, PASS_MILLISECONDS)}")
    return 0 if seconds <= DAY_SECONDS and slowest <= PASS_MILLISECONDS else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

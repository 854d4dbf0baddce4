"""Time a replay of a year as a whole process, reading included, and weigh it.

    year.py YEAR.swf      (PATH must have xinghe)
"""

import json
import os
import statistics
import sys
import time

LIMIT_SECONDS, LIMIT_BYTES = 5, 100
RUNS = 3


def run(command, output):
    """Seconds by the clock and of processors, and the peak of resident memory in bytes, of one
    process."""
    start = time.perf_counter()
    with open(output, "wb") as file:
        pid = os.posix_spawnp(command[0], command, os.environ,
                              file_actions=[(os.POSIX_SPAWN_DUP2, file.fileno(), 1)])
        _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"year.py: {' '.join(command)} failed")
    processor = usage.ru_utime + usage.ru_stime
    return time.perf_counter() - start, processor, usage.ru_maxrss * 1024


def main(log):
    size = os.path.getsize(log)
    output = os.path.join(os.path.dirname(log), "report.json")
    command = ["xinghe", "replay", log, "--policy", "easy", "--json"]
    times, processor, peaks, digests = [], [], [], set()
    for _ in range(RUNS):
        seconds, busy, peak = run(command, output)
        with open(output, encoding="utf-8") as file:
            policy = json.load(file)["policies"][0]
        times.append(seconds)
        processor.append(busy)
        peaks.append(peak)
        digests.add(policy["digest"])
    jobs = policy["jobs"]
    median, peak = statistics.median(times), max(peaks)
    beyond = (peak - size) / jobs
    fast, lean = median <= LIMIT_SECONDS, beyond <= LIMIT_BYTES
    print(f"EASY, {jobs:,} jobs, {size / 1e6:.0f} MB of text, whole process")
    print(f"  time      {median:8.2f} s         median of {RUNS} ({min(times):.2f}-{max(times):.2f});"
          f" at most {LIMIT_SECONDS}: {'met' if fast else 'MISSED'}")
    print(f"            {statistics.median(processor):8.2f} s         of processors; load of this"
          f" machine {os.getloadavg()[0]:.1f} beside {os.cpu_count()} cores")
    print(f"  speed     {jobs / median / 1e6:8.2f} M jobs/s")
    print(f"  memory    {beyond:8.1f} bytes     a job beyond the file at the peak"
          f" ({peak / 1e6:.0f} MB in all, {peak / jobs:.0f} bytes a job);"
          f" at most {LIMIT_BYTES}: {'met' if lean else 'MISSED'}")
    print(f"  digest    {' '.join(sorted(digests))}"
          f"{'' if len(digests) == 1 else '   runs decided DIFFERENTLY'}")
    for name in ("utilisation", "wait_mean_s", "queue_max"):
        if name in policy:
            print(f"  {name:<14}{policy[name]}")
    return 0 if fast and lean and len(digests) == 1 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Time whole processes, reading the log included: Xinghe and AccaSim on the same plain log.

    compare.py PEER_PYTHON WORK_FOLDER      (WORK_FOLDER holds kth.swf)
"""

import json
import os
import statistics
import subprocess
import sys
import time

LIMIT_RATIO = 100
PROCESSORS = 100
COPIES = 36
RUNS_OURS, RUNS_PEER, RUNS_LONG = 9, 3, 3
HERE = os.path.dirname(os.path.abspath(__file__))


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def repeat_log(source, target, copies):
    """One log after another: the same days again, with new numbers."""
    with open(source, encoding="ascii") as file:
        lines = file.readlines()
    header = [line for line in lines if line.startswith(";")]
    rows = [line.split(" ", 2) for line in lines if not line.startswith(";")]
    span = int(rows[-1][1]) + 86_400
    numbers = max(int(row[0]) for row in rows)
    with open(target, "w", encoding="ascii") as file:
        file.writelines(header)
        for copy in range(copies):
            file.writelines(
                f"{int(row[0]) + copy * numbers} {int(row[1]) + copy * span} {row[2]}"
                for row in rows
            )
    return len(rows) * copies


def main(peer_python, work):
    log = os.path.join(work, "kth.swf")
    replay = ["xinghe", "replay", log, "--processors", str(PROCESSORS), "--policy", "easy"]
    results = os.path.join(work, "accasim")
    peer = [peer_python, os.path.join(HERE, "accasim_easy.py"), log, str(PROCESSORS), results]

    report = json.loads(subprocess.run(
        replay + ["--json"], check=True, capture_output=True, text=True).stdout)
    assert report, "xinghe replay --json printed nothing"

    # Interleaved, so that both meet the same neighbours on the machine.
    ours, theirs = [], []
    for run in range(RUNS_PEER):
        theirs.append(seconds(peer))
        ours += [
            seconds(replay + ["--jobs-csv", os.path.join(work, "jobs.csv")])
            for _ in range(RUNS_OURS // RUNS_PEER)
        ]
    with open(os.path.join(work, "jobs.csv"), encoding="ascii") as file:
        jobs = sum(1 for _ in file) - 1
    with open(os.path.join(results, "sched-kth.swf"), encoding="ascii") as file:
        peer_jobs = sum(1 for _ in file)

    ours_median, peer_median = statistics.median(ours), statistics.median(theirs)
    ratio = peer_median / ours_median
    print("KTH-SP2 under EASY, whole process, schedule written to a file")
    print(f"  xinghe          {ours_median * 1000:10.1f} ms   {jobs} jobs, median of {len(ours)}"
          f" ({min(ours) * 1000:.1f}-{max(ours) * 1000:.1f})")
    print(f"  AccaSim 1.1.3   {peer_median * 1000:10.1f} ms   {peer_jobs} jobs,"
          f" median of {len(theirs)} ({min(theirs) * 1000:.1f}-{max(theirs) * 1000:.1f})")
    verdict = "met" if ratio >= LIMIT_RATIO else "MISSED"
    print(f"  ratio           {ratio:10.0f} ×    at least {LIMIT_RATIO}: {verdict}")

    long_log = os.path.join(work, "long.swf")
    count = repeat_log(log, long_log, COPIES)
    size = os.path.getsize(long_log)
    print(f"KTH-SP2 {COPIES} times over: {count:,} jobs, {size / 1e6:.0f} MB")
    for policy in ("fcfs", "easy"):
        command = ["xinghe", "replay", long_log, "--processors", str(PROCESSORS),
                   "--policy", policy]
        median = statistics.median(seconds(command) for _ in range(RUNS_LONG))
        print(f"  {policy:<15} {count / median / 1e6:10.2f} M jobs/s, reading included"
              f" ({median:.2f} s, median of {RUNS_LONG})")
    return 0 if ratio >= LIMIT_RATIO else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

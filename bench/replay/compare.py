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
RUNS_OURS, RUNS_PEER = 9, 3
HERE = os.path.dirname(os.path.abspath(__file__))


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


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

    return 0 if ratio >= LIMIT_RATIO else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

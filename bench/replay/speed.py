"""Jobs a second of whole processes, reading included, against the limits of this project.

    speed.py WORK_FOLDER SWF_LOOP [--quick]      (WORK_FOLDER holds kth.swf)
"""

import os
import re
import statistics
import subprocess
import sys
import time

import made_log
import repeat

TRACES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../workloads/traces")


def seconds(command):
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - start, done.stdout


def median(command, runs):
    timed = [seconds(command) for _ in range(runs)]
    return statistics.median(each[0] for each in timed), timed[0][1]


def jobs_run(report):
    run = re.search(r"^jobs run\s+([\d,]+)", report, re.MULTILINE)
    return int(run[1].replace(",", ""))


def verdict(is_met):
    return "met" if is_met else "MISSED"


def replay(log, *options):
    return ["xinghe", "replay", log, *options]


def sustained(work, copies, runs, limit):
    """A long log on counted processors."""
    log = os.path.join(work, "long.swf")
    count = repeat.repeat_swf(os.path.join(work, "kth.swf"), copies, log)
    print(f"KTH-SP2 {copies} times over: {count:,} jobs, {os.path.getsize(log) / 1e6:.0f} MB,"
          " reading included")
    ok = True
    for policy in ("easy", "fcfs"):
        took, out = median(replay(log, "--processors", "100", "--policy", policy), runs)
        assert jobs_run(out) == count, f"{jobs_run(out)} of {count} jobs ran"
        rate = count / took
        met = rate >= limit
        ok &= met
        print(f"  {policy:<24} {rate / 1e6:8.2f} M jobs/s   ({took:.2f} s, median of {runs})"
              f"   at least {limit / 1e6:.1f}: {verdict(met)}")
    return ok, log, count


def reading(log, count, loop, limit=1.0):
    """Reading alone beside a byte loop in C, in turns."""
    ours, theirs = [], []
    for _ in range(7):
        ours.append(seconds(replay(log, "--dry-run"))[0])
        theirs.append(seconds([loop, log])[0])
    a, b = statistics.median(ours), statistics.median(theirs)
    met = b / a >= limit
    print(f"reading {count:,} rows: xinghe {a:.2f} s, a byte loop in C {b:.2f} s (medians of 7),"
          f" ratio {b / a:.2f}   at least {limit}: {verdict(met)}")
    return met


def planned(work, limit=0.1):
    """Conservative backfilling on the log as it is."""
    ok = True
    for policy in ("conservative", "conservative-compress"):
        took, _ = median(
            replay(os.path.join(work, "kth.swf"), "--processors", "100", "--policy", policy), 9)
        ok &= took <= limit
        print(f"KTH-SP2 {policy:<22} {took * 1000:8.1f} ms   (median of 9)"
              f"   at most {limit * 1000:.0f}: {verdict(took <= limit)}")
    return ok


def bounded(command, limit):
    """Seconds of a command that is stopped at five times its limit; None when it was."""
    start = time.perf_counter()
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=5 * limit)
    except subprocess.TimeoutExpired:
        return None
    return time.perf_counter() - start


def deep_queues(work, count):
    """Policies that look at the whole queue, on a made log with thousands of jobs waiting."""
    log = os.path.join(work, "made.swf")
    made_log.main(log, count)
    print(f"made log (made_log.py, seed 1): {count:,} jobs, 8,192 processors, up to some ten"
          " thousand waiting")
    ok = True
    for policy, limit in (
        ("conservative", 20), ("wfp3", 5), ("multifactor", 5), ("slurm", 5),
    ):
        limit *= count / 450_000
        took = bounded(replay(log, "--policy", policy), limit)
        met = took is not None and took <= limit
        ok &= met
        text = f"{took:8.2f} s" if took is not None else f"> {5 * limit:6g} s"
        print(f"  {policy:<24} {text}   at most {limit:g}: {verdict(met)}")
    os.unlink(log)
    return ok


def placements(work, limit=3):
    """Placements that look at every node, beside first fit, in turns."""
    log = os.path.join(work, "placed.swf")
    made_log.main(log, 6_000, 4_360)
    names = ("first-fit", "random", "fewest-switches")
    times = {name: [] for name in names}
    for _ in range(5):
        for name in names:
            policy = f"order=fcfs,backfill=easy,placement={name}"
            times[name].append(seconds(replay(log, "--policy", policy))[0])
    first = statistics.median(times["first-fit"])
    print(f"6,000 jobs on 4,360 equal processors: first-fit {first * 1000:.0f} ms (medians of 5)")
    ok = True
    for name in names[1:]:
        ratio = statistics.median(times[name]) / first
        ok &= ratio <= limit
        print(f"  {name:<24} {ratio:8.1f} x first-fit   at most {limit}: {verdict(ratio <= limit)}")
    return ok


def shared_nodes(work, million, limit=600_000):
    """Cores, memory and parts of cards on individual nodes."""
    ok = True
    gaia, pods = os.path.join(work, "gaia.swf"), os.path.join(work, "pods.csv")
    repeat.repeat_swf(
        os.path.join(TRACES, "UniLu-Gaia-2014-1.swf.gz"), million // 50_000, gaia)
    repeat.repeat_pods(
        os.path.join(TRACES, "alibaba-gpu-v2023-pods.csv.gz"), million // 7_255 + 1, pods)
    nodes = os.path.join(TRACES, "alibaba-gpu-v2023-nodes.csv")
    for name, log, shape in (
        ("UniLu-Gaia, 151 nodes", gaia, "103x12,48x16"),
        ("Alibaba pods, 1,213 nodes", pods, nodes),
    ):
        for policy in ("easy", "order=fcfs,backfill=easy,placement=best-fit"):
            took, out = median(replay(log, "--nodes", shape, "--policy", policy), 3)
            count = jobs_run(out)
            ok &= count / took >= limit
            print(f"{name:<26} {policy.rpartition('=')[2]:<9} {count / took / 1e6:6.2f} M jobs/s"
                  f"   ({count:,} jobs in {took:.2f} s)"
                  f"   at least {limit / 1e6:.1f}: {verdict(count / took >= limit)}")
    return ok


def main(work, loop, *options):
    quick = "--quick" in options
    ok, log, count = sustained(work, 36 if quick else 351, 3, 2e6)
    ok &= reading(log, count, loop)
    os.unlink(log)
    ok &= planned(work)
    ok &= deep_queues(work, 45_000 if quick else 450_000)
    ok &= placements(work)
    ok &= shared_nodes(work, 200_000 if quick else 1_000_000)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

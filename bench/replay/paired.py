"""Processor time of two builds on the same logs, in turns, and whether they decide alike.

    paired.py OLD NEW WORK_FOLDER ROUNDS      (WORK_FOLDER holds kth.swf, long.swf and made.swf)
"""

import json
import os
import statistics
import sys
import tempfile

ROWS = [
    ("reading alone", "long.swf", ["--dry-run"]),
    ("easy", "long.swf", ["--policy", "easy"]),
    ("fcfs", "long.swf", ["--policy", "fcfs"]),
    ("conservative", "kth.swf", ["--policy", "conservative"]),
    ("compress", "kth.swf", ["--policy", "conservative-compress"]),
    ("easy, deep queue", "made.swf", ["--policy", "easy"]),
    ("wfp3, deep queue", "made.swf", ["--policy", "wfp3"]),
    ("shared nodes", "kth.swf", ["--policy", "easy", "--nodes", "10x10"]),
]


def run(program, options):
    """Seconds of processors of one process, and the digests of what it decided."""
    with tempfile.TemporaryFile() as file:
        pid = os.posix_spawn(program, [program, "replay", *options, "--json"], os.environ,
                             file_actions=[(os.POSIX_SPAWN_DUP2, file.fileno(), 1)])
        _, status, usage = os.wait4(pid, 0)
        if status:
            sys.exit(f"paired.py: {program} replay {' '.join(options)} failed")
        file.seek(0)
        report = json.load(file)
    digests = [policy["digest"] for policy in report.get("policies", [])]
    return usage.ru_utime + usage.ru_stime, digests


def main(old, new, work, rounds):
    print(f"{'':<20}{'old s':>9}{'new s':>9}{'new/old':>9}   quartiles of the pairs, {rounds} rounds")
    for name, log, options in ROWS:
        ratios, seconds, decided = [], ([], []), (set(), set())
        for turn in range(int(rounds)):
            took = [0.0, 0.0]
            # The one that goes first changes from round to round.
            for side in (0, 1) if turn % 2 == 0 else (1, 0):
                took[side], digests = run((old, new)[side], [os.path.join(work, log), *options])
                seconds[side].append(took[side])
                decided[side].update(digests)
            ratios.append(took[1] / took[0])
        low, middle, high = statistics.quantiles(ratios, n=4)
        note = "" if decided[0] == decided[1] else "   decides DIFFERENTLY"
        print(f"{name:<20}{statistics.median(seconds[0]):>9.3f}{statistics.median(seconds[1]):>9.3f}"
              f"{middle:>9.3f}   {low:.3f}-{high:.3f}{note}")


if __name__ == "__main__":
    main(*sys.argv[1:])

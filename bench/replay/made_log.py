"""Make a log with thousands of jobs waiting, like RICC's: a big cluster, many small jobs, bursts.

    made_log.py OUT.swf [JOBS [PROCESSORS [SEED]]]      (450,000 jobs, 8,192 processors, seed 1)

Users come in bursts of equal jobs, from one to some thousands within minutes; two jobs of three want a single
processor. Run times are log-normal and scaled so that the machine is wanted to 93 % over the log: queues come from the
bursts, not from a machine that is too small. Python's generator is the same on every computer.
"""

import math
import random
import sys

LOAD = 0.93
SECONDS_A_JOB = 30
SIZES = [(66, 1, 1), (82, 2, 8), (92, 16, 64), (98, 128, 512), (100, 768, 2048)]
LIMITS = [3_600, 14_400, 43_200, 86_400, 259_200]


def powers(low, high):
    return [1 << bit for bit in range(12) if low <= 1 << bit <= high] or [low]


def burst(draw, processors):
    """The number of jobs of a burst, and what they all ask for."""
    count = min(4_000, int(1 / (1 - draw.random()) ** 0.9))
    share = draw.random() * 100
    low, high = next((low, high) for most, low, high in SIZES if share <= most)
    size = min(processors, draw.choice(powers(low, high)))
    return count if size <= 64 else min(count, 20), size, draw.choice(LIMITS)


def jobs(count, processors, seed):
    draw = random.Random(seed)
    span = count * SECONDS_A_JOB
    rows = []
    while len(rows) < count:
        number, size, limit = burst(draw, processors)
        start, user = draw.random() * span, draw.randrange(400)
        usual = limit * draw.uniform(0.02, 0.6)
        for place in range(number):
            run = min(limit, max(1.0, usual * math.exp(draw.gauss(0, 0.4))))
            rows.append((int(start + place * 0.5), run, size, limit, user))
    rows = sorted(rows[:count])
    work = sum(run * size for _, run, size, _, _ in rows)
    scale = LOAD * processors * span / work
    for submitted, run, size, limit, user in rows:
        run = max(1, round(run * scale))
        yield submitted, run, size, max(round(limit * scale), run), user


def main(target, count="450000", processors="8192", seed="1"):
    with open(target, "w", encoding="ascii") as file:
        file.write(f"; MaxProcs: {processors}\n; UnixStartTime: 1272639600\n"
                   f"; Note: made by made_log.py, seed {seed}\n")
        for number, row in enumerate(jobs(int(count), int(processors), int(seed)), 1):
            submitted, run, size, limit, user = row
            file.write(f"{number} {submitted} -1 {run} {size} -1 -1 {size} {limit} -1 1 {user} 1"
                       " -1 1 -1 -1 -1\n")
    return int(count)


if __name__ == "__main__":
    main(*sys.argv[1:])

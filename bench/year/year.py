#!/usr/bin/env python3
"""Writes a seeded year of jobs in SWF: 20,000 a day, six classes, three daily peaks.

    year.py [--jobs-a-day N] [--days D] [--users U] [--seed S] [--out FILE]

Classes, sizes and run times are assumptions about a centre of Tianhe's kind; only "more than
20,000 tasks a day" and "three peaks a day" are published. A processor is a core, or a card for
users whose tenants line says so.
"""

import argparse
import bisect
import math
import random
import sys

START = 1767196800  # 2026-01-01 00:00 in Asia/Shanghai
# share, sizes in cores (12 a node), median run time in s, sigma of its logarithm
CLASSES = [
    (0.692, [3], 300, 1.5),
    (0.200, [12, 24, 48, 96, 192], 2400, 1.3),
    (0.030, [384, 768, 1536, 3072], 7200, 0.8),
    (0.001, [12288], 3600, 0.8),
    (0.075, [1, 1, 1, 8, 16], 122, 2.2),
    (0.002, [8, 16, 32, 64], 7200, 1.0),
]
LIMITS = [1200, 3600, 7200, 14400, 28800, 43200, 86400, 172800]


def hours():
    """The share of each hour: peaks at 10, 15 and 21 h on a floor."""
    weights = [
        0.4 + sum(math.exp(-((h - peak) ** 2) / 4.0) for peak in (10, 15, 21)) for h in range(24)
    ]
    total = sum(weights)
    sums, running = [], 0.0
    for weight in weights:
        running += weight / total
        sums.append(running)
    return sums


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs-a-day", type=int, default=20000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--users", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default="-")
    options = parser.parse_args()
    random_ = random.Random(options.seed)
    out = sys.stdout if options.out == "-" else open(options.out, "w", encoding="ascii")
    out.write(f"; Version: 2.2\n; Computer: generated\n; UnixStartTime: {START}\n")
    out.write("; MaxProcs: 159744\n")
    out.write(f"; Note: bench/year/year.py --seed {options.seed}\n")
    ranks = [1 / rank ** 1.1 for rank in range(1, options.users + 1)]
    users = []
    running = 0.0
    for weight in ranks:
        running += weight
        users.append(running)
    classes, running = [], 0.0
    for share, *_ in CLASSES:
        running += share
        classes.append(running)
    by_hour = hours()
    number = 0
    for day in range(options.days):
        # The year begins on a Thursday; weekends see 0.6 of a working day (assumed).
        is_weekend = (day + 3) % 7 >= 5
        factor = (0.6 if is_weekend else 1.16)
        count = round(options.jobs_a_day * factor)
        times = sorted(
            bisect.bisect(by_hour, random_.random() * by_hour[-1]) * 3600
            + int(random_.random() * 3600)
            for _ in range(count)
        )
        lines = []
        for second in times:
            number += 1
            kind = min(bisect.bisect(classes, random_.random()), len(CLASSES) - 1)
            _, sizes, median, sigma = CLASSES[kind]
            size = sizes[int(random_.random() * len(sizes))]
            run = min(max(1, int(median * math.exp(random_.gauss(0, sigma)))), 172800)
            limit = LIMITS[min(bisect.bisect_left(LIMITS, run), len(LIMITS) - 1)]
            user = bisect.bisect(users, random_.random() * users[-1]) + 1
            lines.append(
                f"{number} {day * 86400 + min(second, 86399)} 0 {run} {size} -1 -1 {size} {limit}"
                f" -1 1 {min(user, options.users)} 1 {kind + 1} 1 1 -1 -1\n"
            )
        out.write("".join(lines))
    if out is not sys.stdout:
        out.close()


if __name__ == "__main__":
    main()

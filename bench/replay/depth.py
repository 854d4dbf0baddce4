"""Fit and plot how the time of a decision grows with the number of waiting jobs.

    depth.py PROGRAM PLOT.svg      (PROGRAM is xinghe-depth, see bench/replay/depth)
"""

import json
import math
import statistics
import subprocess
import sys

LIMIT_EXPONENT = 0.2
POLICIES = ("fcfs", "easy")
DEPTHS = (1_000, 10_000, 100_000, 1_000_000)
DECISIONS, RUNS, SEED = 200_000, 5, 1


def nanoseconds(program, policy, depth):
    """Of one decision; one process, one answer."""
    line = subprocess.run(
        [program, policy, str(depth), str(DECISIONS), str(SEED)],
        check=True, capture_output=True, text=True).stdout
    answer = json.loads(line)
    # In the closed loop only what the last pass started is missing from the queue.
    assert answer["waiting_after"] > 0.9 * depth, answer
    return answer["nanoseconds"] / answer["decisions"], answer["digest"]


def measure(program):
    """Medians and ranges by policy and depth; runs interleaved, so that all meet the same
    neighbours on the machine."""
    times, digests = {}, {}
    for _ in range(RUNS):
        for policy in POLICIES:
            for depth in DEPTHS:
                time, digest = nanoseconds(program, policy, depth)
                times.setdefault((policy, depth), []).append(time)
                digests.setdefault((policy, depth), set()).add(digest)
    assert all(len(found) == 1 for found in digests.values()), "runs decided differently"
    return times


def exponent(depths, times):
    """The slope of a straight line through the logarithms: time ~ depth ** slope."""
    xs, ys = [math.log(depth) for depth in depths], [math.log(time) for time in times]
    x, y = statistics.fmean(xs), statistics.fmean(ys)
    return (sum((a - x) * (b - y) for a, b in zip(xs, ys))
            / sum((a - x) ** 2 for a in xs))


# --- The plot

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 420, 70, 150, 54, 56
# Okabe and Ito's colours, and marks that differ without colour.
STYLES = {"fcfs": ("#0072B2", "circle"), "easy": ("#D55E00", "square")}


def ticks(low, high):
    """1, 2, 5 times powers of ten, from low to high."""
    found = []
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        found += [m * 10 ** power for m in (1, 2, 5) if low <= m * 10 ** power <= high]
    return found


def plot(times, slopes, path):
    medians = {key: statistics.median(values) for key, values in times.items()}
    low = 0.5 * min(min(values) for values in times.values())
    high = 2 * max(max(values) for values in times.values())

    def x(depth):
        span = math.log10(DEPTHS[-1] / DEPTHS[0])
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log10(depth / DEPTHS[0]) / span

    def y(time):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log(time / low) / math.log(high / low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="13" fill="#222">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="16" font-weight="bold">'
        "Time of a decision by length of the queue</text>",
        f'<text x="{LEFT}" y="40" fill="#555">1,000 nodes, closed loop, median of {RUNS} runs of '
        f"{DECISIONS:,} decisions; bars: all runs</text>",
    ]
    for depth in DEPTHS:
        parts.append(f'<line x1="{x(depth):.1f}" x2="{x(depth):.1f}" y1="{TOP}" '
                     f'y2="{HEIGHT - BOTTOM}" stroke="#eee"/>')
        parts.append(f'<text x="{x(depth):.1f}" y="{HEIGHT - BOTTOM + 20}" '
                     f'text-anchor="middle">{depth:,}</text>')
    for time in ticks(low, high):
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(time):.1f}" '
                     f'y2="{y(time):.1f}" stroke="#eee"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(time) + 4:.1f}" '
                     f'text-anchor="end">{time / 1000:g}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" '
                 'text-anchor="middle">jobs waiting</text>')
    parts.append(f'<text transform="translate(20 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" '
                 'text-anchor="middle">time of a decision (µs)</text>')
    for policy in POLICIES:
        colour, mark = STYLES[policy]
        points = [(x(depth), y(medians[policy, depth])) for depth in DEPTHS]
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
                     + " ".join(f"{a:.1f},{b:.1f}" for a, b in points) + '"/>')
        for depth, (a, b) in zip(DEPTHS, points):
            runs = times[policy, depth]
            parts.append(f'<line x1="{a:.1f}" x2="{a:.1f}" y1="{y(min(runs)):.1f}" '
                         f'y2="{y(max(runs)):.1f}" stroke="{colour}"/>')
            parts.append(
                f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4.5" fill="{colour}"/>'
                if mark == "circle" else
                f'<rect x="{a - 4:.1f}" y="{b - 4:.1f}" width="8" height="8" fill="{colour}"/>')
        a, b = points[-1]
        parts.append(f'<text x="{a + 12:.1f}" y="{b + 4:.1f}" fill="{colour}">{policy.upper()}, '
                     f"n^{slopes[policy]:.2f}</text>")
    parts.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts) + "\n")


def main(program, path):
    times = measure(program)
    print("time of a decision by jobs waiting (1,000 nodes, closed loop, "
          f"{DECISIONS:,} decisions, seed {SEED}, median of {RUNS})")
    print(f"  {'waiting':>10}" + "".join(f"{policy:>26}" for policy in POLICIES))
    for depth in DEPTHS:
        cells = ""
        for policy in POLICIES:
            runs = times[policy, depth]
            text = (f"{statistics.median(runs) / 1000:.3f} µs "
                    f"({min(runs) / 1000:.3f}-{max(runs) / 1000:.3f})")
            cells += f"{text:>26}"
        print(f"  {depth:>10,}{cells}")
    slopes, missed = {}, False
    for policy in POLICIES:
        slopes[policy] = exponent(
            DEPTHS, [statistics.median(times[policy, depth]) for depth in DEPTHS])
        is_met = slopes[policy] <= LIMIT_EXPONENT
        missed |= not is_met
        print(f"  {policy}: grows as n^{slopes[policy]:.3f}   at most {LIMIT_EXPONENT}: "
              f"{'met' if is_met else 'MISSED'}")
    plot(times, slopes, path)
    print(f"  plot: {path}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

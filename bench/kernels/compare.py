"""Runs each kernel and its peer in C alternately on the same cores and prints the ratios.

usage: compare.py KERNEL_PROGRAM PEER_FOLDER [--quick] [KERNEL...]

A ratio above 1 means that Xinghe is faster. Pairs are interleaved and the median of their ratios is
taken, so that a machine that slows down for a while slows both. Both of a pair repeat as often, and
both or neither leave out a first run to warm up. Exit status 1: a ratio is below its limit.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

PROGRAM, PEERS = sys.argv[1], sys.argv[2]
QUICK = "--quick" in sys.argv
PAIRS = 3 if QUICK else 7
BELOW = []


def output(command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} failed ({result.returncode}):\n{result.stderr}")
    return result.stdout


def kernel(*arguments, ranks=1):
    """The line of JSON of one run; never of a run that was not verified (its exit code says so)."""
    command = [PROGRAM, *map(str, arguments)]
    return json.loads(output(command if ranks == 1 else ["mpirun", "-np", str(ranks), *command]))


def peer(name, *arguments, ranks=1):
    command = [f"{PEERS}/{name}", *map(str, arguments)]
    command = ["taskset", "-c", "0", *command] if ranks == 1 else \
        ["mpirun", "-np", str(ranks), *command]
    return [[float(word) for word in line.split()] for line in output(command).splitlines()]


def report(what, unit, ours, theirs, target, ratios=None):
    ratio = statistics.median(ratios or [a / b for a, b in zip(ours, theirs)])
    mark = "ok" if ratio >= target else "BELOW"
    if ratio < target:
        BELOW.append(f"{what}: {ratio:.3f}")
    print(f"{what:34} {statistics.median(ours):10.4g} {statistics.median(theirs):10.4g} {unit:8}"
          f" {ratio:7.3f} >= {target:<5} {mark}", flush=True)


def stream():
    names = ["copy", "scale", "add", "triad"]
    size, pairs = 20_000_000, []
    for _ in range(PAIRS):
        ours = kernel("stream", "--size", size, "--repeat", 5)["details"]
        pairs.append(([ours[f"{n}_byte_per_s"] / 1e9 for n in names],
                      [rate / 1e9 for rate in peer("stream", size, 5)[0]]))
    for index, name in enumerate(names):
        report(f"stream {name}, 1 rank, 3 x 160 MB", "GB/s",
               [o[index] for o, _ in pairs], [t[index] for _, t in pairs], 0.95)


def gemm():
    size = 1536 if QUICK else 3072
    ours, theirs = [], []
    for _ in range(PAIRS):
        line = kernel("gemm", "--size", size, "--repeat", 2)
        ours.append(line["best_flop_per_s"] / 1e9)
        theirs.append(peer("dgemm", size, 2)[0][0] / 1e9)
    report(f"gemm {size}, 1 rank", "Gflop/s", ours, theirs, 0.98)


def triad_rate():
    """GB/s of the triad in C, now: what a kernel that runs now could have had."""
    return peer("stream", 20_000_000, 2)[0][3] / 1e9


def cg():
    size = 64 if QUICK else 104
    ours, theirs, fractions = [], [], []
    for _ in range(PAIRS):
        triad = triad_rate()
        line = kernel("cg", "--size", size)
        seconds, iterations, _, error = peer("cg", size)[0]
        if error > 1e-5 or abs(iterations - line["details"]["iterations"]) > 2:
            sys.exit(f"the two solvers disagree: {iterations} iterations, error {error}")
        ours.append(line["details"]["iterations"] / line["best_seconds"])
        theirs.append(iterations / seconds)
        fractions.append(line["best_byte_per_s"] / 1e9 / triad)
    report(f"cg {size}^3, 1 rank, iterations", "1/s", ours, theirs, 1.1)
    print(f"  cg moves {statistics.median(fractions):.2f} of the triad's bandwidth, its roofline"
          " (12 byte a nonzero touched)", flush=True)


def comm():
    size, runs = 1_048_576, []
    for _ in range(PAIRS):
        line = kernel("comm", "--size", size, "--repeat", 5, ranks=2)["details"]
        ours = dict(zip(line["message_bytes"], line["ping_pong_s"]))
        runs.append((ours, {int(b): s for b, s in peer("pingpong", size, 5, ranks=2)}))
    for size in sorted(runs[0][0]):
        ours = [1e6 * o[size] for o, _ in runs]
        theirs = [1e6 * t[size] for _, t in runs]
        report(f"comm ping-pong {size} byte, 2 ranks", "us", ours, theirs, 0.9,
               [t / o for o, t in zip(ours, theirs)])


def hpcc(order, block, columns, repeats):
    """Best flop/s of the HPL of Debian's hpcc after a run to warm up, as our kernel has one; in the
    ordinary configuration of its example file."""
    with open("/usr/share/doc/hpcc/examples/_hpccinf.txt") as file:
        lines = file.read().splitlines()
    for index, text in ((4, f"{1 + repeats} # of problem sizes"),
                        (5, f"{order} " * (1 + repeats) + "Ns"), (7, f"{block} NBs"), (10, "1 Ps"),
                        (11, f"{columns} Qs")):
        lines[index] = text
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/hpccinf.txt", "w") as file:
            file.write("\n".join(lines) + "\n")
        subprocess.run(["mpirun", "-np", str(columns), "hpcc"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(f"{folder}/hpccoutf.txt") as file:
            runs = re.findall(r"^W[RC]\S+ +\d+ +\d+ +\d+ +\d+ +\S+ +(\S+)$", file.read(), re.M)
    assert len(runs) == 1 + repeats, f"hpcc has no {1 + repeats} runs of HPL: {runs}"
    return 1e9 * max(map(float, runs[1:]))


def lu():
    if not shutil.which("hpcc"):
        print("lu: hpcc is not installed (apt-get install hpcc)", flush=True)
        return
    for order, ranks in ((2000, 1), (2000, 2)) if QUICK else ((4000, 1), (4000, 2)):
        ours, theirs = [], []
        for _ in range(2 if QUICK else 3):
            line = kernel("lu", "--size", f"{order}x128", "--repeat", 2, ranks=ranks)
            ours.append(line["best_flop_per_s"] / 1e9)
            theirs.append(hpcc(order, 128, ranks, 2) / 1e9)
        report(f"lu {order}, NB 128, {ranks} ranks (HPL)", "Gflop/s", ours, theirs, 0.85)
    best = max((kernel("lu", "--size", f"{order}x128", ranks=2)["best_flop_per_s"] / 1e9, order)
               for order in ((1000, 2000, 3000) if QUICK else (2000, 4000, 6000, 8000)))
    print(f"  lu is fastest of the orders tried at {best[1]}: {best[0]:.4g} Gflop/s, 2 ranks",
          flush=True)


def fft():
    size = 128 if QUICK else 192
    for ranks in (1, 2):
        ours, theirs = [], []
        for _ in range(3 if QUICK else 5):
            line = kernel("fft", "--size", size, "--repeat", 5, ranks=ranks)
            ours.append(line["best_flop_per_s"] / 1e9)
            theirs.append(peer("fft", size, 5, ranks=ranks)[0][0] / 1e9)
        report(f"fft {size}^3, {ranks} ranks (FFTW-MPI)", "Gflop/s", ours, theirs, 0.9)


def stencil():
    size = 192 if QUICK else 256
    ours, theirs = [], []
    for _ in range(PAIRS):
        theirs.append(triad_rate())
        ours.append(kernel("stencil", "--size", size, "--repeat", 2)["best_byte_per_s"] / 1e9)
    report(f"stencil {size}^3, 1 rank (roofline)", "GB/s", ours, theirs, 0.7)


def main():
    names = [name for name in sys.argv[3:] if not name.startswith("-")]
    print(f"{'kernel':34} {'xinghe':>10} {'peer':>10} {'':8} {'ratio':>7}    target")
    benchmarks = {"stream": stream, "gemm": gemm, "lu": lu, "fft": fft, "cg": cg, "comm": comm,
                  "stencil": stencil}
    unknown = [name for name in names if name not in benchmarks]
    if unknown:
        sys.exit(f"no benchmark is called {unknown[0]}; there are {', '.join(benchmarks)}")
    before = os.getloadavg()[0]
    for name, benchmark in benchmarks.items():
        if not names or name in names:
            benchmark()
    print(f"load average {before:.2f} before, {os.getloadavg()[0]:.2f} after (this run included)")
    if BELOW:
        print("below the limit: " + "; ".join(BELOW))
        sys.exit(1)
    print("all ratios are at their limits or above")


main()

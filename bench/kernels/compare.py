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
BELOW, MISSED = [], []


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


def missed(what, why):
    MISSED.append(what)
    print(f"{what}: MISSED, {why}", flush=True)


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
    """What Debian's hpcc prints, in the ordinary configuration of its example file: its summary, and the
    flop/s of its runs of HPL after one to warm up, as our kernel has one."""
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
            text = file.read()
    runs = re.findall(r"^W[RC]\S+ +\d+ +\d+ +\d+ +\d+ +\S+ +(\S+)$", text, re.M)
    assert len(runs) == 1 + repeats, f"hpcc has no {1 + repeats} runs of HPL: {runs}"
    summary = {name: float(value) for name, value in re.findall(r"^(\w+)=(\S+)$", text, re.M)
               if re.fullmatch(r"[-+.\deE]+", value)}
    return 1e9 * max(map(float, runs[1:])), summary


def lu():
    """HPL, and what else hpcc measures on two ranks: STREAM on one of them, FFT, messages."""
    if not shutil.which("hpcc"):
        return missed("lu", "hpcc is not installed (apt-get install hpcc)")
    summaries = []
    for order, ranks in ((2000, 1), (2000, 2)) if QUICK else ((4000, 1), (4000, 2)):
        ours, theirs = [], []
        for _ in range(2 if QUICK else 3):
            line = kernel("lu", "--size", f"{order}x128", "--repeat", 2, ranks=ranks)
            ours.append(line["best_flop_per_s"] / 1e9)
            rate, summary = hpcc(order, 128, ranks, 2)
            theirs.append(rate / 1e9)
            if ranks == 2:
                summaries.append(summary)
        report(f"lu {order}, NB 128, {ranks} ranks (HPL)", "Gflop/s", ours, theirs, 0.85)
    hpcc_rows(summaries)
    best = max((kernel("lu", "--size", f"{order}x128", ranks=2)["best_flop_per_s"] / 1e9, order)
               for order in ((1000, 2000, 3000) if QUICK else (2000, 4000, 6000, 8000)))
    print(f"  lu is fastest of the orders tried at {best[1]}: {best[0]:.4g} Gflop/s, 2 ranks",
          flush=True)


def hpcc_rows(summaries):
    """The rows of hpcc beside HPL, at the sizes that it took; its FFT has one axis, ours as many points."""
    elements = int(summaries[0]["STREAM_VectorSize"])
    lines = [kernel("stream", "--size", elements, "--repeat", 5)["details"] for _ in summaries]
    for name in ("Copy", "Scale", "Add", "Triad"):
        report(f"stream {name.lower()}, 1 rank (hpcc)", "GB/s",
               [line[f"{name.lower()}_byte_per_s"] / 1e9 for line in lines],
               [s[f"SingleSTREAM_{name}"] for s in summaries], 0.95)
    points = int(summaries[0]["MPIFFT_N"]).bit_length() - 1
    axes = [points // 3 + (axis < points % 3) for axis in range(3)]
    size = "x".join(str(1 << axis) for axis in axes)
    lines = [kernel("fft", "--size", size, "--repeat", 3, ranks=2) for _ in summaries]
    report(f"fft 2^{points} points, 2 ranks (hpcc)", "Gflop/s",
           [line["best_flop_per_s"] / 1e9 for line in lines],
           [s["MPIFFT_Gflops"] for s in summaries], 1.0)
    lines = [kernel("comm", "--size", 2_000_000, "--repeat", 5, ranks=2)["details"]
             for _ in summaries]
    for size, theirs in ((8, [s["AvgPingPongLatency_usec"] for s in summaries]),
                         (2_000_000, [2e-3 / s["AvgPingPongBandwidth_GBytes"] * 1e6
                                      for s in summaries])):
        ours = [1e6 * line["ping_pong_s"][line["message_bytes"].index(size)] for line in lines]
        report(f"comm ping-pong {size} byte (hpcc)", "us", ours, theirs, 0.95,
               [t / o for o, t in zip(ours, theirs)])


def hpcg():
    size, pairs = (32, 3) if QUICK else (64, 3)
    ours, theirs = [], []
    for _ in range(pairs):
        line = kernel("hpcg", "--size", size)
        seconds, flop, residual = peer("hpcg", size, 2)[0]
        differs = residual > 1e-13 and abs(line["details"]["scaled_residual"] / residual - 1) > 0.01
        if differs or abs(flop / line["flop"] - 1) > 1e-9:
            sys.exit(f"the two HPCG disagree: {flop} flop, residual {residual}: {line}")
        ours.append(line["best_flop_per_s"] / 1e9)
        theirs.append(flop / seconds / 1e9)
    report(f"hpcg {size}^3, 1 rank (C)", "Gflop/s", ours, theirs, 1.0)


def graph():
    scale, searches = (16, 8) if QUICK else (20, 16)
    ours, theirs, doubled = [], [], []
    for _ in range(3):
        lines = [kernel("graph", "--size", scale, "--repeat", searches, ranks=r) for r in (1, 2)]
        ours.append(lines[0]["flop_per_s"] / 1e6)
        doubled.append(lines[1]["flop_per_s"] / 1e6)
        runs = [r for r in peer("graph", scale, 16, searches) if r[0] > 1 << scale]
        theirs.append(sum(r[0] for r in runs) / sum(r[1] for r in runs) / 1e6)
    report(f"graph {scale}, 1 rank (C)", "Medge/s", ours, theirs, 1.0)
    report(f"graph {scale}, 2 ranks beside 1", "Medge/s", doubled, ours, 1.5)


MELT = """units lj
atom_style atomic
lattice fcc 0.8442
region box block 0 {0} 0 {0} 0 {0}
create_box 1 box
create_atoms 1 box
mass 1 1.0
velocity all create 1.44 87287 loop geom
pair_style lj/cut 2.5
pair_coeff 1 1 1.0 1.0 2.5
neighbor 0.3 bin
neigh_modify delay 0 every 20 check no
fix 1 all nve
timestep 0.002
run 20
run 20
run 20
"""


def md():
    """LAMMPS as Debian builds it, with its package OPT."""
    if not shutil.which("lmp"):
        return missed("md", "lammps is not installed (apt-get install lammps)")
    size = 16 if QUICK else 32
    ours, theirs = [], []
    with tempfile.NamedTemporaryFile("w", suffix=".in") as file:
        file.write(MELT.format(size))
        file.flush()
        for _ in range(3):
            line = kernel("md", "--size", size, "--repeat", 2)
            ours.append(4 * size ** 3 * 20 / line["best_seconds"] / 1e6)
            text = output(["taskset", "-c", "0", "lmp", "-sf", "opt", "-in", file.name, "-log",
                           "none"])
            seconds = [float(t) for t in re.findall(r"Loop time of (\S+)", text)]
            theirs.append(4 * size ** 3 * 20 / min(seconds[1:]) / 1e6)
    report(f"md {size}^3 cells, 1 rank (LAMMPS)", "Mstep/s", ours, theirs, 1.0)


def python_peer(what, module, script, *arguments):
    """What a peer in Python prints, or None where its module is not there."""
    python = os.environ.get("XINGHE_BENCH_PYTHON", sys.executable)
    if subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode != 0:
        missed(what, f"{module} is not installed (pip install {module}; XINGHE_BENCH_PYTHON)")
        return None
    here = os.path.dirname(os.path.abspath(__file__))
    return output(["taskset", "-c", "0", python, f"{here}/{script}", *map(str, arguments)]).split()


def align():
    shape = (512, 500, 400) if QUICK else (512, 4000, 400)
    ours, theirs = [], []
    for _ in range(3):
        words = python_peer("align", "parasail", "parasail_search.py", *shape, 2)
        if words is None:
            return
        line = kernel("align", "--size", "x".join(map(str, shape)), "--repeat", 2)
        ours.append(line["best_flop_per_s"] / 10e9)
        theirs.append(shape[0] * shape[1] * shape[2] / float(words[0]) / 1e9)
    report(f"align, 1 rank (parasail {words[1]})", "Gcell/s", ours, theirs, 1.0)


def infer():
    shape = (8, 128, 256) if QUICK else (16, 256, 512)
    ours, theirs = [], []
    for _ in range(3):
        words = python_peer("infer", "jax", "jax_block.py", *shape, 5)
        if words is None:
            return
        line = kernel("infer", "--size", "x".join(map(str, shape)), "--repeat", 5)
        ours.append(line["best_flop_per_s"] / 1e9)
        theirs.append(line["flop"] / line["repeats"] / float(words[0]) / 1e9)
    report("infer, 1 rank (JAX)", "Gflop/s", ours, theirs, 1.0)


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
                  "stencil": stencil, "hpcg": hpcg, "graph": graph, "md": md, "align": align,
                  "infer": infer}
    unknown = [name for name in names if name not in benchmarks]
    if unknown:
        sys.exit(f"no benchmark is called {unknown[0]}; there are {', '.join(benchmarks)}")
    # The best core of OpenBLAS for both sides: one of two programs alone may correct itself.
    core = kernel("gemm", "--size", 64)["on"]["blas_core"]
    os.environ.setdefault("OPENBLAS_CORETYPE", core)
    print(f"OpenBLAS's core for all: {os.environ['OPENBLAS_CORETYPE']}", flush=True)
    before = os.getloadavg()[0]
    for name, benchmark in benchmarks.items():
        if not names or name in names:
            benchmark()
    print(f"load average {before:.2f} before, {os.getloadavg()[0]:.2f} after (this run included)")
    if MISSED:
        print("missed: " + ", ".join(MISSED))
    if BELOW:
        print("below the limit: " + "; ".join(BELOW))
        sys.exit(1)
    print("all ratios that were taken are at their limits or above")


main()

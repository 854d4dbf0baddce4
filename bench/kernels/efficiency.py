"""Which part of its roofline each kernel reaches: one rank, sizes past the caches where memory counts.

usage: efficiency.py KERNEL_PROGRAM

For a machine that others use too: the limits and the kernels take turns for three rounds of a second
each, and the best repetition of each counts. `xinghe calibrate` measures a quiet machine with all its
cores. The reference that predictions use without a profile (`KernelEfficiencies.reference`) was
printed by this.
"""

import json
import os
import subprocess
import sys

SIZES = {"gemm": "768", "stream": "8000000", "align": "512x200x400", "cg": "48", "fft": "128",
         "graph": "16", "hpcg": "64", "infer": "2x128x512", "md": "10", "shallow": "1024", "stencil": "128",
         "train": "2x128x512"}


def rates(program, kernel):
    """Best flop/s and byte/s of a second's repetitions; of stream's byte/s the triad's."""
    command = [program, kernel, "--size", SIZES[kernel], "--seconds", "1"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} failed ({result.returncode}):\n{result.stderr}")
    line = json.loads(result.stdout)
    byte = line["details"]["triad_byte_per_s"] if kernel == "stream" else line["best_byte_per_s"]
    return line["best_flop_per_s"], byte


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    load = os.getloadavg()[0]
    best = {kernel: (0, 0) for kernel in SIZES}
    for _ in range(3):
        for kernel in SIZES:
            best[kernel] = tuple(map(max, best[kernel], rates(sys.argv[1], kernel)))
    gemm, triad = best["gemm"][0], best["stream"][1]
    print(f"load {load:.1f}, gemm {gemm / 1e9:.1f} Gflop/s, triad {triad / 1e9:.1f} GB/s")
    for kernel, (flop, byte) in best.items():
        precision = 2 if kernel in ("infer", "train") else 1
        share = max(flop / precision / gemm, byte / triad)
        print(f"{kernel:8} {flop / 1e9:8.2f} Gflop/s {byte / 1e9:8.2f} GB/s {share:6.2f}")


main()

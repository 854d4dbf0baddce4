#!/bin/bash
# 24 frames of a product film, one an array element, at most four at a time.
#SBATCH --job-name=film
#SBATCH --account=bohai-motor
#SBATCH --partition=TH_NET
#SBATCH --array=1-24%4
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=12
#SBATCH --time=01:30:00
#SBATCH --output=film-%A_%a.out
#SBATCH --comment=runtime=3300

set -euo pipefail
export FRAME=$((1000 + SLURM_ARRAY_TASK_ID))
frame=$FRAME
# On this machine: a small frame, traced for real, each task a band of its lines (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    yhrun -N 1 -n "$SLURM_NTASKS" -p host python3 -c '
import math, os
frame, rank, ranks = int(os.environ["FRAME"]), int(os.environ["SLURM_PROCID"]), int(os.environ["SLURM_NTASKS"])
size, light = 96, (math.sin(frame / 4), 1.0, -1.0)
norm = math.sqrt(sum(c * c for c in light))
lines = []
for y in range(rank * size // ranks, (rank + 1) * size // ranks):
    for x in range(size):
        u, v = 2 * x / size - 1, 1 - 2 * y / size
        inside = 0.64 - u * u - v * v  # a ball of radius 0.8
        normal = (u, v, -math.sqrt(inside)) if inside > 0 else None
        shade = sum(a * b for a, b in zip(normal, light)) / norm / 0.8 if normal else 0
        lines.append(str(int(40 + 215 * max(0, shade))))
open(f"frame-{frame}.band-{rank}", "w").write(" ".join(lines) + "\n")'
    { printf 'P2 96 96 255\n'; cat "frame-$frame".band-*; } > "frame-$frame.pgm"
    rm "frame-$frame".band-*
    exit
fi
blender --background film.blend --threads 12 --render-frame "$frame" --render-output //frames/####

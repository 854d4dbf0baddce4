#!/bin/bash
# 72 h forecast for North China, 3 km grid nested into 9 km; must be out before the morning briefing.
#SBATCH --job-name=wrf-nc-00z
#SBATCH --account=nku-lab
#SBATCH --partition=TH_NET
#SBATCH --nodes=64
#SBATCH --ntasks-per-node=12
#SBATCH --time=04:00:00
#SBATCH --output=wrf-%j.out
#SBATCH --comment=runtime=10740

set -euo pipefail
# On this machine: the same kind of computation, small and for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel shallow --size small
fi
cycle=$(date -u +%Y%m%d00)
./prepare-boundaries.sh "$cycle"
yhrun -n 48 real.exe
yhrun -N "$SLURM_NNODES" -n "$SLURM_NTASKS" -p "$SLURM_JOB_PARTITION" wrf.exe
./publish.sh "$cycle"

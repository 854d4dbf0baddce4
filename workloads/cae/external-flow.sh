#!/bin/bash
# Drag of a car in a wind tunnel, 85 million cells, steady: three ride heights, one after another.
#SBATCH --job-name=aero-heights
#SBATCH --account=bohai-motor
#SBATCH --partition=work
#SBATCH --nodes=64
#SBATCH --ntasks-per-node=32
#SBATCH --time=06:00:00
#SBATCH --output=aero-%j.out
#SBATCH --comment=runtime=15300

set -euo pipefail
# On this machine: the same kind of computation, small and for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel cg --size 48
fi
for height in 115 130 145; do
    cd "$SLURM_SUBMIT_DIR/height-$height"
    decomposePar -force
    yhrun -N "$SLURM_NNODES" -n "$SLURM_NTASKS" -p "$SLURM_JOB_PARTITION" simpleFoam -parallel
    yhrun -N "$SLURM_NNODES" -n "$SLURM_NTASKS" -p "$SLURM_JOB_PARTITION" foamPostProcess -func forceCoeffs -parallel -latestTime
done

#!/bin/bash
# Reverse-time migration of one line of the Bohai Bay survey: 512 shots, 25-point stencil in time.
# Two-way wave equation; each node takes shots from a list until none is left.
#SBATCH --job-name=rtm-line12
#SBATCH --account=nku-lab
#SBATCH --partition=test
#SBATCH --nodes=32
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=64
#SBATCH --time=12:00:00
#SBATCH --output=rtm-%j.out
#SBATCH --comment=runtime=30600

set -euo pipefail
# On this machine: the same kind of computation, small and for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel stencil --size small
fi
export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK OMP_PROC_BIND=spread OMP_PLACES=cores
yhrun rtm3d --velocity vp.rsf --shots shots/line12.lst --aperture 6000 --image image-line12.rsf

#!/bin/bash
# Memory bandwidth of this machine, for real: copy, scale, add and triad, verified.
#SBATCH --job-name=stream
#SBATCH --account=nku-lab
#SBATCH --partition=host
#SBATCH --ntasks=2
#SBATCH --time=00:05:00
#SBATCH --output=stream-%j.out

mpirun -np "$SLURM_NTASKS" xinghe-kernel stream --size small --seconds 1

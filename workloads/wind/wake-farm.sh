#!/bin/bash
# Wakes of an offshore wind farm in the Bohai: 56 turbines, large eddies, hybrid MPI and threads.
#SBATCH --job-name=wake-farm
#SBATCH --account=nku-lab
#SBATCH --partition=TH_NET
#SBATCH --nodes=40
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=6
#SBATCH --time=08:00:00
#SBATCH --output=wake-%j.out
#SBATCH --comment=runtime=25200

set -euo pipefail
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
# On this machine: the spectral step of such a solver, small and for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel fft --size small --threads "$OMP_NUM_THREADS"
fi
yhrun -N "$SLURM_NNODES" -n "$SLURM_NTASKS" -p "$SLURM_JOB_PARTITION" wakefarm --layout bohai-56.csv --hours 6

#!/bin/bash
# Lithium diffusion in a cathode: 1.2 million atoms, 20 ns at four temperatures, Green-Kubo after.
#SBATCH --job-name=nmc811-md
#SBATCH --account=nku-lab
#SBATCH --partition=work
#SBATCH --nodes=128
#SBATCH --ntasks-per-node=32
#SBATCH --time=10:00:00
#SBATCH --output=md-%j.out
#SBATCH --comment=runtime=28800

set -euo pipefail
# On this machine: the same kind of computation, small and for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel md --size small
fi
for kelvin in 300 400 500 600; do
    yhrun -N "$SLURM_NNODES" -n "$SLURM_NTASKS" -p "$SLURM_JOB_PARTITION" lmp -in diffusion.in -var T "$kelvin" -log "diffusion-$kelvin.log"
done
python3 green_kubo.py diffusion-*.log > conductivity.csv

#!/bin/bash
# A day of a container port: 4,000 agents (cranes, trucks, ships), 200 arrival scenarios.
# The limit is meant to be too short: a job that is ended by its limit is billed for what it held.
#SBATCH --job-name=port-twin
#SBATCH --account=bohai-motor
#SBATCH --partition=TH_NET
#SBATCH --nodes=10
#SBATCH --ntasks-per-node=12
#SBATCH --time=02:00:00
#SBATCH --output=port-%j.out
#SBATCH --comment=runtime=9000

set -euo pipefail
# On this machine: the same kind of computation, small and for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel graph --size small
fi
yhrun -N "$SLURM_NNODES" -n "$SLURM_NTASKS" -p "$SLURM_JOB_PARTITION" port-twin --berths 38 --scenarios scenarios/*.json --seed "$SLURM_JOB_ID" --out results/

#!/bin/bash
# Offset frontal crash, 64 km/h, 11 million elements, 140 ms of physical time, explicit solver.
#SBATCH --job-name=crash-odb64
#SBATCH --account=bohai-motor
#SBATCH --partition=TH_NET
#SBATCH --nodes=48
#SBATCH --ntasks-per-node=12
#SBATCH --time=14:00:00
#SBATCH --output=crash-%j.out
#SBATCH --comment=runtime=41400

set -euo pipefail
# On this machine: the same kind of computation, small and for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel cg --size small
fi
module load radioss
cd "$SLURM_SUBMIT_DIR/odb64"
starter -input body_0000.rad -nspmd "$SLURM_NTASKS"
yhrun -N "$SLURM_NNODES" -n "$SLURM_NTASKS" -p "$SLURM_JOB_PARTITION" engine -input body_0001.rad

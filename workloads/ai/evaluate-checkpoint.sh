#!/bin/bash
# Score one checkpoint on the held-out set: a single card, so it shares the node with others.
#SBATCH --job-name=fold-eval
#SBATCH --account=tedagene
#SBATCH --partition=ai
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=7
#SBATCH --gres=gpu:1
#SBATCH --time=02:00:00
#SBATCH --output=eval-%j.out
#SBATCH --comment=runtime=4500

set -euo pipefail
# On this machine: the same kind of computation, small and for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel infer --size small
fi
python3 evaluate.py --checkpoint checkpoints/latest --split held-out --report "eval-$SLURM_JOB_ID.json"

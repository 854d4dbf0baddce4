#!/bin/bash
# Answers for 200,000 documents by a model that is trained already: one card a task, shared nodes.
#SBATCH --job-name=infer-docs
#SBATCH --account=haihe-ai
#SBATCH --partition=ai
#SBATCH --array=0-7
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=7
#SBATCH --gres=gpu:1
#SBATCH --time=03:00:00
#SBATCH --output=infer-%A_%a.out
#SBATCH --comment=runtime=8100

set -euo pipefail
# On this machine: inference of a small transformer, for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel infer --size small
fi
yhrun -N 1 -n 1 -p "$SLURM_JOB_PARTITION" python3 answer.py --shard "$SLURM_ARRAY_TASK_ID/8" --out answers/

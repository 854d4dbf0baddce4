#!/bin/bash
# Scores agents that recommend Chinese herbal formulas on 12,000 case records. The script and the name
# of its job are in GBK, as older terminals in China write them: "evaluation of formulas" below.
#SBATCH --job-name=·½¼ÁÆÀ²â
#SBATCH --account=haihe-ai
#SBATCH --partition=ai
#SBATCH --ntasks=4
#SBATCH --cpus-per-task=7
#SBATCH --gres=gpu:4
#SBATCH --time=04:00:00
#SBATCH --output=tcm-%j.out
#SBATCH --comment=runtime=11700

set -euo pipefail
# On this machine: inference of a small transformer, for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel infer --size small
fi
yhrun -N 1 -n "$SLURM_NTASKS" -p "$SLURM_JOB_PARTITION" python3 evaluate_agents.py --cases cases.jsonl

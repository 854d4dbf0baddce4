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
python3 evaluate.py --checkpoint checkpoints/latest --split held-out --report "eval-$SLURM_JOB_ID.json"

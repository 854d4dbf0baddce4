#!/bin/bash
# Fine-tune a language model of 14 billion parameters on 32 cards. It writes a checkpoint each half
# hour; before its limit it saves, goes back to the queue under the same number, and resumes.
#SBATCH --job-name=llm-sft
#SBATCH --account=haihe-ai
#SBATCH --partition=ai
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=7
#SBATCH --gres=gpu:8
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@600
#SBATCH --output=sft-%j.out
#SBATCH --comment=runtime=39600

set -euo pipefail
# On this machine: training steps of a small transformer, for real, with a checkpoint of its own.
if [ "$SLURM_JOB_PARTITION" = host ]; then
    rounds=$(cat "sft-$SLURM_JOB_ID.checkpoint" 2>/dev/null || echo 0)
    for ((round = rounds + 1; round <= 2; round++)); do
        yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel train --size small
        echo "$round" > "sft-$SLURM_JOB_ID.checkpoint"
    done
    exit
fi
trap 'kill -USR1 $trainer; wait $trainer; yhcontrol requeue "$SLURM_JOB_ID"' USR1
yhrun -N "$SLURM_NNODES" -n "$SLURM_NTASKS" -p "$SLURM_JOB_PARTITION" \
    python3 -u sft.py --base 14b --data corpus.jsonl --resume latest &
trainer=$!
wait $trainer

#!/bin/bash
# Fine-tune a protein-structure model on 16 cards, data parallel; a checkpoint each 1,000 steps, so
# that the job may be requeued.
#SBATCH --job-name=fold-finetune
#SBATCH --account=tedagene
#SBATCH --partition=ai
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=7
#SBATCH --gres=gpu:8
#SBATCH --time=1-00:00:00
#SBATCH --requeue
#SBATCH --signal=B:USR1@300
#SBATCH --output=train-%j.out
#SBATCH --comment=runtime=64800

set -euo pipefail
# On this machine: the same kind of computation, small and for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel train --size small
fi
trap 'kill -USR1 $trainer; wait $trainer' USR1   # Save and leave five minutes before the limit.
export MASTER_ADDR=$(hostname) MASTER_PORT=29500
yhrun python3 -u train.py --config finetune.yaml --resume latest &
trainer=$!
wait $trainer

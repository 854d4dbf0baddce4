#!/bin/bash
# Connected cars on virtual roads: one element a weather x traffic x latency setting (4 x 4 x 3).
#SBATCH --job-name=v2x-sweep
#SBATCH --account=bohai-motor
#SBATCH --partition=test
#SBATCH --array=0-47%6
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=64
#SBATCH --time=01:00:00
#SBATCH --output=v2x-%A_%a.out
#SBATCH --comment=runtime=2520

set -euo pipefail
weathers=(clear rain fog snow)
traffics=(free dense jam accident)
latencies=(10 50 200)
i=$SLURM_ARRAY_TASK_ID
yhrun road-sim --map teda.xodr --cars 2000 \
    --weather "${weathers[i % 4]}" --traffic "${traffics[i / 4 % 4]}" \
    --latency-ms "${latencies[i / 16]}" --seed "$i"

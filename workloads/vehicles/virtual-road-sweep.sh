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
# On this machine: 40 cars on a ring that follow one another (the intelligent driver model), for real.
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n 1 -p host python3 -c '
import random, sys
setting = int(sys.argv[1])
random.seed(setting)
length, count, step = 1000.0, 40, 0.25
delay = (0.01, 0.05, 0.2)[setting // 16 % 3]  # seconds until a car knows what the one ahead does
place = [length * i / count for i in range(count)]
speed = [10 + random.random() for _ in range(count)]
for _ in range(2400):
    gap = [(place[(i + 1) % count] - place[i]) % length - 5 for i in range(count)]
    for i in range(count):
        nearing = speed[i] - speed[(i + 1) % count]
        wanted = 2 + speed[i] * (1.2 + delay) + speed[i] * nearing / 3.46
        speed[i] = max(0.0, speed[i] + step * (1.5 * (1 - (speed[i] / 15) ** 4 - (wanted / max(gap[i], 0.1)) ** 2)))
    place = [(p + step * v) % length for p, v in zip(place, speed)]
print(f"setting {setting}: mean speed {sum(speed) / count:.2f} m/s, smallest gap {min(gap):.1f} m")' "$i"
fi
yhrun road-sim --map teda.xodr --cars 2000 \
    --weather "${weathers[i % 4]}" --traffic "${traffics[i / 4 % 4]}" \
    --latency-ms "${latencies[i / 16]}" --seed "$i"

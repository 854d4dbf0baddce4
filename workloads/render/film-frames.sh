#!/bin/bash
# 24 frames of a product film, one an array element, at most four at a time.
#SBATCH --job-name=film
#SBATCH --account=bohai-motor
#SBATCH --partition=TH_NET
#SBATCH --array=1-24%4
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=12
#SBATCH --time=01:30:00
#SBATCH --output=film-%A_%a.out
#SBATCH --comment=runtime=3300

set -euo pipefail
frame=$((1000 + SLURM_ARRAY_TASK_ID))
blender --background film.blend --threads 12 --render-frame "$frame" --render-output //frames/####

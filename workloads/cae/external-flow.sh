#!/bin/bash
# Drag of a car in a wind tunnel, 85 million cells, steady: three ride heights, one after another.
#SBATCH --job-name=aero-heights
#SBATCH --account=bohai-motor
#SBATCH --partition=work
#SBATCH --nodes=64
#SBATCH --ntasks-per-node=32
#SBATCH --time=06:00:00
#SBATCH --output=aero-%j.out
#SBATCH --comment=runtime=15300

set -euo pipefail
for height in 115 130 145; do
    cd "$SLURM_SUBMIT_DIR/height-$height"
    decomposePar -force
    yhrun simpleFoam -parallel
    yhrun foamPostProcess -func forceCoeffs -parallel -latestTime
done

#!/bin/bash
# Conjugate gradients on a 27-point problem (as HPCG's), for real: the residual is checked, and the
# operations it counted reach the accounting and the bill.
#SBATCH --job-name=cg
#SBATCH --account=bohai-motor
#SBATCH --partition=host
#SBATCH --ntasks=2
#SBATCH --time=00:05:00
#SBATCH --output=cg-%j.out

mpirun -np "$SLURM_NTASKS" xinghe-kernel cg --size 64 --seconds 2

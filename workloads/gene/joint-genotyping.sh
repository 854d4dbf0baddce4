#!/bin/bash
# Joint genotypes of the cohort, one chromosome a task: few nodes, waits for the variant calls.
# Submit with --dependency=afterok:ID of gene/variant-calling.sh.
#SBATCH --job-name=wgs-joint
#SBATCH --account=tedagene
#SBATCH --partition=TH_NET
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=6
#SBATCH --cpus-per-task=2
#SBATCH --time=03:00:00
#SBATCH --output=joint-%j.out
#SBATCH --comment=runtime=7260

set -euo pipefail
# On this machine: the same kind of computation, small and for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel align --size 64x500x200
fi
yhrun bash -c '
    chromosome=chr$((SLURM_PROCID + 1))
    gatk GenomicsDBImport --genomicsdb-workspace-path db.$chromosome -L $chromosome \
        --sample-name-map $HOME/cohort-07/gvcf.map
    gatk GenotypeGVCFs -R $HOME/reference/GRCh38.fa -V gendb://db.$chromosome -O $chromosome.vcf.gz'

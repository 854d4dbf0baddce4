#!/bin/bash
# Germline variants of 96 whole genomes (30x): align, sort, mark duplicates, call.
# One genome takes a node about 1 h 50 min; each node works through three of them, one after another.
#SBATCH --job-name=wgs-cohort-07
#SBATCH --account=tedagene
#SBATCH --partition=TH_NET
#SBATCH --nodes=32
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=12
#SBATCH --time=08:00:00
#SBATCH --output=wgs-%j.out
# What an emulated node does instead of the work below: it is busy for so long.
#SBATCH --comment=runtime=19980

set -euo pipefail
# On this machine: the same kind of computation, small and for real (workloads/small.sh).
if [ "$SLURM_JOB_PARTITION" = host ]; then
    exec yhrun -N 1 -n "$SLURM_NTASKS" -p host xinghe-kernel align --size 64x500x200
fi
reference=$HOME/reference/GRCh38.fa
samples=$HOME/cohort-07/samples.tsv

yhrun bash -c '
    sed -n "$((SLURM_PROCID * 3 + 1)),$((SLURM_PROCID * 3 + 3))p" '"$samples"' |
    while IFS=$'"'\t'"' read -r sample forward reverse; do
        bwa mem -t 12 -R "@RG\tID:$sample\tSM:$sample" '"$reference"' "$forward" "$reverse" |
            samtools sort -@ 4 -o "$sample.bam" -
        gatk MarkDuplicates -I "$sample.bam" -O "$sample.md.bam" -M "$sample.metrics"
        gatk HaplotypeCaller -R '"$reference"' -I "$sample.md.bam" -O "$sample.g.vcf.gz" -ERC GVCF
    done'

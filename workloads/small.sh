#!/bin/bash
# Submits a script of this folder to this machine, at a small size, where it really runs:
#     workloads/small.sh workloads/seismic/reverse-time-migration.sh
# Options before the script go to yhbatch.
exec yhbatch --partition=host --nodes=1 --ntasks=2 --ntasks-per-node=2 --cpus-per-task=1 \
    --gres=none --time=30 "$@"

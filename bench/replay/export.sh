#!/bin/bash
# A sacct export of a million jobs, replayed on the machine that it comes from under multifactor and
# Slurm's backfill, with validation: at most 15 s and 300 bytes a job beyond the file, as a whole process.
# usage: bench/replay/export.sh [SEED] [JOBS]      (default 1 and 1000000; needs 600 MB under TMPDIR)
set -euo pipefail
cd "$(dirname "$0")/../.."
seed=${1:-1}
jobs=${2:-1000000}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# The load of 50 days on 13,312 nodes, as EASY started it.
xinghe generate --mix tianjin --days $((jobs / 20000)) --jobs "$jobs" --seed "$seed" -o "$work/load.swf" >/dev/null || true
xinghe replay "$work/load.swf" --policy easy --swf-out "$work/started.swf" >/dev/null
rm "$work/load.swf"
python3 bench/replay/export.py make "$work/started.swf" "$work/export.txt" "$work/machine.yaml"
rm "$work/started.swf"
echo "machine   $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
echo "seed      $seed"
python3 bench/replay/export.py run "$work/export.txt" "$work/machine.yaml"

#!/bin/bash
# A year of Tianjin's load, made and replayed under EASY: 7.3 million jobs on 13,312 nodes, whole processes.
# usage: bench/replay/year.sh [SEED]      (default 1; needs 450 MB under TMPDIR)
set -euo pipefail
cd "$(dirname "$0")/../.."
seed=${1:-1}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

begin=$(date +%s.%N)
xinghe generate --mix tianjin --days 365 --seed "$seed" -o "$work/year.swf"
seconds=$(date +%s.%N | awk -v begin="$begin" '{ printf "%.2f", $1 - begin }')
echo "machine   $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
echo "compiler  $(swift --version 2>/dev/null | head -n 1); $(cc --version | head -n 1)"
echo "seed      $seed"
status=0
made=met; awk -v s="$seconds" 'BEGIN { exit !(s <= 10) }' || { made=MISSED; status=1; }
echo "generate  $seconds s, whole process; at most 10: $made"
python3 bench/replay/year.py "$work/year.swf" || status=1
exit $status

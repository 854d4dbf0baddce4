#!/bin/bash
# A year of Tianjin's load under EASY: 7.3 million jobs on 13,312 nodes, as a whole process.
# usage: bench/replay/year.sh [SEED]      (default 1; needs 450 MB under TMPDIR)
set -euo pipefail
cd "$(dirname "$0")/../.."
seed=${1:-1}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

cc -O2 -std=c11 -D_DEFAULT_SOURCE bench/replay/tianjin_year.c -o "$work/tianjin-year" -lm
(cd "$work" && ./tianjin-year --seed "$seed" year.swf)
echo "machine   $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
echo "compiler  $(swift --version 2>/dev/null | head -n 1); $(cc --version | head -n 1)"
echo "seed      $seed"
python3 bench/replay/year.py "$work/year.swf"

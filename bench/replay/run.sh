#!/bin/bash
# The KTH-SP2 log under EASY: Xinghe beside AccaSim; then Xinghe on ten million jobs, its reader
# beside a byte loop in C, and nodes that jobs share. Needs 1 GB under TMPDIR; --quick a tenth.
set -euo pipefail
cd "$(dirname "$0")/../.."

peer=.build-bench/accasim
if ! "$peer/bin/python" -c 'import accasim' 2>/dev/null; then
    rm -rf "$peer"
    python3 -m venv "$peer"
    "$peer/bin/pip" install -q --disable-pip-version-check accasim==1.1.3
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

python3 bench/replay/plain_log.py workloads/traces/KTH-SP2-1996-2.1.swf.gz "$work/kth.swf" >/dev/null
status=0
python3 bench/replay/compare.py "$peer/bin/python" "$work" || status=1
cc -O3 -march=native bench/replay/swf_loop.c -o "$work/swf_loop"
python3 bench/replay/speed.py "$work" "$work/swf_loop" "$@" || status=1
exit "$status"

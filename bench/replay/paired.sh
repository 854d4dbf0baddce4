#!/bin/bash
# Two builds beside each other, in turns on the same cores: what a change costs where it is not used.
# usage: bench/replay/paired.sh OLD_BIN NEW_BIN [ROUNDS]      (programs called xinghe; default 9 rounds)
set -euo pipefail
[ $# -ge 2 ] || { sed -n 3p "$0" >&2; exit 2; }
old=$(readlink -f "$1")
new=$(readlink -f "$2")
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

python3 bench/replay/plain_log.py workloads/traces/KTH-SP2-1996-2.1.swf.gz "$work/kth.swf" >/dev/null
python3 bench/replay/repeat.py swf "$work/kth.swf" 36 "$work/long.swf" >/dev/null
python3 bench/replay/made_log.py "$work/made.swf" 45000
python3 bench/replay/paired.py "$old" "$new" "$work" "${3:-9}"

#!/bin/bash
# What people, limits and reservations cost under Slurm's priority and backfill: a million jobs, and one
# pass over a long queue. Ends with status 1 when a limit is missed.
set -euo pipefail
cd "$(dirname "$0")/../.."

swift build -c release --static-swift-stdlib --product xinghe-crowd >/dev/null 2>&1 \
    || { echo "crowd: xinghe-crowd cannot be built; swift build -c release --product xinghe-crowd says why" >&2; exit 1; }
exec python3 bench/replay/crowd.py "$(swift build -c release --static-swift-stdlib --show-bin-path)/xinghe-crowd"

#!/bin/bash
# How the time of a decision grows with the queue: FCFS and EASY with 10^3 to 10^6 jobs waiting.
# Writes .build-bench/queue-depth.svg; ends with status 1 when an exponent is above its limit.
set -euo pipefail
cd "$(dirname "$0")/../.."

swift build -c release --static-swift-stdlib --product xinghe-depth >/dev/null 2>&1 \
    || { echo "depth: xinghe-depth cannot be built; swift build -c release --product xinghe-depth says why" >&2; exit 1; }
mkdir -p .build-bench
python3 bench/replay/depth.py "$(swift build -c release --static-swift-stdlib --show-bin-path)/xinghe-depth" \
    .build-bench/queue-depth.svg

#!/bin/bash
# Xinghe beside its peers and its limits, on this machine, in one run. `make bench` builds first.
# usage: bench/run.sh [replay] [year] [export] [depth] [crowd] [forecast] [statements] [claims] [listing] [centre] [topology] [page] [rehearsal] [kernels]     (default: all)
set -euo pipefail
cd "$(dirname "$0")/.."
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(replay year export depth crowd forecast statements claims listing centre topology page rehearsal kernels)

for program in xinghe yhqueue; do
    command -v "$program" >/dev/null || {
        echo "bench: no '$program' in PATH; 'make bench' builds it and sets PATH" >&2
        exit 1
    }
done

echo "machine   $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "$(awk '/MemTotal/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo)," \
    "load $(cut -d ' ' -f 1 /proc/loadavg)"
echo "compiler  $(swift --version 2>/dev/null | head -n 1), release, static standard library"
echo "commit    $(git describe --always --dirty 2>/dev/null || echo unknown)"
echo "seed      1 for the year and the queue; logs are replayed as recorded"

status=0
for part in "${parts[@]}"; do
    printf '\n== %s ==\n' "$part"
    case $part in
        replay) bench/replay/run.sh || status=1 ;;
        year) bench/replay/year.sh || status=1 ;;
        export) bench/replay/export.sh || status=1 ;;
        depth) bench/replay/depth.sh || status=1 ;;
        crowd) bench/replay/crowd.sh || status=1 ;;
        forecast) bench/forecast/run.sh || status=1 ;;
        statements) bench/statements/run.sh || status=1 ;;
        claims) python3 bench/claims/claims.py || status=1 ;;
        listing) python3 bench/listing.py || status=1 ;;
        centre) python3 bench/centre/centre.py || status=1 ;;
        topology) bench/topology.sh || status=1 ;;
        page) bench/page/run.sh || status=1 ;;
        rehearsal) python3 bench/rehearsal.py || status=1 ;;
        kernels) bench/kernels.sh || status=1 ;;
        *)
            echo "bench: no part '$part'; known are replay, year, export, depth, crowd, forecast, statements, claims, listing, centre, topology, page, rehearsal, kernels" >&2
            exit 1
            ;;
    esac
done
exit "$status"

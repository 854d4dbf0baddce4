#!/bin/bash
# What all monthly statements of a year of 7.3 million jobs and 4,500 customers take; at most 60 s for
# the statements, or exit 1. Reading the export and settling the jobs is printed beside it.
#
#     bench/statements/run.sh [SEED] [JOBS]        xinghe must be in PATH
#
# The year, its tenants and its export come from the seed, in a temporary folder that needs 3 GB.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
seed=${1:-1}
jobs=${2:-7300000}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Fewer jobs than a year's miss the acceptance checks of the year; they are for a first look.
xinghe generate --mix tianjin --days 365 --seed "$seed" --jobs "$jobs" -o "$folder/year.swf" >"$folder/checks.txt" ||
    [ "$jobs" != 7300000 ] || { cat "$folder/checks.txt" >&2; exit 1; }
python3 "$here/../forecast/tenants.py" --seed "$seed" --out "$folder/tenants.csv"
python3 "$here/export.py" --log "$folder/year.swf" --tenants "$folder/tenants.csv" \
    --out "$folder/sacct.txt" --accounts "$folder/accounts.csv"
rm "$folder/year.swf"
echo "machine   $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "load $(cut -d ' ' -f 1 /proc/loadavg)"
echo "compiler  $(swift --version 2>/dev/null | head -n 1)"
echo "seed      $seed, $(($(wc -l <"$folder/sacct.txt") - 1)) jobs, $(($(wc -l <"$folder/accounts.csv") - 1)) customers"
bill() {
    xinghe ingest "$folder/sacct.txt" --tariff tianjin-prices --platform tianhe=tianhe \
        --platform tianjin-ai=tianjin-ai --accounts "$folder/accounts.csv" --period 2026 "$@"
}
begin=$(date +%s.%N)
bill >/dev/null
middle=$(date +%s.%N)
bill --statements "$folder/statements" --format html
end=$(date +%s.%N)
# Both read and settle the same; what the second takes longer are the statements.
awk -v a="$begin" -v b="$middle" -v c="$end" -v full="$([ "$jobs" = 7300000 ] && echo 1 || echo 0)" 'BEGIN {
    printf "%.1f s  export read, settled, listed by account\n", b - a
    printf "%.1f s  export read, settled, all monthly statements written as HTML\n", c - b
    printf "%.1f s  of that for the statements\n", (c - b) - (b - a)
    exit full && (c - b) - (b - a) > 60
}'

#!/bin/sh
# What `xinghe forecast` takes over a year of 7.3 million jobs; at most 15 s, or exit 1.
#
#     bench/forecast/run.sh [SEED] [FOLDER]        xinghe must be in PATH
#
# The year (xinghe generate) and its tenants (tenants.py) come from the seed. They are
# written to FOLDER; by default a temporary one, which needs 450 MB and is removed afterwards.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
seed=${1:-1}
folder=${2:-}
if [ -z "$folder" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
if [ ! -s "$folder/year.swf" ]; then
    xinghe generate --mix tianjin --days 365 --seed "$seed" -o "$folder/year.swf"
fi
python3 "$here/tenants.py" --seed "$seed" --out "$folder/tenants.csv"
echo "machine   $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "load $(cut -d ' ' -f 1 /proc/loadavg)"
echo "compiler  $(swift --version 2>/dev/null | head -n 1)"
echo "seed      $seed, $(grep -vc '^;' "$folder/year.swf") jobs"
status=0
for rules in "--rule teda-machine-hour" \
    "--rule teda-machine-hour --rule henan-2025 --rule langfang-2023 --rule shenzhen-xunli"; do
    begin=$(date +%s.%N)
    # shellcheck disable=SC2086
    xinghe forecast --trace "$folder/year.swf" --tenants "$folder/tenants.csv" \
        --tariff "$here/node-tariff.yaml" $rules >"$folder/forecast.txt"
    seconds=$(date +%s.%N | awk -v begin="$begin" '{ printf "%.1f", $1 - begin }')
    met=met; awk -v s="$seconds" 'BEGIN { exit !(s <= 15) }' || met=MISSED
    echo "$seconds s of 15 s, $met  forecast $rules"
    awk -v s="$seconds" 'BEGIN { exit !(s <= 15) }' || status=1
done
exit $status

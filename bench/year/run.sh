#!/bin/sh
# How long a forecast over a year of 7.3 million jobs takes. Prints machine, compiler and seed.
#
#     bench/year/run.sh [SEED] [FOLDER]
#
# The year and its tenants are written to FOLDER (default: a temporary one, removed afterwards).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seed=${1:-1}
folder=${2:-}
if [ -z "$folder" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
swift build --package-path "$root" -c release --product xinghe >/dev/null
xinghe="$(swift build --package-path "$root" -c release --show-bin-path)/xinghe"
[ -s "$folder/year-$seed.swf" ] || python3 "$here/year.py" --seed "$seed" --out "$folder/year-$seed.swf"
python3 "$here/tenants.py" --seed "$seed" --out "$folder/tenants-$seed.csv"
echo "machine   $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores"
echo "compiler  $(swift --version 2>&1 | head -1), -c release"
echo "seed      $seed"
echo "jobs      $(grep -vc '^;' "$folder/year-$seed.swf")"
for rules in "--rule teda-machine-hour" \
    "--rule teda-machine-hour --rule henan-2025 --rule langfang-2023 --rule shenzhen-xunli"; do
    begin=$(date +%s.%N)
    # shellcheck disable=SC2086
    "$xinghe" forecast --trace "$folder/year-$seed.swf" --tenants "$folder/tenants-$seed.csv" \
        $rules >"$folder/forecast.txt"
    end=$(date +%s.%N)
    echo "seconds   $(echo "$end $begin" | awk '{printf "%.1f", $1 - $2}')  $rules"
done
sed -n 1,20p "$folder/forecast.txt"

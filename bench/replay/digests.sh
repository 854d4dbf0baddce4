#!/bin/bash
# One seed, one result: the digests of the debug and the release program, policy by policy, on KTH-SP2.
# usage: bench/replay/digests.sh [LOG]      (builds both; the debug program takes some minutes)
set -euo pipefail
cd "$(dirname "$0")/../.."
log=${1:-workloads/traces/KTH-SP2-1996-2.1.swf.gz}
policies=fcfs,easy,easy-sjbf,conservative,conservative-compress,wfp3,multifactor,slurm

programs=()
for flags in "-c debug" "-c release --static-swift-stdlib"; do
    # shellcheck disable=SC2086 # two words on purpose
    swift build $flags --product xinghe >/dev/null 2>&1 || {
        echo "digests: swift build $flags --product xinghe fails" >&2
        exit 1
    }
    # shellcheck disable=SC2086
    programs+=("$(swift build $flags --show-bin-path 2>/dev/null)/xinghe")
done
digests() { "$1" replay "$log" --policy "$policies" --json | sed -nE 's/.*"(policy|digest)": "(.*)".*/\2/p' | paste - -; }
debug=$(digests "${programs[0]}")
release=$(digests "${programs[1]}")
printf '%-24s %-18s %s\n' policy debug release
paste <(echo "$debug") <(echo "$release" | cut -f 2) \
    | while IFS=$'\t' read -r policy one other; do printf '%-24s %-18s %s\n' "$policy" "$one" "$other"; done
if [ "$debug" = "$release" ] && [ "$(wc -l <<<"$debug")" -eq "$(tr , '\n' <<<"$policies" | wc -l)" ]; then
    echo "debug and release decide alike: met"
else
    echo "debug and release decide differently: MISSED"
    exit 1
fi

#!/bin/bash
# The whole centre in one sitting, in under two minutes. `make run` builds and then starts this.
#
# Every command is printed before its output and can be repeated by hand from the root of the
# repository. State, socket and output files live in a folder of their own that goes at the end,
# and so does the daemon, however this script ends.
set -euo pipefail

workloads=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for program in xinghe xinghed yhbatch yhqueue; do
    command -v "$program" >/dev/null || {
        echo "demo: no '$program' in PATH; 'make run' builds it and sets PATH" >&2
        exit 1
    }
done

work=$(mktemp -d "${TMPDIR:-/tmp}/xinghe-demo.XXXXXX")
export XINGHE_STATE=$work/state XINGHE_SOCKET=$work/xinghed.sock
unset SLURM_JOB_ID SBATCH_ACCOUNT SBATCH_PARTITION XINGHE_MEASURE
ln -s "$workloads" "$work/workloads"
cd "$work"

# Everything that the centre started has its socket in the environment.
left_running() (
    socket=$XINGHE_SOCKET
    unset XINGHE_SOCKET XINGHE_STATE # or the programs below would find themselves
    grep -lzsxF "XINGHE_SOCKET=$socket" /proc/[0-9]*/environ | cut -d / -f 3 || true
)

close_all() {
    local status=$? pids
    trap '' INT TERM
    if [ -S "$XINGHE_SOCKET" ]; then
        timeout 20 xinghe down >/dev/null 2>&1 || true
    fi
    for _ in {1..50}; do
        pids=$(left_running)
        [ -n "$pids" ] || break
        kill -KILL $pids 2>/dev/null || true
        sleep 0.1
    done
    cd /
    rm -rf "$work"
    exit "$status"
}
trap close_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi

part() { printf '\n%s== %s ==%s\n' "$bold" "$1" "$plain"; }
say() { printf '%s# %s%s\n' "$dim" "$1" "$plain"; }
# show WORD...: the command, then its output.
show() {
    printf '\n%s$ %s%s\n' "$bold" "$(quoted "$@")" "$plain"
    "$@"
}
# quoted WORD...: the words as one would type them.
quoted() {
    local word line=''
    for word in "$@"; do
        [[ $word =~ ^[A-Za-z0-9_./:,=%@+-]+$ ]] || word="'$word'"
        line+="$word "
    done
    printf '%s' "${line% }"
}
# submit SCRIPT [OPTION...]: as show, and keeps the id in $job.
submit() {
    local output
    printf '%s$ yhbatch %s%s\n' "$bold" "$*" "$plain"
    output=$(yhbatch "$@")
    printf '%s\n' "$output"
    job=${output##* }
    jobs=${jobs:+$jobs,}$job
}
# wait_for SECONDS FILTER...: until yhqueue with this filter shows no job.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    while [ -n "$(yhqueue -h -o %i "$@")" ]; do
        if ((SECONDS >= deadline)); then
            echo "demo: jobs are still there, which should not be:" >&2
            yhqueue "$@" >&2
            exit 1
        fi
        sleep 0.2
    done
}

part "1. The machines"
say "This host, as hwloc finds it; then one node of Tianhe-1A through the same library."
show xinghe topology host
show xinghe topology tianhe-1a/th1a

part "2. A centre opens"
say "'tianjin' joins Tianhe-1A, the Tianhe-3 prototype, an AI partition and this host."
say "An hour of the centre takes a second."
show xinghe up --machine tianjin --time x3600
show yhinfo

part "3. Customers submit: two enterprises and a laboratory"
submit workloads/gene/variant-calling.sh
submit --dependency=afterok:"$job" workloads/gene/joint-genotyping.sh
submit workloads/cae/crash-offset.sh
submit workloads/cae/external-flow.sh
submit workloads/weather/north-china-forecast.sh
submit workloads/seismic/reverse-time-migration.sh
submit workloads/materials/cathode-diffusion.sh
submit workloads/ai/train-fold-model.sh
submit workloads/ai/evaluate-checkpoint.sh
submit workloads/city/port-twin.sh
single_jobs=$jobs
submit workloads/render/film-frames.sh
submit workloads/vehicles/virtual-road-sweep.sh

part "4. The queue"
show yhqueue

if command -v xinghe-kernel >/dev/null; then
    part "5. Real work: a solver under MPI on this host"
    say "While it runs, the centre's clock goes at the speed of the wall: its seconds are real."
    submit workloads/host/cg.sh
    wait_for 60 --jobs="$job"
    show grep -oE '"(kernel|size|ranks|seconds|flop|flop_per_s|verified|residual)":[^,]*' "cg-$job.out"
    show yhacct -X -j "$job" -o JobID,JobName,Partition,Account%12,AllocCPUS,Elapsed,State,ExitCode
else
    part "5. Real work: a small frame, traced on this host"
    submit --partition=host --nodes=1 --ntasks=2 --ntasks-per-node=2 --array=1 \
        workloads/render/film-frames.sh
    wait_for 60 --jobs="$job"
    show head -n 1 frame-1001.pgm
fi

part "6. The rest of the day passes"
say "Waiting until every job has ended; a day takes about 24 s."
wait_for 75
show yhacct -X -S now-7days -j "$single_jobs" \
    -o JobID%5,JobName%13,Partition,Account%12,AllocNodes,AllocCPUS,Elapsed,State

part "7. The bill, less the subsidy that enterprises get"
show xinghe bill --account bohai-motor
show xinghe bill --account nku-lab

part "8. What if? A year of a real log under two policies, side by side"
show xinghe replay workloads/traces/KTH-SP2-1996-2.1.swf.gz --policy fcfs,easy

part "9. The centre closes"
show xinghe down
rest=$(left_running)
if [ -n "$rest" ]; then
    echo "demo: still running: $rest" >&2
    exit 1
fi
say "Nothing is left running. The whole of it took $SECONDS s."

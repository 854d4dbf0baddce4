#!/bin/sh
# Kernels beside their peers in C, in one run on the same cores; ratios are the result.
# usage: bench/kernels.sh [--quick] [KERNEL...]   (XINGHE_KERNEL: a program other than the release build)
set -eu
cd "$(dirname "$0")/.."
program=${XINGHE_KERNEL:-.build/release/xinghe-kernel}
[ -x "$program" ] || swift build -c release --product xinghe-kernel
peers=$(mktemp -d)
trap 'rm -rf "$peers"' EXIT INT TERM
flags="-O3 -march=native"
gcc $flags -o "$peers/stream" bench/kernels/stream.c
gcc $flags -o "$peers/cg" bench/kernels/cg.c -lm
gcc $flags -o "$peers/hpcg" bench/kernels/hpcg.c -lm
gcc $flags -o "$peers/graph" bench/kernels/graph.c
gcc $flags $(pkg-config --cflags openblas) -o "$peers/dgemm" bench/kernels/dgemm.c \
    $(pkg-config --libs openblas)
mpicc $flags -o "$peers/pingpong" bench/kernels/pingpong.c
mpicc $flags -o "$peers/fft" bench/kernels/fft.c -lfftw3_mpi -lfftw3 -lm
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
unset XINGHE_MEASURE || true
echo "host: $(nproc) cores, $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2-), load$(cut -d' ' -f1 /proc/loadavg | sed 's/^/ /')"
echo "peers: $(gcc --version | head -1), $flags"
python3 bench/kernels/compare.py "$program" "$peers" "$@"

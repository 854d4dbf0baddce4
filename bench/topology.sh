#!/bin/sh
# A hundred thousand mutated hwloc documents, none of which may end the program that reads it.
# usage: bench/topology.sh [COUNT [SEED]]
set -eu
cd "$(dirname "$0")/.."
XINGHE_FUZZ=${1:-100000}
export XINGHE_FUZZ
[ $# -lt 2 ] || export XINGHE_SEED="$2"
swift test --disable-xctest --filter mutatedDocuments

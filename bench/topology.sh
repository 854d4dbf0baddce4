#!/bin/sh
# A hundred thousand mutated hwloc documents, none of which may end the program that reads it.
# usage: bench/topology.sh [COUNT [SEED]]
# With HWLOC_XML, a folder with the XML files of hwloc's tests (apt-get source hwloc: tests/hwloc/xml), these are
# read first and compared with hwloc-info; PATH must have xinghe.
set -eu
cd "$(dirname "$0")/.."
[ -z "${HWLOC_XML:-}" ] || python3 bench/foreign-topology.py xinghe "$HWLOC_XML"
XINGHE_FUZZ=${1:-100000}
export XINGHE_FUZZ
[ $# -lt 2 ] || export XINGHE_SEED="$2"
swift test --disable-xctest --filter mutatedDocuments

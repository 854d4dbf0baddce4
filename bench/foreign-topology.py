#!/usr/bin/env python3
"""Reads the XML files of hwloc's own tests and compares what is counted with what hwloc's tools count.

usage: bench/foreign-topology.py XINGHE FOLDER

FOLDER has the files, as `apt-get source hwloc` brings them in tests/hwloc/xml. Every file that hwloc-info reads must
be read with as many PUs, cores and NUMA nodes; what hwloc refuses must be refused in a sentence. Exit 1: some are not.
"""

import glob
import json
import re
import subprocess
import sys


def counted(path):
    """What hwloc-info counts, by kind; None where hwloc does not read the file."""
    result = subprocess.run(["hwloc-info", "--input", path], capture_output=True, text=True)
    if result.returncode != 0:
        return None
    found = dict.fromkeys(("PU", "Core", "NUMANode"), 0)
    for count, kind in re.findall(r"epth +-?\d+: +(\d+) (PU|Core|NUMANode)\b", result.stdout):
        found[kind] += int(count)
    return found


def main():
    program, folder = sys.argv[1], sys.argv[2]
    files, wrong, refused = sorted(glob.glob(f"{folder}/*.xml")), [], 0
    for path in files:
        name = path.rsplit("/", 1)[1]
        right = counted(path)
        result = subprocess.run([program, "topology", path, "--format", "json"], capture_output=True, text=True)
        if right is None:
            refused += 1
            if result.returncode <= 0 or not result.stderr.strip():
                wrong.append(f"{name}: hwloc refuses it, exit status {result.returncode}")
            continue
        if result.returncode != 0:
            wrong.append(f"{name}: {result.stderr.strip()}")
            continue
        document = json.loads(result.stdout)
        # Where a file has no cores, its PUs are taken for cores.
        right["Core"] = right["Core"] or right["PU"]
        for kind, member in (("PU", "pus"), ("Core", "cores"), ("NUMANode", "numa_nodes")):
            if document[member] != right[kind]:
                wrong.append(f"{name}: {member} {document[member]}, hwloc-info counts {right[kind]}")
    print(f"{len(files)} files, {refused} of them refused by hwloc, too; {len(wrong)} wrong")
    print("\n".join(wrong))
    sys.exit(1 if wrong or not files else 0)


main()

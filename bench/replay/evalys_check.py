#!/usr/bin/env python3
"""Whether evalys, Batsim's analysis library, reads what 'xinghe replay --jobs-csv' writes, and
finds in it what Xinghe reports.

usage: evalys_check.py [LOG]      (default: KTH-SP2; needs 'pip install evalys' and xinghe in PATH)
Prints each figure twice, from evalys and from Xinghe; exit status 1 when they differ.
"""
import json
import os
import subprocess
import sys
import tempfile

import matplotlib

matplotlib.use("Agg")
from evalys.jobset import JobSet  # noqa: E402

log = sys.argv[1] if len(sys.argv) > 1 else "workloads/traces/KTH-SP2-1996-2.1.swf.gz"
with tempfile.TemporaryDirectory() as folder:
    table = os.path.join(folder, "jobs.csv")
    run = subprocess.run(
        ["xinghe", "replay", log, "--json", "--jobs-csv", table], capture_output=True, check=True
    )
    ours = json.loads(run.stdout)["policies"][0]
    jobs = JobSet.from_csv(table)

# No processor twice: what evalys would draw on top of each other.
holder_until = {}
overlaps = 0
for job in jobs.df.sort_values(["starting_time", "finish_time"]).itertuples():
    if job.finish_time == job.starting_time:
        continue
    for processor in job.allocated_resources:
        overlaps += holder_until.get(processor, 0) > job.starting_time
        holder_until[processor] = job.finish_time

figures = [
    ("jobs", len(jobs.df), ours["jobs"]),
    ("mean wait, s", jobs.df.waiting_time.mean(), ours["wait_mean_s"]),
    ("longest wait, s", jobs.df.waiting_time.max(), ours["wait_max_s"]),
    ("mean turnaround, s", jobs.df.turnaround_time.mean(), ours["response_mean_s"]),
    ("utilisation", jobs.mean_utilisation() / jobs.MaxProcs, ours["utilisation"]),
    ("processors held twice", overlaps, 0),
]
status = 0
print(f"{'':<24}{'evalys':>18}{'xinghe':>18}")
for name, theirs, mine in figures:
    agrees = abs(theirs - mine) <= 1e-6 * max(1, abs(mine))
    print(f"{name:<24}{theirs:>18.6f}{mine:>18.6f}{'' if agrees else '  differ'}")
    status |= not agrees
sys.exit(status)

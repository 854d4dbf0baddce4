"""Make a sacct export of a log with waits, and time its replay.

    export.py make STARTED.swf EXPORT.txt MACHINE.yaml
    export.py run EXPORT.txt MACHINE.yaml                (PATH must have xinghe)
"""

import json
import os
import sys
import time

LIMIT_SECONDS, LIMIT_BYTES = 15, 300
NODES, CORES = 13312, 12

MACHINE = f"""machine: bench
title: The nodes of Tianjin, equal
node_types:
  - name: node
    title: Node of {CORES} cores
    topology: {{synthetic: "package:2 [numa(memory=12GiB)] core:6 pu:1"}}
    processor: {{model: not told}}
    cores: {CORES}
    memory: 24 GiB
nodes:
  - {{names: "cn[0-{NODES - 1}]", type: node}}
platforms:
  - {{name: bench, title: Bench, key: false}}
partitions:
  - {{name: work, nodes: ALL, platform: bench}}
"""


def clock(seconds):
    days, rest = divmod(seconds, 86400)
    text = f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
    return f"{days}-{text}" if days else text


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def make(log, export, machine):
    with open(machine, "w", encoding="utf-8") as file:
        file.write(MACHINE)
    origin = 0
    with open(log, encoding="utf-8") as rows, open(export, "w", encoding="utf-8") as out:
        out.write("JobID|JobIDRaw|User|Account|Partition|QOS|Submit|Start|End|Elapsed|Timelimit|NNodes|"
                  "AllocCPUS|ReqCPUS|State\n")
        for row in rows:
            if row.startswith(";"):
                if row.startswith("; UnixStartTime:"):
                    origin = int(row.split(":")[1])
                continue
            field = row.split()
            submit, wait, run, nodes = (int(field[place]) for place in (1, 2, 3, 7))
            start = origin + submit + wait
            out.write(f"{field[0]}|{field[0]}|u{field[11]}|a{field[12]}|work|normal|{stamp(origin + submit)}|"
                      f"{stamp(start)}|{stamp(start + run)}|{clock(run)}|{clock(int(field[8]))}|{nodes}|"
                      f"{nodes * CORES}|{nodes * CORES}|COMPLETED\n")


def run(export, machine):
    size = os.path.getsize(export)
    output = export + ".json"
    command = ["xinghe", "replay", export, "--machine", machine, "--policy", "slurm", "--validate", "--json"]
    start = time.perf_counter()
    with open(output, "wb") as file:
        pid = os.posix_spawnp(command[0], command, os.environ,
                              file_actions=[(os.POSIX_SPAWN_DUP2, file.fileno(), 1)])
        _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"export.py: {' '.join(command)} failed")
    with open(output, encoding="utf-8") as file:
        policy = json.load(file)["policies"][0]
    every = policy["validation"]["groups"][0]
    beyond = (usage.ru_maxrss * 1024 - size) / policy["jobs"]
    fast, lean = seconds <= LIMIT_SECONDS, beyond <= LIMIT_BYTES
    print(f"slurm, {policy['jobs']:,} jobs, {size / 1e6:.0f} MB of text, whole process")
    print(f"  time      {seconds:8.2f} s         at most {LIMIT_SECONDS}: {'met' if fast else 'MISSED'};"
          f" load of this machine {os.getloadavg()[0]:.1f} beside {os.cpu_count()} cores")
    print(f"  memory    {beyond:8.1f} bytes     a job beyond the file at the peak; at most {LIMIT_BYTES}:"
          f" {'met' if lean else 'MISSED'}")
    print(f"  validate  {every['within_a_minute']:.4f} of the starts within a minute of EASY's, order"
          f" {every['order_kendall_tau']:.4f}")
    return 0 if fast and lean else 1


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(*sys.argv[2:])
    else:
        sys.exit(run(*sys.argv[2:]))

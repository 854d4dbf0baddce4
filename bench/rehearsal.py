#!/usr/bin/env python3
"""What a rehearsal costs: a chain of ten scripts that sleep hours, stand-ins, and a day of many scripts.

    bench/rehearsal.py [SCRIPTS]      2,000 scripts a day by default; programs are taken from PATH
"""

import json
import os
import subprocess
import sys
import tempfile
import time

# A day of a centre at x3600 takes 24 s; it keeps up when the last script ends a little after the day.
LIMITS = {"chain": 5.0, "stand-in": 0.005, "day": 30.0}
# What a script calls that does not do by itself what it would do on the machine.
STAND_INS = {
    "yhrun": "yhrun -n 1 true",
    "mpirun": "mpirun -np 1 true",
    "module": "module list",
    "hostname": "hostname",
    "date": "date",
    "sleep": "sleep 1",
    "timeout": "timeout 60 true",
}


def run(*words, **more):
    return subprocess.run(words, check=True, capture_output=True, text=True, **more)


def rehearse(folder, *words):
    begin = time.monotonic()
    answer = run("xinghe", "rehearse", "--json", *words, cwd=folder)
    return time.monotonic() - begin, json.loads(answer.stdout)


def script(folder, name, body):
    with open(os.path.join(folder, name), "w") as file:
        file.write("#!/bin/bash\n#SBATCH -o /dev/null -t 12:00:00\n" + body + "\n")


def chain(folder):
    for number in range(10):
        script(folder, f"chain{number}.sh", f"sleep {3600 + number}; sleep 2h")
    wall, result = rehearse(folder, "--chain", "afterok", *[f"chain{n}.sh" for n in range(10)])
    spans = [job["elapsed"] for job in result["jobs"]]
    assert all(job["state"] == "COMPLETED" for job in result["jobs"]), result
    assert len(spans) == 10
    return wall


def stand_in(folder, command):
    """The difference of one script that calls it two hundred times and one that calls nothing."""
    script(folder, "none.sh", "true")
    script(folder, "calls.sh", "for i in $(seq 200); do " + command + "; done")
    walls = [
        min(rehearse(folder, "--alternatives", "0", name)[0] for _ in range(3))
        for name in ("calls.sh", "none.sh")
    ]
    return (walls[0] - walls[1]) / 200


def day(folder, scripts):
    """Scripts that come all day long to a centre at x3600, for which a day takes 24 s."""
    environment = dict(os.environ, XINGHE_SOCKET=os.path.join(folder, "s"))
    up = ["xinghe", "up", "--state", os.path.join(folder, "state"), "--time", "x3600", "--rehearse"]
    run(*up, env=environment)
    try:
        script(folder, "day.sh", "sleep 1000; sleep 600; exit 0")
        begin = time.monotonic()
        for number in range(scripts):
            due = begin + 24 * number / scripts
            time.sleep(max(0, due - time.monotonic()))
            run("yhbatch", "-Q", "day.sh", env=environment, cwd=folder)
        while "0 running, 0 waiting" not in (status := run("xinghe", "status", env=environment).stdout):
            time.sleep(0.1)
        return time.monotonic() - begin, status
    finally:
        run("xinghe", "down", env=environment)


def main():
    scripts = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        figures = [("chain", "chain", chain(folder))]
        figures += [("stand-in", name, stand_in(folder, call)) for name, call in STAND_INS.items()]
        for limit, name, figure in figures:
            missed = missed or figure > LIMITS[limit]
            print(f"rehearsal {name}: {figure:.4f} s (limit {LIMITS[limit]} s)", flush=True)
        wall, _ = day(folder, scripts)
        missed = missed or wall > LIMITS["day"]
        print(f"rehearsal day of {scripts} scripts at x3600: {wall:.1f} s (limit {LIMITS['day']} s, a day takes 24 s)")
    sys.exit(1 if missed else 0)


main()

"""A centre that is killed again and again: what it acknowledged is there, once, and its books are true.

usage: kill9.py [--rounds N] [--seed S] [--audit-every N]     programs are taken from PATH

In each round a daemon is opened on the same folder, several clients at once submit emulated and real jobs, hold,
release, cancel and change them, a backup is made now and then, and after a random time it is killed with
SIGKILL. Most rounds write images of the state, from which the next may open. Some rounds have a journal that may
grow by little, so that the disk seems full. Then:

- every acknowledged job is known, with its name; no number was given twice
- what was acknowledged as cancelled does not wait or run
- a real job that ended wrote its line once for each of its runs
- the folder opens again; audits of it and of backups find nothing
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "centre"))
from daemon import Daemon, Gone  # noqa: E402


class Knowledge:
    """What clients were told."""

    def __init__(self):
        self.lock = threading.Lock()
        self.names, self.cancelled, self.faults = {}, set(), []
        self.real = set()

    def fault(self, text):
        with self.lock:
            self.faults.append(text)
            print("  FAULT " + text, flush=True)


def client(daemon, known, seed, marks, stop):
    """One user's doings until the daemon is gone."""
    chance = random.Random(seed)
    while not stop.is_set():
        name = f"{seed}-{chance.randrange(1 << 30)}"
        roll = chance.random()
        try:
            if roll < 0.5:
                job = {"name": name, "script": "#!/bin/sh\ntrue\n", "min_nodes": 1, "comment": f"runtime={chance.randrange(1, 50)}",
                       "work_dir": "/tmp", "hold": chance.random() < 0.3}
                if chance.random() < 0.2:
                    job["array"] = {"ranges": [{"first": 0, "last": chance.randrange(1, 20)}]}
            elif roll < 0.62:
                job = {"name": name, "partitions": ["host"], "work_dir": "/tmp", "std_out": "/dev/null", "tasks": 1,
                       "script": f"#!/bin/sh\necho $SLURM_JOB_ID.$SLURM_RESTART_COUNT >> {marks}\nsleep 0.0{chance.randrange(10)}\n",
                       "environment": ["PATH=/usr/bin:/bin"]}
            else:
                job = None
            if job is not None:
                status, body = daemon.post("/v1/jobs", job, timeout=20)
                if status == 200:
                    number = json.loads(body)["job_id"]
                    count = job["array"]["ranges"][0]["last"] + 1 if "array" in job else 1
                    with known.lock:
                        for one in range(number, number + count):
                            if one in known.names:
                                known.faults.append(f"number {one} was given twice")
                            known.names[one] = name
                        if "partitions" in job:
                            known.real.add(number)
                elif status not in (400, 503, 507):
                    known.fault(f"submit: {status} {body[:200]}")
                continue
            with known.lock:
                number = chance.choice(list(known.names)) if known.names else None
            if number is None:
                continue
            verb = chance.choice(["hold", "release", "cancel", "cancel", "update"])
            body = {"time_limit": 60_000_000 * chance.randrange(1, 60)} if verb == "update" else {}
            status, answer = daemon.post(f"/v1/jobs/{number}/{verb}", body, timeout=20)
            if status >= 500 and status not in (503, 507):
                known.fault(f"{verb}: {status} {answer[:200]}")
            if verb == "cancel" and status == 200:
                # A number may be an array's: then all its elements are meant.
                with known.lock:
                    known.cancelled |= {one["job_id"] for one in json.loads(answer)["outcomes"] if not one.get("error")}
        except (Gone, ValueError):
            return


def check(daemon, known, marks):
    """Compares what the centre says with what clients were told."""
    status, body = daemon.get("/v1/accounting", timeout=120)
    if status != 200:
        return known.fault(f"accounting: {status} {body[:200]}")
    records = {}
    for record in json.loads(body)["records"]:
        records.setdefault(record["job_id"], []).append(record)
    for number, name in known.names.items():
        if number not in records:
            known.fault(f"job {number} was acknowledged and is gone")
        elif records[number][-1]["name"] != name:
            known.fault(f"job {number} is '{records[number][-1]['name']}', not '{name}'")
    for number in known.cancelled:
        state = records.get(number, [{"state": "GONE"}])[-1]["state"]
        if state in ("PENDING", "RUNNING"):
            known.fault(f"job {number} was cancelled and is {state}")
    lines = open(marks).read().split() if os.path.exists(marks) else []
    for line in set(lines):
        if lines.count(line) > 1:
            known.fault(f"run {line} was launched {lines.count(line)} times")


def audit(folder, known):
    result = subprocess.run(["xinghe", "audit", "--state", folder], capture_output=True, text=True)
    if result.returncode != 0:
        known.fault(f"audit of {folder}: {result.stderr[:600]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--audit-every", type=int, default=10)
    options = parser.parse_args()
    print(f"{options.rounds} rounds of kill -9, seed {options.seed}", flush=True)
    known, backups = Knowledge(), 0
    with tempfile.TemporaryDirectory(prefix="xinghe-torture.") as work:
        marks = work + "/marks"
        for number in range(options.rounds):
            chance = random.Random((options.seed << 20) + number)
            daemon = Daemon(work + "/centre", time_mode=chance.choice(["x60", "x3600", "real"]))
            if chance.random() < 0.1:
                size = os.path.getsize(daemon.state + "/journal.sqlite") if number else 0
                daemon.extra = ["--journal-limit", str((size >> 20) + 1)]
            if chance.random() < 0.7:
                daemon.extra = daemon.extra + ["--image-every", str(chance.choice([1, 20, 300]))]
            try:
                daemon.start()
            except RuntimeError as error:
                known.fault(f"round {number}: {error}")
                break
            stop = threading.Event()
            clients = [threading.Thread(target=client, args=(daemon, known, chance.randrange(1 << 40), marks, stop)) for _ in range(3)]
            for thread in clients:
                thread.start()
            time.sleep(chance.random() ** 2 * 1.5)
            if chance.random() < 0.1:
                backups += 1
                folder = f"{work}/backup{backups}"
                made = subprocess.run(["xinghe", "backup", "--state", daemon.state, folder], capture_output=True, text=True)
                if made.returncode != 0:
                    known.fault(f"backup: {made.stderr[:300]}")
                else:
                    audit(folder, known)
            daemon.kill()
            stop.set()
            for thread in clients:
                thread.join()
            if number % options.audit_every == options.audit_every - 1 or number == options.rounds - 1:
                audit(daemon.state, known)
                daemon.extra = []
                daemon.start()
                check(daemon, known, marks)
                daemon.kill()
                print(f"  round {number + 1}: {len(known.names)} jobs acknowledged, {len(known.real)} real, "
                      f"{backups} backups, {len(known.faults)} faults", flush=True)
            if len(known.faults) > 10:
                break
    print(f"  {len(known.faults)} faults" + (f"; again with --seed {options.seed}" if known.faults else ""))
    return 1 if known.faults else 0


if __name__ == "__main__":
    sys.exit(main())

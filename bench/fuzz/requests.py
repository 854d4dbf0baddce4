"""Mutated requests against a living centre: whatever comes, it answers, soon, and stays as it was.

usage: requests.py [--count N] [--seed S] [--slow SECONDS]     programs are taken from PATH

A fault is an answer of 500, none at all, one that takes longer than --slow, a daemon that ends or grows by
more than 50 MiB, and a journal that does not open again or that the audit refuses. Each is printed with the
seed that makes it again.
"""

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "centre"))
from daemon import Daemon  # noqa: E402

JOB = {
    "submit_line": "sbatch -N 1 a.sh", "script": "#!/bin/bash\nsrun hostname\n", "script_arguments": ["a"],
    "environment": ["PATH=/bin"], "work_dir": "/tmp", "name": "fuzz", "partitions": ["thcp1"], "account": "guest",
    "comment": "runtime=60", "min_nodes": 1, "max_nodes": 2, "tasks": 4, "cpus_per_task": 1, "tasks_per_node": 2,
    "time_limit": 60_000_000, "memory_per_node": 1 << 30, "gres": [{"name": "gpu", "count": 1}],
    "required_nodes": "cn[0-3]", "excluded_nodes": "cn9", "features": "thcp1", "begin": 1_800_000_000_000_000,
    "hold": True, "nice": 5, "dependencies": [{"kind": "afterany", "job_id": 1}], "array": {"ranges": [
        {"first": 0, "last": 3, "step": 1}], "limit": 2}, "std_out": "%j.out", "umask": 18, "requeue": True,
    "deadline": 1_900_000_000_000_000, "signal": {"number": 10, "lead": 60_000_000}, "exclusive": "user",
}
# (method, target, body). Jobs stay held, so that the centre does not fill with what ran.
CORPUS = [
    ("POST", "/v1/jobs", JOB), ("POST", "/v1/jobs", {"script": "#!/bin/sh\n", "hold": True}),
    ("POST", "/v1/jobs", {"script": "#!/bin/sh\n", "test_only": True}),
    ("POST", "/v1/cancel", {"jobs": [{"job_id": 3, "array_tasks": [1, 2]}], "user": "root", "states": ["PENDING"]}),
    ("POST", "/v1/cancel", {"jobs": [{"job_id": 2}], "signal": 10, "shell_only": True}),
    ("POST", "/v1/jobs/2/update", {"time_limit": 120_000_000, "priority": 5, "name": "x", "nodes": 2}),
    ("POST", "/v1/jobs/3/update", {"dependencies": [{"kind": "after", "job_id": 2, "delay": 60_000_000}]}),
    ("POST", "/v1/jobs/3/update", {"array_tasks": [0, 1], "time_limit_change": 60_000_000, "array_limit": 3}),
    ("POST", "/v1/jobs/2/hold", {"user_hold": True}), ("POST", "/v1/jobs/2/release", {}),
    ("POST", "/v1/jobs/2/requeue", {"hold_afterwards": True}), ("POST", "/v1/jobs/2/suspend", {}),
    ("POST", "/v1/jobs/2/resume", {}), ("POST", "/v1/jobs/2/top", {}), ("POST", "/v1/jobs/2/cancel", {}),
    ("POST", "/v1/nodes/update", {"nodes": "cn[1-2]", "state": "DRAIN", "reason": "fuzz"}),
    ("POST", "/v1/nodes/update", {"nodes": "cn[1-2]", "state": "RESUME"}),
    ("POST", "/v1/partitions/update", {"name": "thcp1", "state": "UP"}),
    ("POST", "/v1/reservations", {"name": "r", "duration": 3_600_000_000, "node_count": 2, "users": "root",
                                  "flags": "MAINT", "partition": "thcp1"}),
    ("POST", "/v1/reservations/update", {"name": "r", "duration": 7_200_000_000}),
    ("POST", "/v1/reservations/delete", {"name": "r"}),
    ("POST", "/v1/money", {"action": "pay", "account": "guest", "amount_fen": 100, "reference": "r1"}),
    ("POST", "/v1/money", {"action": "limit", "account": "guest", "amount_fen": 100_000}),
    ("POST", "/v1/money", {"action": "voucher", "account": "guest", "amount_fen": 100, "reference": "v",
                           "valid_from": "2026-01-01", "valid_to": "2027-01-01"}),
    ("POST", "/v1/money", {"action": "budget", "account": "guest", "amount_fen": 100, "period": "month"}),
    ("POST", "/v1/money", {"action": "storage", "storage": [{"account": "guest", "platform": "tianhe",
                                                             "day": "2026-11-20", "bytes": 1000, "line": 1}]}),
    ("POST", "/v1/clock/advance", {"duration": 1_000_000}),
    ("GET", "/v1/jobs?id=1,2&user=root&state=PENDING&partition=thcp1&ended=1&fields=job_id,name", None),
    ("GET", "/v1/jobs/3", None), ("GET", "/v1/jobs/3/script", None), ("GET", "/v1/status", None),
    ("GET", "/v1/accounting?id=1&user=root&from=today&until=now", None), ("GET", "/v1/reservations", None),
    ("GET", "/v1/bill?account=guest&period=2026-11&by=user&jobs=true", None), ("GET", "/v1/accounts", None),
]
NUMBERS = [0, -1, 1, 2**31 - 1, 2**31, -2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, -2**63, 2**63, 10**30, 0.5, 1e308]
TEXTS = ["", "\0", "\n", "\x7f", "a" * 2000, "%j%A%a%100u", "cn[0-7167]", "cn[0-7167]," * 50, "cn[0-1]" * 20,
         "cn[" + "0" * 500 + "-7]", "../../etc", "天河", "\U0001F680", "-1", "runtime=99999999999999999999",
         "kernel=stream,size=-1", "afterok:1?afterok:2", "é\u0301", "a" * 70_000, "&=%25", "2026-02-30", "1e9"]
BYTES = [b"", b"\0", b"\xff", b"{", b"}", b"[" * 3000, b"\"", b",", b":", b"null", b"1e999", b"\\u0000", b"\\ud800"]


def mutate(value, chance):
    """The value with some of its leaves and members changed."""
    if isinstance(value, dict):
        result = {}
        for name, member in value.items():
            roll = chance.random()
            if roll < 0.03:
                continue
            if roll < 0.05:
                name = chance.choice([name[:-1], name + "s", name.upper(), "bogus", ""])
            result[name] = mutate(member, chance)
        return result
    if isinstance(value, list):
        result = [mutate(element, chance) for element in value]
        if result and chance.random() < 0.05:
            result = result * chance.choice([0, 2, 50, 400])
        return result
    if chance.random() > 0.12:
        return value
    return chance.choice([chance.choice(NUMBERS), chance.choice(TEXTS), None, True, [], {}, [value], {"a": value}])


def request(seed):
    """The bytes of one request."""
    chance = random.Random(seed)
    method, target, body = chance.choice(CORPUS)
    if chance.random() < 0.2:
        at = chance.randrange(len(target) + 1)
        target = target[:at] + chance.choice(["9", "/", "?", "&", "%00", "%", "=", ",", "4294967295", "x" * 300]) + target[at:]
    target = target.replace(" ", "%20")
    data = b""
    if body is not None:
        data = json.dumps(mutate(body, chance), ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
        while chance.random() < 0.15:
            at = chance.randrange(len(data) + 1)
            data = data[:at] + chance.choice(BYTES) + data[at + chance.randrange(3):]
    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode("utf-8", "replace") + data


class Link:
    """A connection that is kept while the daemon keeps it."""

    def __init__(self, path):
        self.path, self.socket = path, None

    def ask(self, data, timeout):
        """The status of the answer; nil when the connection is closed without one."""
        for attempt in range(2):
            if self.socket is None:
                self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self.socket.settimeout(timeout)
                self.socket.connect(self.path)
                attempt = 1
            try:
                self.socket.sendall(data)
                status = self.answer()
            except (BrokenPipeError, ConnectionResetError):
                status = None
            if status is not None:
                return status
            self.socket.close()
            self.socket = None
            if attempt:
                return None
        return None

    def answer(self):
        got = b""
        while b"\r\n\r\n" not in got:
            part = self.socket.recv(1 << 16)
            if not part:
                return None
            got += part
        head, _, rest = got.partition(b"\r\n\r\n")
        length, close = 0, False
        for line in head.lower().split(b"\r\n")[1:]:
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
            close = close or line == b"connection: close"
        while len(rest) < length:
            part = self.socket.recv(1 << 16)
            if not part:
                break
            rest += part
        if close:
            self.socket.close()
            self.socket = None
        return int(head.split()[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--slow", type=float, default=2.0)
    options = parser.parse_args()
    print(f"{options.count} mutated requests, seeds from {options.seed}")
    faults, statuses = [], {}
    with tempfile.TemporaryDirectory(prefix="xinghe-fuzz.") as work:
        daemon = Daemon(work + "/centre")
        daemon.start()
        for _ in range(3):
            daemon.post("/v1/jobs", dict(JOB, dependencies=[], partitions=[], required_nodes=None))
        link, before, begin = Link(daemon.socket), None, time.monotonic()
        for seed in range(options.seed, options.seed + options.count):
            data, start = request(seed), time.monotonic()
            try:
                status = link.ask(data, 60)
            except OSError as error:
                status = str(error)
            took = time.monotonic() - start
            statuses[status] = statuses.get(status, 0) + 1
            if daemon.process.poll() is not None:
                faults.append(f"seed {seed}: the daemon ended with {daemon.process.returncode}: {data[:300]!r}")
                daemon.start()
                link = Link(daemon.socket)
            elif status == 500 or isinstance(status, str) or took > options.slow:
                faults.append(f"seed {seed}: status {status} after {took:.2f} s: {data[:300]!r}")
                if isinstance(status, str):
                    link = Link(daemon.socket)
            if seed == options.seed + min(1_000, options.count // 2):
                before = daemon.memory()
            if len(faults) >= 20:
                break
        took = time.monotonic() - begin
        grown = daemon.memory() - (before or daemon.memory())
        jobs = json.loads(daemon.get("/v1/status")[1])["next_job_id"]
        # Each job that was taken in has a right to some memory.
        if grown > 50 + jobs * 0.01:
            faults.append(f"grew by {grown:.0f} MiB")
        daemon.kill()
        daemon.start()
        daemon.stop()
        audit = subprocess.run(["xinghe", "audit", "--state", daemon.state], capture_output=True, text=True)
        if audit.returncode != 0:
            faults.append("audit: " + audit.stderr[:500])
    print(f"  {options.count / took:.0f} requests/s, {jobs} job numbers, grown by {grown:.0f} MiB")
    print("  answers " + ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items(), key=str)))
    for fault in faults:
        print("  FAULT " + fault)
    print(f"  {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

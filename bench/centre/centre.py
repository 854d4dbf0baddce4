"""A centre that has grown old, or has many users: what opening, listing, submitting and ending cost, what a job
leaves, whether accelerated time keeps up, and what others wait for requests that come to much.

usage: centre.py [--waiting N] [--ended N] [--seconds N] [--amplified 0|1]     programs are taken from PATH
"""

import argparse
import getpass
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from daemon import Daemon

MACHINE = "tianjin"
BATCH = 5_000
missed = []


def report(name, value, unit, limit=None, least=False):
    """Prints one figure, and whether it keeps its limit."""
    words = ""
    if limit is not None:
        met = value >= limit if least else value <= limit
        words = f"   {'at least' if least else 'at most'} {limit:g}: {'met' if met else 'MISSED'}"
        if not met:
            missed.append(name)
    print(f"  {name:<58} {value:10.3f} {unit}{words}", flush=True)


def job(index, **members):
    """A submission as a client makes it."""
    return dict({
        "submit_line": f"yhbatch -N 1 job{index % 97}.sh", "script": "#!/bin/bash\nsrun hostname\n",
        "work_dir": "/home/u/run", "name": f"job{index % 97}", "min_nodes": 1,
        "time_limit": 3600 * 1_000_000,
    }, **members)


def submit(daemon, count, **members):
    """Submits `count` jobs in batches; the wall seconds without what this program does itself."""
    batches = [daemon.lines(job(first + i, **members) for i in range(min(BATCH, count - first)))
               for first in range(0, count, BATCH)]
    begin = time.monotonic()
    answers = [daemon.post("/v1/jobs/batch", lines) for lines in batches]
    took = time.monotonic() - begin
    for status, body in answers:
        if status != 200 or b'"code"' in body:
            raise RuntimeError(f"refused: {status} {body[:300]}")
    return took


def submit_ending(daemon, count):
    """Submits jobs of which hardly two end at the same instant."""
    daemon.batch([job(i, comment=f"runtime={1 + i % 3_500}") for i in range(count)])


def command(daemon, *words):
    """The median wall time of a whole process. Unit: s."""
    environment = dict(os.environ, XINGHE_SOCKET=daemon.socket)
    times = []
    for _ in range(7):
        begin = time.perf_counter()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=environment)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def submissions(daemon, count, at_once):
    """`yhbatch` so many times, so many at once; jobs a second."""
    environment = dict(os.environ, XINGHE_SOCKET=daemon.socket)

    def some():
        for _ in range(count // at_once):
            subprocess.run(["yhbatch", "-N", "1", "-H", "--wrap", "true"], check=True, stdout=subprocess.DEVNULL,
                           env=environment)

    threads = [threading.Thread(target=some) for _ in range(at_once)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count / (time.monotonic() - begin)


def reopen(daemon, name, limit):
    """Kills the daemon and opens it again."""
    daemon.kill()
    wall = daemon.start()
    cpu = daemon.cpu()
    report(f"open after kill -9, {name}: processor time", cpu, "s", limit)
    report(f"open after kill -9, {name}: wall", wall, "s")


def waiting(work, count):
    daemon = Daemon(work + "/waiting", MACHINE)
    daemon.start()
    empty = daemon.memory()
    # Held: so many wait whatever the machine has.
    took = submit(daemon, count, hold=True)
    report(f"batch submission, {count} jobs", count / took, "jobs/s", 50_000, least=True)
    report("resident memory of a waiting job", (daemon.memory() - empty) * 1024 / count, "KiB")
    report("squeue -u of a user without jobs", command(daemon, "yhqueue", "-u", "nobody") * 1000, "ms", 30)
    report("yhqueue, all", command(daemon, "yhqueue"), "s", 0.5)
    report("yhinfo, 13,537 nodes", command(daemon, "yhinfo") * 1000, "ms", 20)
    report("yhbatch, one after the other", submissions(daemon, 200, 1), "jobs/s", 300, least=True)
    report("yhbatch, four at once", submissions(daemon, 400, 4), "jobs/s", 600, least=True)
    reopen(daemon, f"{count} waiting", 0.5)
    begin = time.monotonic()
    subprocess.run(["yhcancel", "-u", getpass.getuser()], check=True, env=dict(os.environ, XINGHE_SOCKET=daemon.socket))
    report(f"scancel -u of {count}", time.monotonic() - begin, "s", 1)
    left = json.loads(daemon.get("/v1/status")[1])["jobs_pending"]
    if left:
        raise RuntimeError(f"{left} jobs are left after scancel")
    daemon.stop()


def ended(work, count):
    daemon = Daemon(work + "/ended", MACHINE)
    daemon.start()
    empty = daemon.memory()
    took = 0.0
    for first in range(0, count, BATCH):
        submit_ending(daemon, min(BATCH, count - first))
        begin = time.monotonic()
        status, body = daemon.post("/v1/clock/advance", {"duration": 3600 * 1_000_000})
        if status != 200:
            raise RuntimeError(f"advance: {status} {body[:300]}")
        took += time.monotonic() - begin
    report(f"starts and ends of {count} jobs, stepped", count / took, "jobs/s", 5_000, least=True)
    status = json.loads(daemon.get("/v1/status")[1])
    if status.get("ended", count) < count:
        raise RuntimeError(f"not all ended: {status}")
    report("resident memory of an ended job", (daemon.memory() - empty) * 1024 / count, "KiB", 0.04)
    report("disk of an ended job", daemon.disk() / count, "bytes")
    report("sacct of the last day", command(daemon, "yhacct", "-X", "-n"), "s", 0.1)
    accounts = json.loads(daemon.get("/v1/accounts")[1])["accounts"]
    account = max(accounts, key=lambda row: row["balance_fen"])["account"]
    begin = time.monotonic()
    status, body = daemon.get(f"/v1/bill?account={account}")
    if status != 200:
        raise RuntimeError(f"bill: {status} {body[:300]}")
    report("bill of the account of them all", time.monotonic() - begin, "s")
    report("sacct of one job", command(daemon, "yhacct", "-j", str(count // 2)), "s", 0.1)
    reopen(daemon, f"{count} ended", 0.5)
    report("resident memory after that", daemon.memory(), "MiB", 300)
    archived(daemon, count)
    daemon.stop()


def archived(daemon, count):
    """Packs the past of the centre, open and then closed: what others wait for it, and what is left."""
    environment = dict(os.environ, XINGHE_SOCKET=daemon.socket)
    waits, stop = [], threading.Event()
    other = threading.Thread(target=bystander, args=(daemon, stop, waits))
    other.start()
    begin = time.monotonic()
    subprocess.run(["xinghe", "archive"], check=True, stdout=subprocess.DEVNULL, env=environment)
    report("archive of the open centre", time.monotonic() - begin, "s")
    stop.set()
    other.join()
    report("the longest that others wait meanwhile", max(waits) * 1000, "ms", 100)
    report("disk of an ended job, archived open", daemon.disk() / count, "bytes")
    report("sacct of the last day, archived", command(daemon, "yhacct", "-X", "-n"), "s")
    report("sacct of one job, archived", command(daemon, "yhacct", "-j", str(count // 2)), "s", 0.1)
    daemon.stop()
    begin = time.monotonic()
    subprocess.run(["xinghe", "archive", "--state", daemon.state], check=True, stdout=subprocess.DEVNULL)
    report("archive of the closed centre", time.monotonic() - begin, "s")
    report("disk of an ended job, archived closed", daemon.disk() / count, "bytes", 1_500)
    begin = time.monotonic()
    subprocess.run(["xinghe", "audit", "--state", daemon.state], check=True, stdout=subprocess.DEVNULL)
    report("audit of the archived centre", time.monotonic() - begin, "s")
    daemon.start()
    reopen(daemon, f"{count} ended, archived", 0.5)


def accelerated(work, seconds):
    """20,000 jobs a day at 3,600 times the wall's speed: does the centre keep up, and answer meanwhile?"""
    daemon = Daemon(work + "/accelerated", MACHINE, time_mode="x3600")
    daemon.start()
    waits, lags, jobs, begin = [], [], 0, time.monotonic()
    while time.monotonic() - begin < seconds:
        # An emulated hour's jobs each second of the wall.
        if jobs < (time.monotonic() - begin) * 20_000 / 24:
            daemon.batch([job(jobs + i, comment=f"runtime={60 + (jobs + i) * 7919 % 28_800}", time_limit=36_000_000_000)
                          for i in range(100)])
            jobs += 100
        start = time.monotonic()
        status = json.loads(daemon.get("/v1/status")[1])
        waits.append(time.monotonic() - start)
        lags.append(status.get("lag", 0) / 3_600e6)
        time.sleep(0.01)
    report(f"x3600 with 20,000 jobs a day, {seconds} s: most that time lags", max(lags), "s", 1)
    report("the longest that an answer takes meanwhile", max(waits) * 1000, "ms", 100)
    report("jobs that ended meanwhile", status["jobs_ended"], "jobs")
    daemon.stop()


def bystander(daemon, stop, waits):
    """Asks and submits like somebody who has nothing to do with it."""
    while not stop.is_set():
        for method, target, body in (("GET", "/v1/status", None), ("POST", "/v1/jobs", {"script": "#!/bin/sh\n", "hold": True})):
            start = time.monotonic()
            if method == "GET":
                daemon.get(target, timeout=300)
            else:
                daemon.post(target, body)
            waits.append(time.monotonic() - start)
        time.sleep(0.005)


def amplified(work):
    """Small requests that come to much: do others wait, does memory grow?"""
    daemon = Daemon(work + "/amplified", MACHINE)
    daemon.start()

    def array(last, **members):
        return dict({"script": "#!/bin/sh\n", "hold": True, "array": {"ranges": [{"first": 0, "last": last}]}}, **members)

    daemon.post("/v1/jobs", array(9_999))
    daemon.post("/v1/jobs", array(9_999))
    after = [{"kind": "afterany", "job_id": 1}]
    requests = [
        ("a list of one array 100 times", "GET", "/v1/jobs?id=" + ",".join(["1"] * 100), None),
        ("a cancel of one array 300 times", "POST", "/v1/cancel", {"jobs": [{"job_id": 1}] * 300, "signal": 10}),
        ("20 elements with 8,192 equal dependencies", "POST", "/v1/jobs", array(19, dependencies=after * 8_192)),
        ("10,000 elements that would wait for themselves", "POST", "/v1/jobs/1/update", {"dependencies": after}),
        ("10,000 elements that wait for 10,000", "POST", "/v1/jobs/10001/update", {"dependencies": after}),
        ("6,000 singletons", "POST", "/v1/jobs", array(5_999, name="s", dependencies=[{"kind": "singleton", "job_id": 0}])),
        ("all nodes 3,000 times over", "POST", "/v1/jobs", {"script": "#!/bin/sh\n", "excluded_nodes": "cn[0-7167]," * 3_000}),
        ("an array of 10,000", "POST", "/v1/jobs", array(9_999)),
        ("50,000 submissions in one batch", "POST", "/v1/jobs/batch", b"\n".join([json.dumps(job(1, hold=True)).encode()] * 50_000)),
        ("the cancel of them all", "POST", "/v1/cancel", {"user": "root"}),
    ]
    for name, method, target, body in requests:
        before, waits, stop = daemon.memory(), [], threading.Event()
        other = threading.Thread(target=bystander, args=(daemon, stop, waits))
        other.start()
        start = time.monotonic()
        if method == "GET":
            daemon.get(target, timeout=300)
        else:
            daemon.post(target, body)
        took = time.monotonic() - start
        stop.set()
        other.join()
        print(f"  {name}: {took:.2f} s, grown by {daemon.memory() - before:.0f} MiB")
        report("    the longest that others wait", max(waits) * 1000, "ms", 100)
    daemon.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--waiting", type=int, default=50_000)
    parser.add_argument("--ended", type=int, default=200_000)
    parser.add_argument("--seconds", type=int, default=168, help="wall time of the accelerated centre; an emulated hour each")
    parser.add_argument("--amplified", type=int, default=1)
    options = parser.parse_args()
    print(f"a centre of 18,177 nodes ({MACHINE}), stepped, one user; programs as whole processes, median of 7")
    with tempfile.TemporaryDirectory(prefix="xinghe-bench.") as work:
        if options.waiting:
            waiting(work, options.waiting)
        if options.ended:
            ended(work, options.ended)
        if options.seconds:
            accelerated(work, options.seconds)
        if options.amplified:
            amplified(work)
    if missed:
        print(f"  {len(missed)} limits missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

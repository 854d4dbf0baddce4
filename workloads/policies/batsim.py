"""Schedulers that speak Batsim's protocol decide in a replay.

    xinghe replay LOG --policy external \\
        --external 'python3 workloads/policies/batsim.py "pybatsim easyBackfill -s $BATSIM_ENDPOINT"'

Runs COMMAND as the shell does and speaks to the address in BATSIM_ENDPOINT, where the scheduler must
listen (ZeroMQ, REP). Needs pyzmq. Source: Batsim's docs/protocol.rst, version 4.

Times are seconds there, whole microseconds here. Decisions hold from the instant that the scheduler
says; until its answer is over it is told nothing, as in Batsim. It chooses the nodes, may kill and
reject jobs, and hears of nodes that fail (--failures, --events): the jobs on them are killed and
submitted again as log!7#1. What Batsim's simulated hosts could do and a replay cannot (power states,
jobs that are made on the way) ends the replay with a message.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import xinghe_policy

SECOND = 1_000_000
WORKLOAD = "log"
STATES = {
    "COMPLETED": "COMPLETED_SUCCESSFULLY",
    "TIMEOUT": "COMPLETED_WALLTIME_REACHED",
    "CANCELLED": "COMPLETED_KILLED",
}


class Failure(Exception):
    """What the scheduler did that cannot go on."""


class Scheduler:
    """The other side: one message, one answer."""

    def __init__(self, command, endpoint, patience):
        try:
            import zmq  # Only who speaks to another process needs it.
        except ImportError:
            raise Failure("Python's package pyzmq is missing: pip install pyzmq") from None

        self.silence = zmq.Again
        self.socket = zmq.Context().socket(zmq.REQ)
        self.socket.linger = 0
        self.socket.rcvtimeo = 100
        self.patience = patience
        self.process = subprocess.Popen(
            command,
            shell=True,
            env=dict(os.environ, BATSIM_ENDPOINT=endpoint),
            # The replay reads our output, so the scheduler's belongs with the messages.
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
        )
        self.socket.connect(endpoint)

    def ask(self, now, events):
        self.socket.send_string(json.dumps({"now": now / SECOND, "events": events}))
        waited = 0
        while True:
            try:
                return json.loads(self.socket.recv_string())
            except self.silence:
                waited += self.socket.rcvtimeo / 1_000
                if self.process.poll() is not None:
                    raise Failure(f"the scheduler ended with status {self.process.returncode}") from None
                if waited >= self.patience:
                    raise Failure(f"the scheduler did not answer within {self.patience} s") from None

    def finish(self, patience=2):
        try:
            self.process.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Bridge:
    """What both sides are told, and when."""

    def __init__(self, scheduler, hello):
        self.scheduler = scheduler
        self.nodes = hello["nodes"]
        self.knows_all = False
        self.news = []  # events that the scheduler has not been told
        self.jobs = {}  # jobs that have arrived and not ended, as the replay described them
        self.attempts = {}  # how often a job lost its nodes
        self.decisions = []  # (instant, job, nodes to start it on, None: cancel it), ascending
        self.calls = []  # instants at which it wants to be asked
        self.busy_until = 0
        self.runs = {}  # (nodes, instant of the start) of the jobs that run
        self.killing = set()
        self.rejected = set()  # jobs of whose end the scheduler is not told
        self.unavailable = set()
        # Alone: schedulers prepare themselves when they have read it.
        self.news.append(event(0, "SIMULATION_BEGINS", self.machine()))
        self.ask(0)

    def decide(self, message):
        now = message["now"]
        self.tell_nodes(now, message["out_of_service"])
        self.tell_ends(now, message["ended"], message["requeued"])
        for job in message["submitted"]:
            self.jobs[job["id"]] = job
            self.tell_submission(now, job["id"])
        if message["to_come"] == 0 and not self.knows_all:
            self.knows_all = True
            self.news.append(event(now, "NOTIFY", {"type": "no_more_static_job_to_submit"}))
        if any(instant <= now for instant in self.calls):
            self.calls = [instant for instant in self.calls if instant > now]
            self.news.append(event(now, "REQUESTED_CALL", {}))
        if now >= self.busy_until and self.news:
            self.ask(now)
        return self.answer(now)

    def tell_nodes(self, now, out_of_service):
        down = nodes_of(out_of_service or "")
        for kind, nodes in (
            ("event_machine_unavailable", down - self.unavailable),
            ("event_machine_available", self.unavailable - down),
        ):
            if nodes:
                resources = " ".join(str(node) for node in sorted(nodes))
                self.news.append(event(now, "NOTIFY", {"type": kind, "resources": resources}))
        self.unavailable = down

    def tell_ends(self, now, ended, requeued):
        killed = {}
        for number, state in [(job["id"], job["state"]) for job in ended] + [(job, "CANCELLED") for job in requeued]:
            nodes, began = self.runs.pop(number, ("", now))
            if number in self.killing:
                self.killing.discard(number)
                # What is left of a job no replay tells; of the time that it asked for, this.
                limit = self.jobs[number]["limit"]
                progress = min((now - began) / limit, 1) if limit else 1
                killed[self.name(number)] = {"profile": "log", "progress": progress}
            if number not in self.rejected:
                completion = {
                    "job_id": self.name(number),
                    "job_state": STATES.get(state, "COMPLETED_FAILED"),
                    "return_code": 0 if state == "COMPLETED" else 1,
                    "alloc": nodes,
                }
                self.news.append(event(now, "JOB_COMPLETED", completion))
        if killed:
            self.news.append(event(now, "JOB_KILLED", {"job_ids": list(killed), "job_progress": killed}))
        for job in ended:
            del self.jobs[job["id"]]
        for number in requeued:
            self.attempts[number] = self.attempts.get(number, 0) + 1
            self.tell_submission(now, number)

    def tell_submission(self, now, number):
        job, name = self.jobs[number], self.name(number)
        description = {
            "id": name,
            "subtime": now / SECOND,
            "res": job["nodes"],
            "walltime": job["limit"] / SECOND,
            "profile": "log",
        }
        self.news.append(event(now, "JOB_SUBMITTED", {"job_id": name, "job": description}))

    def name(self, number):
        attempt = self.attempts.get(number)
        return f"{WORKLOAD}!{number}#{attempt}" if attempt else f"{WORKLOAD}!{number}"

    def ask(self, now):
        reply = self.scheduler.ask(now, self.news)
        self.news = []
        self.busy_until = max(now, instant_of(reply["now"]))
        for decision in sorted(reply["events"], key=lambda decision: decision["timestamp"]):
            self.note(max(now, instant_of(decision["timestamp"])), decision)

    def note(self, instant, decision):
        kind, data = decision["type"], decision.get("data", {})
        if kind == "EXECUTE_JOB":
            self.decisions.append((instant, data["job_id"], data["alloc"]))
        elif kind == "REJECT_JOB":
            self.rejected.add(number_of(data["job_id"]))
            self.decisions.append((instant, data["job_id"], None))
        elif kind == "KILL_JOB":
            self.decisions += [(instant, job, None) for job in data["job_ids"]]
        elif kind == "CALL_ME_LATER":
            self.calls.append(instant_of(data["timestamp"]))
        elif kind != "NOTIFY":
            raise Failure(f"the scheduler asks for {kind}, which a replay cannot do")

    def answer(self, now):
        starts, cancelled = {}, []
        while self.decisions and self.decisions[0][0] <= now:
            _, job, nodes = self.decisions.pop(0)
            number = number_of(job)
            if number not in self.jobs or self.name(number) != job:
                # It ended, or lost its nodes, while the decision was under way.
                if nodes is None:
                    self.news.append(event(now, "JOB_KILLED", {"job_ids": [job], "job_progress": {}}))
            elif nodes is None:
                starts.pop(number, None)
                cancelled.append(number)
                if number not in self.rejected:
                    self.killing.add(number)
            else:
                self.runs[number] = (nodes, now)
                # Batsim sets its intervals apart by spaces.
                starts[number] = nodes.replace(" ", ",")
        answer = {
            "start": [{"id": number, "nodes": nodes} for number, nodes in starts.items()],
            "cancel": list(dict.fromkeys(cancelled)),
        }
        wakes = [instant for instant, _, _ in self.decisions] + self.calls
        if self.news or cancelled:
            wakes.append(max(self.busy_until, now + 1))
        later = [instant for instant in wakes if instant > now]
        return dict(answer, wake=min(later)) if later else answer

    def end(self):
        self.scheduler.ask(self.busy_until, [event(self.busy_until, "SIMULATION_ENDS", {})])

    def machine(self):
        resources = [
            {"id": node, "name": f"node{node}", "state": "idle", "properties": {}, "zone_properties": {}}
            for node in range(self.nodes)
        ]
        return {
            "nb_resources": self.nodes,
            "nb_compute_resources": self.nodes,
            "nb_storage_resources": 0,
            "allow_compute_sharing": False,
            "allow_storage_sharing": False,
            "compute_resources": resources,
            "storage_resources": [],
            "config": {
                "redis-enabled": False,
                "profiles-forwarded-on-submission": False,
                "dynamic-jobs-enabled": False,
                "dynamic-jobs-acknowledged": False,
                "profile-reuse-enabled": False,
                "forward-unknown-events": False,
            },
            "workloads": {WORKLOAD: "log"},
            "profiles": {WORKLOAD: {"log": {"type": "delay", "delay": 0}}},
        }


def event(now, kind, data):
    return {"timestamp": now / SECOND, "type": kind, "data": data}


def instant_of(seconds):
    return round(seconds * SECOND)


def number_of(name):
    return int(name.rpartition("!")[2].partition("#")[0])


def nodes_of(text):
    """The numbers of a list such as 3-5,7."""
    ranges = [part.partition("-") for part in text.split(",") if part]
    return {node for first, _, last in ranges for node in range(int(first), int(last or first) + 1)}


def main():
    parser = argparse.ArgumentParser(description="Let a scheduler that speaks Batsim's protocol decide in a replay.")
    parser.add_argument("command", metavar="COMMAND", help="starts the scheduler; it listens at $BATSIM_ENDPOINT")
    parser.add_argument("--patience", metavar="S", type=float, default=25, help="seconds that an answer may take")
    options = parser.parse_args()
    name = " ".join(options.command.split()[:2])
    with tempfile.TemporaryDirectory(prefix="xinghe-batsim-") as folder:
        try:
            run(Scheduler(options.command, f"ipc://{folder}/socket", options.patience), name)
        except Failure as failure:
            sys.exit(f"batsim.py: {failure}")


def run(scheduler, name):
    bridge = None
    patience = 2
    try:
        for line in sys.stdin:
            message = json.loads(line)
            if message["type"] == "hello":
                bridge = Bridge(scheduler, message)
                xinghe_policy.greet(name)
            elif message["type"] == "decide":
                xinghe_policy.answer(bridge.decide(message))
            elif message["type"] == "end":
                bridge.end()
    except Failure:
        patience = 0
        raise
    finally:
        scheduler.finish(patience)


if __name__ == "__main__":
    main()

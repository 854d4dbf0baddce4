"""FCFS that speaks Batsim's messages, in one process with workloads/policies/batsim.py.

    batsim_fcfs.py POLICIES_FOLDER DELAY      (DELAY: what each decision takes, in seconds)
"""

import sys

sys.path.insert(0, sys.argv[1])
import batsim


class FCFS:
    def __init__(self, delay):
        self.delay = delay
        self.free = None
        self.queue = []
        self.expected = ["SIMULATION_BEGINS"]

    def ask(self, now, events):
        now /= batsim.SECOND
        kinds = [event["type"] for event in events]
        if self.expected:
            assert kinds == self.expected, kinds
            self.expected = []
        for event in events:
            assert event["timestamp"] <= now, (event, now)
            data = event["data"]
            if event["type"] == "SIMULATION_BEGINS":
                self.free = {resource["id"] for resource in data["compute_resources"]}
                assert len(self.free) == data["nb_compute_resources"]
            elif event["type"] == "JOB_SUBMITTED":
                assert data["job"]["id"] == data["job_id"] and data["job"]["walltime"] > 0, data
                self.queue.append(data["job"])
            elif event["type"] == "JOB_COMPLETED":
                assert data["job_state"] in batsim.STATES.values(), data
                self.free |= {int(node) for node in data["alloc"].split()}
            elif event["type"] == "SIMULATION_ENDS":
                assert not self.queue and kinds == ["SIMULATION_ENDS"], kinds
        now += self.delay
        return {"now": now, "events": self.starts(now)}

    def starts(self, now):
        starts = []
        while self.queue and self.queue[0]["res"] <= len(self.free):
            job = self.queue.pop(0)
            nodes = sorted(self.free)[: job["res"]]
            self.free -= set(nodes)
            alloc = " ".join(str(node) for node in nodes)
            starts.append(batsim.event(now * batsim.SECOND, "EXECUTE_JOB", {"job_id": job["id"], "alloc": alloc}))
        return starts

    def finish(self, patience):
        assert self.free is not None


batsim.run(FCFS(float(sys.argv[2])), "FCFS")

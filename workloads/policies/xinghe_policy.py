"""The protocol of docs/external-policy.md: lines of JSON in, lines of JSON out.

A policy is an object with one method:

    decide(now, submitted, ended, free_nodes) -> the jobs to start now, in this order

`submitted` is a list of Job, `ended` a list of job numbers; times are whole microseconds. A job whose
node failed is in both.
"""

import json
import sys
from dataclasses import dataclass

PROTOCOL = 1


@dataclass
class Job:
    """A job that waits or runs. `limit` is what its user promised, in microseconds; `arrival` is its
    place among all that arrived, which it keeps when it waits again."""

    arrival: int
    id: int
    nodes: int
    processors: int
    limit: int
    user: int
    group: int
    queue: int
    partition: int


def job_of(message, arrival):
    """The job in a message; members that a later version adds are skipped."""
    return Job(arrival, *(message[name] for name in list(Job.__dataclass_fields__)[1:]))


def answer(message):
    # Xinghe waits for this line, so it must not stay in a buffer.
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def greet(name):
    """Answer the greeting."""
    answer({"type": "hello", "protocol": PROTOCOL, "name": name})


def run(name, make_policy):
    """Speak the protocol until the replay ends. `make_policy` gets the number of nodes."""
    policy = None
    jobs = {}  # those that have arrived and not ended, by number
    arrivals = 0
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "hello":
            policy = make_policy(message["nodes"])
            greet(name)
        elif message["type"] == "decide":
            ended = [job["id"] for job in message["ended"]]
            for number in ended:
                del jobs[number]
            submitted = [jobs[number] for number in message["requeued"]]
            for description in message["submitted"]:
                submitted.append(job_of(description, arrivals))
                jobs[submitted[-1].id] = submitted[-1]
                arrivals += 1
            ended += message["requeued"]
            starts = policy.decide(message["now"], submitted, ended, message["free_nodes"])
            answer({"start": [job.id for job in starts]})
        elif message["type"] == "end":
            return

"""The protocol of docs/external-policy.md: lines of JSON in, lines of JSON out.

A policy is an object with one method:

    decide(now, submitted, ended, free_nodes) -> the jobs to start now, in this order

`submitted` is a list of Job, `ended` a list of job numbers; times are whole microseconds.
"""

import json
import sys
from dataclasses import dataclass, fields

PROTOCOL = 1


@dataclass
class Job:
    """A job that waits or runs. `limit` is what its user promised, in microseconds."""

    id: int
    nodes: int
    processors: int
    limit: int
    user: int
    group: int
    queue: int
    partition: int


def job_of(message):
    """The job in a message; members that a later version adds are skipped."""
    return Job(**{field.name: message[field.name] for field in fields(Job)})


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
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "hello":
            policy = make_policy(message["nodes"])
            greet(name)
        elif message["type"] == "decide":
            starts = policy.decide(
                message["now"],
                [job_of(job) for job in message["submitted"]],
                [job["id"] for job in message["ended"]],
                message["free_nodes"],
            )
            answer({"start": [job.id for job in starts]})
        elif message["type"] == "end":
            return

"""FCFS on nodes that jobs share: the first node that has room for the job's one chunk.

Every placement that the replay reports must be the one that was chosen.
"""

import json
import sys

WHAT = ("milli_cores", "memory_mib", "cards")


def numbers(text):
    ranges = [part.partition("-") for part in text.split(",") if part]
    return [node for first, _, last in ranges for node in range(int(first), int(last or first) + 1)]


def say(message):
    print(json.dumps(message), flush=True)


free, queue, running = {}, [], {}
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "hello":
        for kind in message["kinds"]:
            for node in numbers(kind["nodes"]):
                free[node] = {name: kind[name] for name in WHAT}
        assert len(free) == message["nodes"]
        say({"type": "hello", "protocol": 1, "name": "shared FCFS"})
    elif message["type"] == "decide":
        for job in message["placed"]:
            assert job["nodes"] == str(running[job["id"]][0]) and job["chunks"] == [1], job
        for job in message["ended"]:
            node, asked = running.pop(job["id"])
            for name in WHAT:
                free[node][name] += asked[name]
        queue += message["submitted"]
        starts = []
        while queue:
            job = queue[0]
            assert job["chunks"] == 1 and numbers(job["on"]) == sorted(free)
            nodes = [node for node in sorted(free) if all(free[node][name] >= job[name] for name in WHAT)]
            if not nodes:
                break
            queue.pop(0)
            running[job["id"]] = (nodes[0], job)
            for name in WHAT:
                free[nodes[0]][name] -= job[name]
            starts.append({"id": job["id"], "nodes": str(nodes[0])})
        say({"start": starts})

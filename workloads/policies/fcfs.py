"""First come, first served: the first job that does not fit blocks all behind it.

    xinghe replay LOG --policy external --external 'python3 workloads/policies/fcfs.py'
"""

import xinghe_policy


class FirstComeFirstServed:
    def __init__(self):
        self.queue = []  # by arrival

    def decide(self, now, submitted, ended, free_nodes):
        self.queue = sorted(self.queue + submitted, key=lambda job: job.arrival)
        starts = []
        while self.queue and self.queue[0].nodes <= free_nodes:
            job = self.queue.pop(0)
            free_nodes -= job.nodes
            starts.append(job)
        return starts


if __name__ == "__main__":
    xinghe_policy.run("fcfs.py", lambda nodes: FirstComeFirstServed())

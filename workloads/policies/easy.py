"""EASY backfilling, as docs/scheduling.md says it: a later job may overtake the head of the queue
where that does not delay the head.

    xinghe replay LOG --policy external --external 'python3 workloads/policies/easy.py'

It starts the jobs that the built-in `easy` starts, in the same order, so both replays end with the
same digest. Every decision looks through the whole queue: the built-in one does not.
"""

import xinghe_policy

SECOND = 1_000_000


class Easy:
    def __init__(self):
        self.queue = []  # by arrival
        self.running = {}  # job number -> (when its limit ends it, its nodes)

    def decide(self, now, submitted, ended, free_nodes):
        for number in ended:
            self.running.pop(number, None)
        self.queue = sorted(self.queue + submitted, key=lambda job: job.arrival)

        starts = []
        while self.queue and self.queue[0].nodes <= free_nodes:
            free_nodes -= self.queue[0].nodes
            starts.append(self.start(self.queue.pop(0), now))
        if self.queue and free_nodes > 0:
            starts += self.backfill(now, free_nodes)
        return starts

    def start(self, job, now):
        self.running[job.id] = (now + job.limit, job.nodes)
        return job

    def backfill(self, now, free_nodes):
        shadow, extra = self.shadow(self.queue[0], now, free_nodes)
        starts, waiting = [], [self.queue[0]]
        for job in self.queue[1:]:
            ends_in_time = now + job.limit <= shadow
            if job.nodes <= free_nodes and (ends_in_time or job.nodes <= extra):
                free_nodes -= job.nodes
                if not ends_in_time:
                    extra -= job.nodes
                starts.append(self.start(job, now))
            else:
                waiting.append(job)
        self.queue = waiting
        return starts

    def shadow(self, head, now, free_nodes):
        """When the head can start if every running job runs to its limit, and the nodes that are
        left beside it then."""
        # A job that has outlived its limit counts as ending a second from now.
        ends = sorted(
            (end if end > now else now + SECOND, nodes) for end, nodes in self.running.values()
        )
        for position, (instant, nodes) in enumerate(ends):
            free_nodes += nodes
            is_last = position + 1 == len(ends) or ends[position + 1][0] > instant
            if is_last and free_nodes >= head.nodes:
                return instant, free_nodes - head.nodes
        raise ValueError(f"job {head.id} is larger than the machine")


if __name__ == "__main__":
    xinghe_policy.run("easy.py", lambda nodes: Easy())

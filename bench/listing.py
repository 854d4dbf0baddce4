"""How long `yhqueue` takes against an idle centre: start of the process to its end.

Opens a centre of its own on the machine `tianjin`, asks, closes it.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

LIMIT_MILLISECONDS = 30
RUNS, WARM_UP = 50, 5


def milliseconds(command, environment):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    return (time.perf_counter() - start) * 1000


def main():
    with tempfile.TemporaryDirectory(prefix="xinghe-bench.") as work:
        environment = dict(
            os.environ,
            XINGHE_SOCKET=os.path.join(work, "socket"),
            XINGHE_STATE=os.path.join(work, "state"),
        )
        subprocess.run(
            ["xinghe", "up", "--machine", "tianjin"],
            check=True, stdout=subprocess.DEVNULL, env=environment)
        try:
            rows = {}
            for name, command in (
                ("true (a process that does nothing)", ["true"]),
                ("yhqueue", ["yhqueue"]),
                ("yhinfo", ["yhinfo"]),
            ):
                times = [milliseconds(command, environment) for _ in range(WARM_UP + RUNS)]
                rows[name] = sorted(times[WARM_UP:])
        finally:
            subprocess.run(["xinghe", "down"], stdout=subprocess.DEVNULL, env=environment)
    print(f"an idle centre of 18,177 nodes, whole process, median of {RUNS}")
    for name, times in rows.items():
        print(f"  {name:<36} {statistics.median(times):7.2f} ms"
              f"   ({times[0]:.2f}-{times[-1]:.2f})")
    median = statistics.median(rows["yhqueue"])
    verdict = "met" if median < LIMIT_MILLISECONDS else "MISSED"
    print(f"  yhqueue: under {LIMIT_MILLISECONDS} ms: {verdict}")
    return 0 if median < LIMIT_MILLISECONDS else 1


if __name__ == "__main__":
    sys.exit(main())

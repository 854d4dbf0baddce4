"""Replay a log under EASY with AccaSim (PyPI: accasim), the Python peer of bench/run.sh.

    accasim_easy.py PLAIN.swf PROCESSORS RESULTS_FOLDER

Every processor is a node of one core, as in Xinghe's `--processors N`. AccaSim writes its
schedule to RESULTS_FOLDER, as Xinghe does with --jobs-csv.
"""

import collections
import collections.abc
import json
import os
import sys

# AccaSim 1.1.3 takes Mapping from where it was before Python 3.10.
collections.Mapping = collections.abc.Mapping

from accasim.base.allocator_class import FirstFit
from accasim.base.scheduler_class import EASYBackfilling
from accasim.base.simulator_class import Simulator


def main(log, processors, results):
    os.makedirs(results, exist_ok=True)
    machine = os.path.join(results, "machine.json")
    with open(machine, "w", encoding="ascii") as file:
        json.dump(
            {
                "groups": {"processors": {"core": 1}},
                "resources": {"processors": int(processors)},
                "equivalence": {"processor": {"core": 1}},
                "start_time": 0,
            },
            file,
        )
    simulator = Simulator(
        log,
        machine,
        EASYBackfilling(FirstFit()),
        RESULTS_FOLDER_NAME=results,
        show_statistics=False,
        statistics_output=False,
    )
    simulator.start_simulation()


if __name__ == "__main__":
    main(*sys.argv[1:])

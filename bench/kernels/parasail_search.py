"""Peer of `xinghe-kernel align`: a query against random sequences with parasail, scores only, one core.

usage: parasail_search.py M D L REPEATS; prints the seconds of the fastest of parasail's 16-bit ways, its name
"""

import random
import sys
import time

import parasail

M, D, L, REPEATS = map(int, sys.argv[1:5])
random.seed(7)
query = "".join(random.choices("ACGT", k=M))
sequences = ["".join(random.choices("ACGT", k=L)) for _ in range(D)]
matrix = parasail.matrix_create("ACGT", 5, -4)
best = (float("inf"), "")
profile = parasail.profile_create_16(query, matrix)
for way in ("striped", "scan", "diag"):
    # Without a width of vectors in its name it takes the widest of the processor's.
    search = getattr(parasail, "sw_diag_16" if way == "diag" else f"sw_{way}_profile_16")
    given, extra = (query, (matrix,)) if way == "diag" else (profile, ())
    for _ in range(REPEATS):
        start = time.perf_counter()
        # A gap of k letters costs 10 + k: 11 for the first, 1 for each further one.
        for sequence in sequences:
            search(given, sequence, 11, 1, *extra)
        seconds = time.perf_counter() - start
        best = min(best, (seconds, way))
print(*best)

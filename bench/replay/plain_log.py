"""Write a log that every simulator reads in the same way.

Rows that are no job (repeated ids, partial executions, run time -1, no processors) go; a run time
above the requested time becomes the requested time, since EASY's promises mean nothing otherwise.

    plain_log.py LOG.swf.gz PLAIN.swf
"""

import gzip
import sys


def rows(source):
    seen = set()
    for line in source:
        if line.startswith(";"):
            continue
        fields = line.split()
        if len(fields) < 18:
            continue
        job, run, limit = int(fields[0]), int(fields[3]), int(fields[8])
        processors = int(fields[7]) if int(fields[7]) > 0 else int(fields[4])
        if job in seen or fields[10] in ("2", "3", "4") or run < 0 or processors <= 0:
            continue
        seen.add(job)
        limit = limit if limit > 0 else max(run, 1)
        fields[3], fields[7], fields[8] = str(min(run, limit)), str(processors), str(limit)
        fields[4], fields[6], fields[9] = fields[7], "-1", "-1"
        yield int(fields[1]), job, fields


def main(log, plain):
    opener = gzip.open if log.endswith(".gz") else open
    with opener(log, "rt", encoding="latin-1") as source:
        lines = source.readlines()
    with open(plain, "w", encoding="ascii") as target:
        target.writelines(line for line in lines if line.startswith((
            "; UnixStartTime", "; MaxProcs", "; MaxNodes")))
        count = 0
        for _, _, fields in sorted(rows(lines), key=lambda row: row[:2]):
            target.write(" ".join(fields) + "\n")
            count += 1
    print(count)


if __name__ == "__main__":
    main(*sys.argv[1:])

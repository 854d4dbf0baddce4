"""Write a log several times over: the same days again, with new numbers and later times.

    repeat.py swf LOG.swf[.gz] COPIES OUT.swf
    repeat.py pods PODS.csv[.gz] COPIES OUT.csv
"""

import gzip
import sys


def lines(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="latin-1") as file:
        return file.readlines()


def repeat_swf(source, copies, target):
    rows, header = [], []
    for line in lines(source):
        (header if line.startswith(";") else rows).append(line)
    rows = [row.split(None, 2) for row in rows if row.strip()]
    span = max(int(row[1]) for row in rows) + 86_400
    numbers = max(int(row[0]) for row in rows)
    with open(target, "w", encoding="latin-1") as file:
        file.writelines(header)
        for copy in range(copies):
            file.writelines(
                f"{int(number) + copy * numbers} {int(submitted) + copy * span} {rest}"
                for number, submitted, rest in rows
            )
    return len(rows) * copies


def repeat_pods(source, copies, target):
    head, *rows = lines(source)
    names = head.strip().split(",")
    moved = [names.index(name) for name in ("creation_time", "deletion_time", "scheduled_time")]
    rows = [row.rstrip("\n").split(",") for row in rows]
    span = max(int(row[moved[0]]) for row in rows) + 86_400
    with open(target, "w", encoding="latin-1") as file:
        file.write(head)
        for copy in range(copies):
            for row in rows:
                fields = list(row)
                fields[0] = f"{row[0]}-{copy}"
                for index in moved:
                    if row[index]:
                        fields[index] = str(int(row[index]) + copy * span)
                file.write(",".join(fields) + "\n")
    return len(rows) * copies


def main(kind, source, copies, target):
    repeat = {"swf": repeat_swf, "pods": repeat_pods}[kind]
    print(repeat(source, int(copies), target))


if __name__ == "__main__":
    main(*sys.argv[1:])

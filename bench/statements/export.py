#!/usr/bin/env python3
"""Writes a log of jobs as a real Slurm would export it: who held what from when to when.

    export.py --log YEAR.swf --tenants TENANTS.csv --out SACCT.txt --accounts ACCOUNTS.csv

Every job starts when it was submitted, as in `xinghe forecast`; the accounts are those of the tenants.
A processor of the log is a node of 12 cores (xinghe generate --mix tianjin).
"""

import argparse
import csv
import time

STATES = {"0": "FAILED", "1": "COMPLETED", "5": "CANCELLED"}
HEADER = ("JobID|JobIDRaw|User|Account|Partition|QOS|Submit|Start|End|Elapsed|NNodes|AllocCPUS|"
          "AllocTRES|State\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("log", "tenants", "out", "accounts"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    owners, accounts = {}, {}
    with open(options.tenants, encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            owners[row["user"]] = (row["account"], row["platform"])
            accounts.setdefault(row["account"], (row["enterprise"], row["class"]))
    with open(options.accounts, "w", encoding="utf-8") as out:
        out.write("account,enterprise,class\n")
        for account, (enterprise, label) in accounts.items():
            out.write(f"{account},{enterprise},{label}\n")
    moments = {}

    def moment(seconds):
        # Days repeat, seconds of a day do too: two look-ups instead of a calendar a job.
        day, second = divmod(seconds, 86400)
        if day not in moments:
            moments[day] = time.strftime("%Y-%m-%dT", time.gmtime(day * 86400))
        return f"{moments[day]}{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"

    origin = 1767196800 + 8 * 3600
    with open(options.log, encoding="ascii") as log, open(options.out, "w", encoding="ascii") as out:
        out.write(HEADER)
        for line in log:
            if line.startswith(";"):
                continue
            fields = line.split()
            job, submit, run, nodes, user = fields[0], int(fields[1]), int(fields[3]), fields[4], fields[11]
            account, platform = owners[user]
            cores = int(nodes) * 12
            cards = f",gres/gpu={int(nodes) * 4}" if platform == "tianjin-ai" else ""
            start, end = moment(origin + submit), moment(origin + submit + run)
            days, rest = divmod(run, 86400)
            elapsed = (f"{days}-" if days else "") + f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
            state = STATES.get(fields[10], "COMPLETED")
            out.write(f"{job}|{job}|u{user}|{account}|{platform}|normal|{start}|{start}|{end}|{elapsed}|"
                      f"{nodes}|{cores}|cpu={cores},node={nodes}{cards}|{state}\n")


if __name__ == "__main__":
    main()

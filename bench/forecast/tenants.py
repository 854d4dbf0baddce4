#!/usr/bin/env python3
"""Writes a seeded tenants file: who pays for which user of a year of jobs.

    tenants.py [--users N] [--seed S] [--out FILE]

Columns as in docs/billing.md, section 11. Shares are assumptions, each named here; only the share of
Beijing-Tianjin-Hebei (two thirds of the users) is published.
"""

import argparse
import random
import sys

JJJ = ["Tianjin", "Beijing", "Hebei"]
REST = [
    "Shanxi", "Inner Mongolia", "Liaoning", "Jilin", "Heilongjiang", "Shanghai", "Jiangsu",
    "Zhejiang", "Anhui", "Fujian", "Jiangxi", "Shandong", "Henan", "Hubei", "Hunan", "Guangdong",
    "Guangxi", "Hainan", "Chongqing", "Sichuan", "Guizhou", "Yunnan", "Shaanxi", "Gansu",
    "Qinghai", "Ningxia", "Xinjiang",
]
# Assumed: 45 % companies of three kinds, 40 % universities, 15 % institutes.
CLASSES = [
    ("enterprise", 0.25), ("tech_sme;enterprise", 0.12), ("startup;enterprise", 0.08),
    ("university", 0.40), ("institute", 0.15),
]
SECTORS = [
    "smart-manufacturing", "connected-cars", "new-consumption", "sci-tech-innovation",
    "theme-park", "energy", "biomedicine", "materials",
]


def choose(random_, pairs):
    point = random_.random()
    for value, share in pairs:
        point -= share
        if point < 0:
            return value
    return pairs[-1][0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cards-share", type=float, default=0.1,
                        help="users whose jobs run on AI cards (assumed)")
    parser.add_argument("--out", default="-")
    options = parser.parse_args()
    random_ = random.Random(options.seed)
    out = sys.stdout if options.out == "-" else open(options.out, "w", encoding="utf-8")
    out.write("user,account,enterprise,class,platform,province,sector\n")
    for user in range(1, options.users + 1):
        # One account of four has a second user: groups of one enterprise share a cap.
        owner = user - 1 if user % 4 == 0 else user
        mine = random.Random(f"{options.seed}/{owner}")
        label = choose(mine, CLASSES)
        province = mine.choice(JJJ) if mine.random() < 2 / 3 else mine.choice(REST)
        sector = mine.choice(SECTORS)
        platform = "tianjin-ai" if random_.random() < options.cards_share else "tianhe"
        out.write(f"{user},a{owner},e{owner},{label},{platform},{province},{sector}\n")
    if out is not sys.stdout:
        out.close()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A million random claims under random rules, granted by xinghe and by this plain program: 0 fen apart.

    bench/claims/claims.py [--claims N] [--seed S]        xinghe must be in PATH

Written from docs/billing.md section 6 alone, claim by claim, with Python's own whole numbers. Each file has
one rule of its own: rates, classes, tiers, base, caps of line, contract, year, lifetime and group, least fee,
first-come pools, refunds with and without clawback, both roundings.
"""

import argparse
import collections
import csv
import io
import os
import random
import subprocess
import sys
import tempfile
import time

MICRO = 1_000_000
CLASSES = ["enterprise", "tech_sme", "startup", "university"]
RESOURCES = ["core-hour", "card-hour", "node-hour", "storage", "ai-storage"]


def make_rule(rng):
    """A rule as a dictionary; `yaml` below is the same for xinghe."""
    maybe = lambda value: value if rng.random() < 0.35 else None
    rule = {
        "rate": rng.choice([500_000, 333_333, 1, 999_999, rng.randint(0, MICRO)]),
        "by_class": {c: rng.randint(0, MICRO) for c in CLASSES if rng.random() < 0.15},
        "tiers": None, "classes": maybe(rng.sample(CLASSES, 2)),
        "resources": maybe(rng.sample(["hpc", "ai", "compute", "storage"], 2)),
        "kind": rng.choice(["invoiced", "invoiced", "list", "paid"]), "net": rng.random() < 0.3,
        "least": maybe(rng.randint(1, 3_000_000)), "share": maybe(rng.randint(0, MICRO)),
        "line": maybe(rng.randint(1, 800_000)), "contract": maybe(rng.randint(1, 900_000)),
        "year": maybe(rng.randint(1, 9_000_000)), "life": maybe(rng.randint(1, 12_000_000)),
        "group": maybe(rng.randint(1, 20_000_000)), "pool": maybe(rng.randint(1, 90_000_000)),
        "period": rng.choice(["year", "quarter", "total"]), "carry": rng.random() < 0.5,
        "claws": rng.random() < 0.7, "half_up": rng.random() < 0.3,
        "fiscal": rng.choice([None, 4, 7]),
    }
    if rng.random() < 0.2:
        knee = rng.randint(1, 2_000_000)
        rule["tiers"] = [(knee, rng.randint(0, MICRO)), (None, rng.randint(0, MICRO))]
        rule["by_class"] = {}
    return rule


def yaml(rule):
    lines = ["rule: r", "rate:"]
    if rule["tiers"]:
        steps = [f"{{upto_fen: {u}, ppm: {p}}}" if u else f"{{ppm: {p}}}" for u, p in rule["tiers"]]
        lines.append(f"  by_tier: [{', '.join(steps)}]")
    else:
        lines.append(f"  rate_ppm: {rule['rate']}")
        if rule["by_class"]:
            pairs = ", ".join(f"{c}: {p}" for c, p in rule["by_class"].items())
            lines.append(f"  by_class: {{{pairs}}}")
    lines.append(f"basis: {{fee_kind: {rule['kind']}, vat: {'net' if rule['net'] else 'gross'}"
                 + (f", min_fee_year: {rule['least']}" if rule["least"] else "") + "}")
    if rule["classes"]:
        lines.append(f"who: {{classes: [{', '.join(rule['classes'])}]}}")
    if rule["resources"]:
        lines.append(f"what: {{resources: [{', '.join(rule['resources'])}]}}")
    caps = {"per_job": "line", "per_contract": "contract", "per_entity_period": "year",
            "per_entity_lifetime": "life", "per_group_period": "group",
            "share_of_fee_max_ppm": "share"}
    stated = [f"{name}: {rule[key]}" for name, key in caps.items() if rule[key] is not None]
    if stated:
        lines.append(f"caps: {{{', '.join(stated)}}}")
    if rule["pool"]:
        lines.append(f"pool: {{amount: {rule['pool']}, period: {rule['period']}, "
                     f"exhaustion: first_come, carry_over: {'true' if rule['carry'] else 'false'}}}")
    if rule["fiscal"]:
        lines.append(f"year_basis: fiscal\nfiscal_start_month: {rule['fiscal']}")
    lines.append(f"clawback: {'on_refund' if rule['claws'] else 'none'}")
    lines.append(f"rounding: {'half_up_fen' if rule['half_up'] else 'floor_fen'}")
    return "\n".join(lines) + "\n"


def make_claims(rng, count):
    claims, open_fees = [], []
    for number in range(count):
        day = f"{rng.randint(2024, 2026)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        if open_fees and rng.random() < 0.08:
            fee = rng.choice(open_fees)
            if fee["left"] > 0:
                amount = rng.choice([fee["left"], rng.randint(1, fee["left"])])
                fee["left"] -= amount
                claims.append(dict(fee["claim"], id=f"c{number}", date=max(day, fee["claim"]["date"]),
                                   fee=-amount, of=fee["claim"]["id"], paid=None, vat=None, discount=None))
                continue
        enterprise = f"e{rng.randint(0, 30)}"
        fee = rng.choice([rng.randint(0, 1_000), rng.randint(0, 3_000_000), 45_000_001])
        claim = {
            "id": f"c{number}", "date": day, "enterprise": enterprise, "of": None,
            "group": f"g{int(enterprise[1:]) % 4}" if rng.random() < 0.7 else None,
            "classes": sorted(rng.sample(CLASSES, rng.randint(1, 2))), "fee": fee,
            "resource": rng.choice(RESOURCES),
            "contract": f"k{rng.randint(0, 20)}" if rng.random() < 0.6 else None,
            "paid": rng.randint(0, fee) if rng.random() < 0.5 else None,
            "vat": fee * 6 // 106 if rng.random() < 0.7 else None,
            "discount": rng.randint(0, 2_000_000) if rng.random() < 0.4 else None,
        }
        claims.append(claim)
        open_fees.append({"claim": claim, "left": fee})
    return claims


def text_of(claims):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow("claim_id,date,enterprise,group,class,platform,resource,fee_fen,contract,paid,"
                    "vat_fen,discount_fen,refund_of".split(","))
    for c in claims:
        blank = lambda value: "" if value is None else value
        writer.writerow([c["id"], c["date"], c["enterprise"], blank(c["group"]),
                         ";".join(c["classes"]), "tianhe", c["resource"], c["fee"],
                         blank(c["contract"]), blank(c["paid"]), blank(c["vat"]),
                         blank(c["discount"]), blank(c["of"])])
    return out.getvalue()


KINDS = {"hpc": {"core-hour", "node-hour"}, "ai": {"card-hour"},
         "compute": {"core-hour", "node-hour", "card-hour"}}


def grants(rule, claims):
    """What the page says, with a dictionary for everything that is summed."""
    by_id = {c["id"]: c for c in claims}

    def place(claim):
        fee = by_id.get(claim["of"])
        if fee and fee["date"] == claim["date"] and fee["id"] > claim["id"]:
            return (claim["date"], fee["id"], 1, claim["id"])
        return (claim["date"], claim["id"], 0, claim["id"])

    def labels(claim):
        if rule["classes"] is None:
            return claim["classes"]
        return [c for c in claim["classes"] if c in rule["classes"] or c in rule["by_class"]]

    def year_of(date):
        year, month = int(date[:4]), int(date[5:7])
        return year - 1 if rule["fiscal"] and month < rule["fiscal"] else year

    def period_of(date):
        start = rule["fiscal"] or 1
        if rule["period"] == "total":
            return 0
        if rule["period"] == "year":
            return year_of(date)
        return 4 * year_of(date) + (int(date[5:7]) - start + 12) % 12 // 3

    sums = collections.defaultdict(lambda: dict(base=0, asked=0, micro=0, granted=0, lost=0, cap=None))
    contracts, lives, groups = (collections.Counter() for _ in range(3))
    pools, kept, climbed, answer = {}, {}, collections.defaultdict(list), {}

    def pool_left(period):
        if period not in pools:
            before = [p for p in pools if p < period]
            if rule["carry"] and before:
                last = max(before)
                pools[period] = pools[last] + rule["pool"] * (period - last)
                return pools[period]
            return rule["pool"]
        return pools[period]

    def scale(amount):
        total, start = 0, 0
        for upto, ppm in rule["tiers"]:
            end = upto if upto is not None else max(amount, start)
            total += max(0, min(amount, end) - start) * ppm
            start = end
        return total

    def base_left(k):
        left = k["base"]
        if k["back"]:
            left -= k["base"] * k["back"] // k["fee"]
        return left if k["paid"] is None else min(left, k["paid"])

    def asked_left(k):
        return min(base_left(k), k["fee"] - k["back"])

    def line(k, before):
        base = base_left(k)
        full = scale(before + base) - scale(before) if rule["tiers"] else base * k["ppm"]
        own = MICRO if rule["share"] is None else rule["share"]
        line_micro = min(full, max(0, min(asked_left(k) * own, asked_left(k) * MICRO)))
        return line_micro if rule["line"] is None else min(line_micro, rule["line"] * MICRO)

    def to_contract(micro, claim):
        if rule["contract"] is None:
            return micro
        key = (claim["enterprise"], claim["contract"] or ("", claim["id"]))
        cap = rule["contract"] * MICRO
        before = contracts[key]
        contracts[key] += micro
        return min(before + micro, cap) - min(before, cap)

    def entitled(s):
        if s["base"] < (rule["least"] or 0):
            return 0
        amount = (s["micro"] + MICRO // 2) // MICRO if rule["half_up"] else s["micro"] // MICRO
        amount = min(amount, max(0, s["asked"]))
        return max(0, amount if s["cap"] is None else min(amount, s["cap"]))

    def move(claim, year, amount):
        lives[claim["enterprise"]] += amount
        groups[claim["group"] or claim["enterprise"], year] += amount

    for claim in sorted(claims, key=place):
        if claim["of"]:
            k = kept.get(claim["of"])
            if k is None:
                answer[claim["id"]] = 0
                continue
            fee, s = k["claim"], sums[k["claim"]["enterprise"], k["year"]]
            before, base, asked = entitled(s), base_left(k), asked_left(k)
            k["back"] -= claim["fee"]
            s["base"] += base_left(k) - base
            s["asked"] += asked_left(k) - asked
            total = 0
            for other in climbed[fee["enterprise"], k["year"]] if rule["tiers"] else [k]:
                micro = line(other, total)
                total += base_left(other)
                s["micro"] += to_contract(micro - other["micro"], other["claim"])
                other["micro"] = micro
            now = entitled(s)
            found = min(k["lost"], max(0, before - now))
            k["lost"] -= found
            s["lost"] = min(max(0, s["lost"] - found), now)
            change = min(0, now - s["lost"] - s["granted"]) if rule["claws"] else 0
            s["granted"] += change
            if rule["claws"]:
                move(fee, k["year"], change)
                if rule["pool"]:
                    period = period_of(fee["date"])
                    pools[period] = pool_left(period) - change
            answer[claim["id"]] = change
            continue
        mine = labels(claim)
        covered = rule["resources"] is None or any(
            claim["resource"] == r or claim["resource"] in KINDS.get(r, ())
            for r in rule["resources"])
        if (rule["classes"] is not None and not mine) or not covered:
            answer[claim["id"]] = 0
            continue
        special = [rule["by_class"][c] for c in mine if c in rule["by_class"]]
        plain = [rule["rate"]] if not mine or len(special) < len(set(mine)) else []
        base = claim["fee"]
        if rule["kind"] == "list":
            base += claim["discount"] or 0
        if rule["net"]:
            base -= claim["vat"] or 0
        year = year_of(claim["date"])
        s = sums[claim["enterprise"], year]
        k = {"claim": claim, "year": year, "fee": claim["fee"], "base": base, "back": 0, "lost": 0,
             "paid": claim["paid"] if rule["kind"] == "paid" else None,
             "ppm": max(plain + special) if not rule["tiers"] else 0}
        k["micro"] = line(k, s["base"])
        s["micro"] += to_contract(k["micro"], claim)
        s["base"] += base_left(k)
        s["asked"] += asked_left(k)
        if rule["year"] is not None:
            s["cap"] = rule["year"]
        amount = max(0, entitled(s) - s["lost"] - s["granted"])
        if rule["life"] is not None:
            amount = min(amount, rule["life"] - lives[claim["enterprise"]])
        if rule["group"] is not None:
            amount = min(amount, rule["group"] - groups[claim["group"] or claim["enterprise"], year])
        if rule["pool"]:
            period = period_of(claim["date"])
            left = pool_left(period)
            k["lost"] = max(0, amount - left)
            amount = min(amount, left)
            pools[period] = left - amount
        s["granted"] += amount
        s["lost"] += k["lost"]
        move(claim, year, amount)
        kept[claim["id"]] = k
        climbed[claim["enterprise"], year].append(k)
        answer[claim["id"]] = amount
    return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    per_file, done, spent, different, refunds = 2_500, 0, 0.0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        file = 0
        while done < options.claims:
            rng = random.Random(f"{options.seed}/{file}")
            rule, claims = make_rule(rng), make_claims(rng, min(per_file, options.claims - done))
            paths = [os.path.join(folder, name) for name in ("rule.yaml", "claims.csv")]
            for path, text in zip(paths, (yaml(rule), text_of(claims))):
                with open(path, "w", encoding="utf-8") as out:
                    out.write(text)
            begin = time.monotonic()
            run = subprocess.run(["xinghe", "subsidy", "evaluate", "--rule", paths[0], "--claims", paths[1]],
                                 capture_output=True, text=True)
            spent += time.monotonic() - begin
            if run.returncode != 0:
                sys.exit(f"seed {options.seed}, file {file}: {run.stderr}")
            expected = grants(rule, claims)
            rows = list(csv.DictReader(io.StringIO(run.stdout)))
            if sorted(row["claim_id"] for row in rows) != sorted(expected):
                sys.exit(f"seed {options.seed}, file {file}: {len(rows)} claims answered of {len(expected)}")
            for row in rows:
                if int(row["granted_fen"]) != expected[row["claim_id"]]:
                    different += 1
                    if different <= 5:
                        print(f"seed {options.seed}, file {file}, {row['claim_id']}: xinghe "
                              f"{row['granted_fen']} ({row['reason']}), here {expected[row['claim_id']]}\n"
                              f"{yaml(rule)}", file=sys.stderr)
            refunds += sum(1 for c in claims if c["of"])
            done += len(claims)
            file += 1
    print(f"{done:,} claims ({refunds:,} refunds) under {file} random rules, seed {options.seed}: "
          f"{different} differ; xinghe took {spent:.1f} s")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()

public import Billing
import Quantities
public import WireFormats

/// What an evaluation found, in the forms in which it is handed out.
public struct SubsidyReport: Sendable {
    private let evaluation: SubsidyEvaluation
    private let claims: [SubsidyClaim]

    /// Makes a report.
    ///
    /// - Parameter claims: those that were evaluated, in the order in which they are to be listed.
    public init(_ evaluation: SubsidyEvaluation, claims: [SubsidyClaim]) {
        self.evaluation = evaluation
        self.claims = claims
    }

    /// `claim_id,granted_fen,reason`, one line a claim in the order of the claims; with several
    /// rules one line a claim and rule, in the order of evaluation, and a last column `rule`.
    public var csv: String {
        let hasManyRules = evaluation.rules.count > 1
        var text = "claim_id,granted_fen,reason\(hasManyRules ? ",rule" : "")\n"
        for index in claims.indices {
            let id = csvField(claims[index].id)
            for decisions in evaluation.decisions {
                let decision = decisions[index]
                text += "\(id),\(decision.granted.count),\(decision.reason.rawValue)"
                text += hasManyRules ? ",\(csvField(decision.rule))\n" : "\n"
            }
        }
        return text
    }

    /// Totals by rule, beneficiary and pool, as a table for people.
    public func totalsText(in words: MessageLanguage) -> String {
        var lines: [String] = []
        for (index, rule) in evaluation.rules.enumerated() {
            let granted = evaluation.decisions[index].filter { $0.granted > .zero }.count
            let total = yuan(evaluation.total(ofRule: index))
            lines.append(
                words(
                    "\(rule.id)：拨付 \(total) 元，\(claims.count) 笔申报中的 \(granted) 笔",
                    "\(rule.id): \(total) CNY granted, \(granted) of \(counted(claims.count, "claim"))"
                )
            )
        }
        var table = TextTable(
            header: [
                words("细则", "Rule"), words("申报企业", "Beneficiary"), words("年度", "Year"),
                words("费用（元）", "Fee (CNY)"), words("拨付（元）", "Granted (CNY)"),
                words("上限余额（元）", "Cap left (CNY)"),
            ],
            alignments: [.left, .left, .left, .right, .right, .right]
        )
        for row in evaluation.beneficiaries.prefix(50) {
            let left =
                row.cap.map { yuan(max(0, Int128($0.count) - row.granted)) }
                ?? words("无上限", "no cap")
            table.add([
                row.rule, row.beneficiary, String(row.year), yuan(row.fee), yuan(row.granted), left,
            ])
        }
        if !evaluation.beneficiaries.isEmpty { lines += table.lines }
        if evaluation.beneficiaries.count > 50 {
            let more = evaluation.beneficiaries.count - 50
            lines.append(words("… 另有 \(more) 家（见 --json）", "… \(more) more (see --json)"))
        }
        for pool in evaluation.pools {
            let end = pool.exhaustedOn.map { words("，\($0) 用完", ", exhausted on \($0)") } ?? ""
            let granted = yuan(pool.granted)
            lines.append(
                words(
                    "\(pool.rule) 的资金池，\(pool.period)：\(granted) 元\(end)",
                    "Pool of \(pool.rule), \(pool.period): \(granted) CNY\(end)"
                )
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Everything, for programs; ends with a newline.
    public var json: String {
        let document: JSONValue = .object([
            JSONValue.Member("rules", .array(evaluation.rules.indices.map { ruleJSON($0) })),
            JSONValue.Member("decisions", .array(decisionsJSON)),
            JSONValue.Member("beneficiaries", .array(evaluation.beneficiaries.map(\.json))),
            JSONValue.Member("pools", .array(evaluation.pools.map(\.json))),
        ])
        return document.prettyText + "\n"
    }

    private func ruleJSON(_ index: Int) -> JSONValue {
        let rule = evaluation.rules[index]
        return [
            "rule": .string(rule.id),
            "title": .string(rule.title),
            "granted_fen": integer(evaluation.total(ofRule: index)),
            "granted_claims": .integer(
                Int64(evaluation.decisions[index].filter { $0.granted > .zero }.count)
            ),
            "claims": .integer(Int64(claims.count)),
            "assumptions": .array(rule.assumptions.map { .string($0) }),
        ]
    }

    private var decisionsJSON: [JSONValue] {
        claims.indices.flatMap { index in
            evaluation.decisions.map { decisions -> JSONValue in
                let decision = decisions[index]
                return [
                    "claim_id": .string(decision.claim),
                    "granted_fen": .integer(decision.granted.count),
                    "reason": .string(decision.reason.rawValue),
                    "rule": .string(decision.rule),
                    "year": .integer(Int64(decision.year)),
                ]
            }
        }
    }
}

extension SubsidyEvaluation.BeneficiaryYear {
    fileprivate var json: JSONValue {
        [
            "rule": .string(rule),
            "beneficiary": .string(beneficiary),
            "year": .integer(Int64(year)),
            "fee_fen": integer(fee),
            "granted_fen": integer(granted),
            "cap_fen": cap.map { .integer($0.count) } ?? .null,
            "cap_left_fen": cap.map { integer(max(0, Int128($0.count) - granted)) } ?? .null,
        ]
    }
}

extension SubsidyEvaluation.PoolState {
    fileprivate var json: JSONValue {
        [
            "rule": .string(rule),
            "period": .string(period),
            "granted_fen": integer(granted),
            "exhausted_on": exhaustedOn.map { .string("\($0)") } ?? .null,
        ]
    }
}

/// An integer of JSON; one that 64 bits do not hold is written as its digits.
func integer(_ number: Int128) -> JSONValue {
    Int64(exactly: number).map { .integer($0) } ?? .string(String(number))
}

/// Yuan with two decimals; sums may be larger than `Fen` holds.
func yuan(_ fen: Int128) -> String {
    if let count = Int64(exactly: fen) { return Fen(count).yuanText }
    let rest = Int(fen.magnitude % 100)
    return
        "\(fen < 0 ? "-" : "")\((fen.magnitude / 100).groupedText).\(rest < 10 ? "0" : "")\(rest)"
}

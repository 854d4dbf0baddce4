internal import ClusterModel
public import Prediction
public import Quantities
public import WireFormats

/// A prediction for people and for programs.
public struct PredictionReport: Sendable {
    /// What was predicted.
    public var prediction: KernelPrediction
    /// What the job would be charged; nil where no partition has these nodes.
    public var price: Fen?
    /// The partition whose prices these are.
    public var partition: String?

    /// Makes a report.
    public init(_ prediction: KernelPrediction, price: Fen?, partition: String?) {
        self.prediction = prediction
        self.price = price
        self.partition = partition
    }

    private var assumed: [String] { prediction.notes + prediction.target.powerNotes }

    /// The report as text, with a line feed at its end.
    public var text: String {
        let target = prediction.target
        var lines = [
            "\(prediction.kernel.rawValue) \(extentsText(prediction.shape))"
                + (prediction.repeats > 1 ? ", \(prediction.repeats) times" : "")
                + " on \(target.nodeCount.groupedText) "
                + "\(target.nodeName) of \(target.machine), "
                + (prediction.usesCards ? "cores and cards" : "cores only"),
            "",
        ]
        lines += figures.lines
        lines += [""] + parts.lines
        lines += ["", "assumed:"] + assumed.map { "  \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    private var figures: TextTable {
        var table = TextTable(header: ["figure", "predicted"], alignments: [.left, .right])
        table.add(["time", secondsText(prediction.seconds)])
        let kernel = prediction.kernel
        table.add(["rate", siText(prediction.flopRate, kernel.operation + "/s")])
        let efficiency = prediction.efficiency.map { share in
            NumberText.fixed(100 * share, 1) + " % of "
                + (kernel.isSinglePrecision ? "the double precision " : "")
                + "peak \(siText(prediction.peak, "flop/s"))"
                + (kernel.isSinglePrecision ? "; it computes in single" : "")
        }
        table.add(["efficiency", efficiency ?? "none: its operations are not floating-point"])
        table.add(["bytes moved", siText(prediction.work.byte, "byte")])
        let joules = prediction.joules
        table.add([
            "energy",
            joules.map { siText($0 / 3_600, "Wh") + " (" + siText($0, "J") + ")" } ?? "not known",
        ])
        let price = price.map { "\($0.yuanText) CNY" + (partition.map { " in \($0)" } ?? "") }
        table.add(["price", price ?? "no partition has these nodes"])
        return table
    }

    private var parts: TextTable {
        var table = TextTable(
            header: ["part of the time", "seconds", "share"],
            alignments: [.left, .right, .right]
        )
        for part in prediction.parts {
            let share = prediction.seconds > 0 ? part.seconds / prediction.seconds : 0
            table.add([
                part.name, plainSeconds(part.seconds), NumberText.fixed(100 * share, 1) + " %",
            ])
        }
        return table
    }

    /// The report for programs. Units are in the names.
    public var json: JSONValue {
        let target = prediction.target
        return [
            "kernel": .string(prediction.kernel.rawValue),
            "size": .string(extentsText(prediction.shape)),
            "repeats": .integer(Int64(prediction.repeats)),
            "machine": .string(target.machine),
            "node_type": .string(target.nodeName),
            "nodes": .integer(Int64(target.nodeCount)),
            "cards": .bool(prediction.usesCards),
            "seconds": .number(prediction.seconds),
            "flop": .number(prediction.work.flop),
            "byte": .number(prediction.work.byte),
            "flop_per_s": .number(prediction.flopRate),
            "peak_flop_per_s": .number(prediction.peak),
            "operation": .string(prediction.kernel.operation),
            "efficiency": prediction.efficiency.map { .number($0) } ?? .null,
            "energy_joule": prediction.joules.map { .number($0) } ?? .null,
            "price_fen": price.map { .integer($0.count) } ?? .null,
            "partition": partition.map { .string($0) } ?? .null,
            "parts": .array(prediction.parts.map(\.json)),
            "assumed": .array(assumed.map { .string($0) }),
        ]
    }
}

extension KernelPrediction.Part {
    var json: JSONValue { ["name": .string(name), "seconds": .number(seconds)] }
}

/// The exam: model beside published, with errors.
public struct ExamReport: Sendable {
    /// The answers, in the order of the questions.
    public var answers: [PublishedExam.Answer]

    /// Makes a report.
    public init(_ answers: [PublishedExam.Answer]) {
        self.answers = answers
    }

    /// The report as text, with a line feed at its end.
    public var text: String {
        var table = TextTable(
            header: [
                "machine", "benchmark", "nodes", "N", "NB", "model", "published", "error", "peak",
            ],
            alignments: [.left, .left, .right, .right, .right, .right, .right, .right, .right]
        )
        for answer in answers {
            let isChecked = answer.evidence != .assumption
            table.add([
                answer.question.machine,
                answer.question.benchmark.rawValue,
                answer.nodeCount.groupedText,
                answer.order.groupedText,
                answer.block > 0 ? String(answer.block) : "-",
                siText(answer.model, "flop/s"),
                isChecked
                    ? siText(answer.published, "flop/s")
                    : "(" + siText(answer.published, "flop/s") + ")",
                signedPercent(answer.error),
                NumberText.fixed(100 * answer.model / answer.peak, 1) + " %",
            ])
        }
        var lines = table.lines
        lines += [
            "",
            "Where no NB is published: as just hides the cards' transfers, 256 without cards. No constant is "
                + "fitted to a machine.",
        ]
        if answers.contains(where: { $0.evidence == .assumption }) {
            lines.append("(…): from memory, not checked.")
        }
        for answer in answers {
            let total = answer.parts.reduce(0) { $0 + $1.seconds }
            let shares = answer.parts.filter { $0.seconds > 0 }.map { part in
                "\(part.name) \(NumberText.fixed(100 * part.seconds / total, 1)) %"
            }
            lines += [
                "",
                "\(answer.question.machine), \(answer.question.benchmark.rawValue), "
                    + "\(answer.nodeCount.groupedText) nodes:",
                "  published: \(answer.source)",
                "  N: \(answer.orderSource)",
                "  time: " + shares.joined(separator: ", "),
                "  why it is off, as far as is known: \(answer.question.remark)",
            ]
            lines += answer.notes.map { "  assumed: \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The report for programs.
    public var json: JSONValue {
        .array(
            answers.map { answer in
                [
                    "machine": .string(answer.question.machine),
                    "benchmark": .string(answer.question.benchmark.rawValue),
                    "node_types": answer.question.nodeTypes.map {
                        .array($0.map { .string($0) })
                    } ?? .null,
                    "nodes": .integer(Int64(answer.nodeCount)),
                    "order": .integer(Int64(answer.order)),
                    "order_source": .string(answer.orderSource),
                    "block": .integer(Int64(answer.block)),
                    "model_flop_per_s": .number(answer.model),
                    "published_flop_per_s": .number(answer.published),
                    "published_evidence": .string(answer.evidence.rawValue),
                    "published_source": .string(answer.source),
                    "error": .number(answer.error),
                    "parts": .array(answer.parts.map(\.json)),
                    "remark": .string(answer.question.remark),
                    "assumed": .array(answer.notes.map { .string($0) }),
                ]
            }
        )
    }
}

// MARK: - Numbers

/// `2.57 Pflop/s`: three digits or so, with the prefix of the International System.
public func siText(_ value: Double, _ unit: String) -> String {
    let prefixes = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"]
    var (value, index) = (value, 0)
    while value.magnitude >= 999.5, index + 1 < prefixes.count {
        value /= 1_000
        index += 1
    }
    guard value.isFinite, value.magnitude < 9e8 else { return "past all units" }
    let decimals = value.magnitude >= 99.95 ? 0 : value.magnitude >= 9.995 ? 1 : 2
    return "\(NumberText.fixed(value, decimals)) \(prefixes[index])\(unit)"
}

/// `+9.1 %`.
func signedPercent(_ share: Double) -> String {
    (share < 0 ? "" : "+") + NumberText.fixed(100 * share, 1) + " %"
}

/// Seconds with as many decimals as matter.
func plainSeconds(_ seconds: Double) -> String {
    guard seconds < 1e9 else { return "past 30 years" }
    return NumberText.fixed(seconds, seconds >= 100 ? 0 : seconds >= 0.1 ? 3 : 9)
}

/// `5:24:01 (19441 s)`, or seconds alone when there are few.
func secondsText(_ seconds: Double) -> String {
    guard seconds < 1e9 else { return plainSeconds(seconds) }
    guard seconds >= 60 else { return plainSeconds(seconds) + " s" }
    let whole = Int64(seconds.rounded())
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let clock = "\(whole / 3_600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    return "\(clock) (\(NumberText.fixed(seconds, 0)) s)"
}

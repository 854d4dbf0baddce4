import ArgumentParser
import Billing
import Catalog
import ClusterModel
import JobModel
import Prediction
import Quantities
import Reporting
import WireFormats

/// How long a kernel would take on a modelled machine, and what it would cost.
struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Say how long a kernel takes on a machine, from its rates and network.",
        discussion: """
            EXAMPLES
              xinghe predict lu --size 1000000x256 --machine tianhe-1a --nodes 1024
              xinghe predict cg --size 2048 --machine tianhe-3-prototype/th3p-ftp --nodes 64 --json
              xinghe predict stencil --size 4096 --machine tianhe-2 --nodes all
              xinghe predict gemm --size 8192 --machine host --profile host.json
              xinghe predict --exam
              xinghe predict --exam results.yaml

            Kernels and sizes are those of xinghe-kernel. On a node the roofline counts, between \
            nodes LogGP; docs/predict.md says how. The exam sets the model beside published results.
            """
    )

    @Argument(help: "The kernel, such as lu, cg or fft.")
    var kernel: String?

    @Option(help: "small, medium, large, or extents such as 4096 or 512x512x256.")
    var size: String?

    @Option(
        help: ArgumentHelp(
            "MACHINE or MACHINE/NODETYPE, or a file.",
            valueName: "machine"
        )
    )
    var machine = "tianjin"

    @Option(help: "How many nodes, or 'all'.")
    var nodes = "1"

    @Option(
        name: .customLong("repeat"),
        parsing: .unconditional,
        help: "How often the work is done."
    )
    var repeats = 1

    @Flag(
        inversion: .prefixedNo,
        help: "Let accelerator cards work, or not; else they do in dense algebra only."
    )
    var cards: Bool?

    @Option(
        help: ArgumentHelp("What 'xinghe calibrate --out' measured on a host.", valueName: "file")
    )
    var profile: String?

    @Flag(help: "Set the model beside published HPL and HPCG results, or beside those of a FILE.")
    var exam = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if exam {
            guard kernel.map({ KernelForm(rawValue: $0) == nil }) ?? true, size == nil else {
                throw ValidationError("--exam takes a file, but no kernel and no size")
            }
            return
        }
        guard kernel != nil else {
            throw ValidationError("name a kernel, such as lu, or ask for --exam")
        }
        guard (1...1_000_000_000).contains(repeats) else {
            throw ValidationError("--repeat \(repeats): 1 to 1000000000")
        }
        guard nodes == "all" || (Int(nodes) ?? 0) >= 1 else {
            throw ValidationError("--nodes \(nodes): a number from 1, or 'all'")
        }
    }

    func run() throws {
        try StandardOutput.print(
            exam ? examText() : predictionText(),
            terminator: "",
            isData: json
        )
    }

    private func examText() throws -> String {
        var answers: [PublishedExam.Answer] = []
        // The argument that is a kernel elsewhere is the file here.
        for (question, machine) in try kernel.map(Self.questions) ?? Self.publishedQuestions() {
            if let answer = try PublishedExam.answer(question, machine) { answers.append(answer) }
        }
        let report = ExamReport(answers)
        return json ? report.json.prettyText + "\n" : report.text
    }

    private static func publishedQuestions() throws -> [(PublishedExam.Question, Machine)] {
        let library = try MachineChoice.library()
        return try PublishedExam.questions.map { ($0, try library.machine(named: $0.machine)) }
    }

    /// The questions of a file; machine files are looked for beside it.
    private static func questions(_ path: String) throws -> [(PublishedExam.Question, Machine)] {
        let file = try ExamFile(text: readText(path, atMost: 1 << 20), file: path)
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        return try file.entries.map { entry in
            let isRelative = entry.machine.hasSuffix("ml") && !entry.machine.hasPrefix("/")
            let machine = try MachineChoice.machine((isRelative ? folder : "") + entry.machine)
            let question = PublishedExam.Question(
                benchmark: entry.benchmark == .hpl ? .hpl : .hpcg,
                machine: entry.machine,
                nodeTypes: entry.nodeTypes,
                nodeCount: entry.nodes,
                order: entry.order.map { .init($0, source: entry.source) },
                block: entry.block,
                result: .init(Double(entry.result.flopsPerSecond), source: entry.source),
                remark: entry.remark ?? "nothing is said"
            )
            return (question, machine)
        }
    }

    private func predictionText() throws -> String {
        let form = try KernelForm(named: kernel ?? "")
        let shape = try form.shape(of: size ?? "medium")
        let (name, typeName) = Self.parts(of: machine)
        let machine = try MachineChoice.machine(name)
        var rates: HostRates?
        if let profile { rates = try Self.hostRates(profile) }
        let target = try target(machine, typeName, measured: rates)
        guard form != .comm || target.nodeCount > 1 else {
            throw Refusal("comm measures messages between nodes; it needs --nodes 2")
        }
        let prediction = try KernelPrediction(
            form,
            shape: shape,
            on: target,
            usesCards: cards,
            repeats: repeats,
            efficiencies: rates?.efficiencies ?? .reference
        )
        let price = PredictedPrice(machine, prediction)
        let report = PredictionReport(
            prediction,
            price: price?.amount,
            partition: price?.partition
        )
        return json ? report.json.prettyText + "\n" : report.text
    }

    private func target(
        _ machine: Machine,
        _ typeName: String?,
        measured: HostRates?
    ) throws -> PredictionTarget {
        do {
            return try PredictionTarget(
                machine,
                typeNames: typeName.map { [$0] },
                nodeCount: nodes == "all" ? nil : Int(nodes),
                measured: measured
            )
        } catch {
            // Only a host can be measured.
            let hosts = machine.nodeTypes.filter { $0.topology == .host }
            guard case .unknownPeak(let name) = error, hosts.contains(where: { $0.name == name })
            else { throw error }
            let hint = "measure it with 'xinghe calibrate --out FILE' and give --profile FILE"
            throw Refusal("\(error); \(hint)")
        }
    }

    /// `MACHINE/NODETYPE`; a path to a file is a machine alone.
    private static func parts(of word: String) -> (machine: String, type: String?) {
        guard !MachineChoice.isPath(word), let slash = word.firstIndex(of: "/") else {
            return (word, nil)
        }
        return (String(word[..<slash]), String(word[word.index(after: slash)...]))
    }

    private static func hostRates(_ path: String) throws -> HostRates {
        // What 'calibrate' writes has some ten thousand bytes.
        let text = try readText(path, atMost: 1 << 22)
        do throws(JSONValue.Malformed) {
            return try HostRates(profile: JSONValue(parsing: text))
        } catch {
            throw Refusal("\(path): \(error)")
        }
    }
}

/// What the predicted run would be charged in the first partition that has such nodes.
private struct PredictedPrice {
    var amount: Fen
    var partition: String

    init?(_ machine: Machine, _ prediction: KernelPrediction) {
        let names = Set(prediction.target.groups.map(\.rates.name))
        let partition = machine.partitions.first { partition in
            partition.nodes.contains { names.contains(machine.nodeType(ofNode: $0).name) }
        }
        // Far past any job, and its microseconds might not fit.
        guard let partition, prediction.seconds < 1e9 else { return nil }
        let target = prediction.target
        let duration = SimDuration(microseconds: Int64((prediction.seconds * 1e6).rounded(.up)))
        let start = SimInstant(seconds: 1_735_660_800)
        let usage = JobUsage(
            id: JobID(1),
            account: machine.defaultAccount.name,
            partition: partition.name,
            platform: partition.platform,
            outcome: .ended(.completed),
            nodeCount: Int64(target.nodeCount),
            coreCount: Int64(target.cores),
            cardCount: Int64(target.cards),
            startedAt: start,
            endedAt: start + duration
        )
        var volumes = VolumeCounter()
        let parts = Tariff(pricesOf: machine).charge(for: usage, volumes: &volumes)
        amount = parts.reduce(into: .zero) { $0 += $1.amount }
        self.partition = partition.name
    }
}

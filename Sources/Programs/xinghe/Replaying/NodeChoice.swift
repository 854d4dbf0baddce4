import ClusterModel
import Emulation
import Quantities
import ReplayRuntime
import Scheduling
import TraceFiles
import WorkloadFormats

/// The nodes that `--nodes` names: counts and cores, `103x12,48x16`, or a list of nodes as CSV.
struct NodeChoice {
    private var nodes: [NodeCapacity] = []
    private var models: [String] = []
    private var names: [String] = []
    private var unitsPerCore: Int32 = 1
    private var title: String

    /// Reads a choice.
    ///
    /// - Throws: `Refusal` with file, line and what is wrong.
    init(_ text: String) throws {
        title = text
        if let groups = Self.groups(text) {
            for (count, cores) in groups {
                nodes += Array(repeating: NodeCapacity(cores: cores), count: count)
            }
            models = Array(repeating: "", count: nodes.count)
            title = "\(nodes.count) nodes (\(text)), shared by cores"
        } else {
            try readList(text)
        }
    }

    /// `COUNTxCORES[,…]`; nil when the text is something else.
    private static func groups(_ text: String) -> [(count: Int, cores: Int32)]? {
        var list: [(Int, Int32)] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "x", omittingEmptySubsequences: false)
            guard sides.count == 2, let count = Int(sides[0]), let cores = Int32(sides[1]),
                (1...1_000_000).contains(count), (1...100_000).contains(cores)
            else { return nil }
            list.append((count, cores))
        }
        return list.isEmpty ? nil : list
    }

    private mutating func readList(_ path: String) throws {
        do {
            let list = try TraceFile.withBytes(of: path) { try NodeListFile.read($0) }
            nodes = list.map {
                NodeCapacity(
                    cores: $0.milliCores,
                    memory: ByteCount(mebibytes: Int64($0.memoryMebibytes)),
                    accelerators: $0.cards
                )
            }
            if let wide = list.first(where: { $0.cards > 16 }) {
                throw Refusal("\(path): node \(wide.name) has \(wide.cards) cards; 16 is the most")
            }
            models = list.map(\.cardModel)
            names = list.map(\.name)
            unitsPerCore = 1_000
            title = "\(nodes.count) nodes of \(path), shared by cores, memory and cards"
        } catch let row as MalformedRow {
            throw Refusal("--nodes: \(path):\(row.line): \(row.problem)")
        } catch let failure as TraceFileFailure {
            throw Refusal("--nodes: '\(path)' is neither like 103x12,48x16 nor a file: \(failure)")
        }
    }

    /// The machine for a trace under a policy.
    func machine(for trace: Trace, _ policy: SchedulingPolicy) throws -> ReplayMachine {
        var machine = ReplayMachine.shared(
            nodes: nodes,
            unitsPerCore: unitsPerCore,
            models: models,
            modelSets: trace.cardModelSets,
            policy: policy,
            title: title
        )
        machine.nodeNames = names
        machine.nodeKinds = models.map { $0.isEmpty ? FailureOptions.nameless : $0 }
        try machine.check("--nodes")
        return machine
    }
}

extension ReplayMachine {
    /// Refuses what the engine cannot do; `name` is what the user has to change.
    func check(_ name: String) throws {
        do throws(ConfigurationProblem) {
            try configuration.check()
        } catch {
            switch error {
            case .tooManyCores(let units):
                let unit = units / max(1, coreCount) > 1 ? "thousandths of cores" : "cores"
                throw Refusal("\(name): \(units) \(unit) are too many; \(Int32.max) is the most")
            case .tooManyCards(let node):
                throw Refusal("\(name): node \(node) has too many cards; 16 is the most")
            }
        }
    }
}

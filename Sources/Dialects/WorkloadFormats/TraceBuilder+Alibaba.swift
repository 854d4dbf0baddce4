extension TraceBuilder {
    /// Reads the pods of Alibaba's cluster-trace-gpu-v2023.
    ///
    /// A pod is submitted at `creation_time`, runs for `deletion_time − scheduled_time` and is one
    /// chunk on one node. Pods that were never scheduled, and those not yet deleted, are left out
    /// and counted. On a machine of processors a pod counts as its cores, rounded up. The number
    /// of a pod is that of its row, from 1; `qos` becomes the queue. The log has no limits.
    /// Source: Weng et al., "Beware of Fragmentation", USENIX ATC 2023; the repository's README.
    mutating func readAlibaba(_ bytes: UnsafeRawBufferPointer) throws(MalformedRow) {
        var text = DelimitedText(bytes, delimiter: UInt8(ascii: ","))
        guard text.next() else { return }
        let columns = try TableColumns(
            text,
            [
                "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "creation_time",
                "deletion_time", "scheduled_time",
            ]
        )
        let (spec, qos) = (text.column("gpu_spec"), text.column("qos"))
        var number: Int64 = 0
        while text.next() {
            number += 1
            countRow()
            do throws(MalformedRow) {
                try columns.check(text)
                try addPod(number, text, columns, spec: spec, qos: qos)
            } catch {
                try malformed(error)
            }
        }
    }

    private mutating func addPod(
        _ number: Int64,
        _ text: DelimitedText,
        _ columns: TableColumns,
        spec: Int?,
        qos: Int?
    ) throws(MalformedRow) {
        let cores = try columns.integer(text, 0)
        let memory = try columns.integer(text, 1)
        let cards = try columns.integer(text, 2)
        let share = try columns.integer(text, 3)
        let created = try columns.micros(text, 4)
        let deleted = try columns.micros(text, 5)
        let scheduled = try columns.micros(text, 6)
        guard created >= 0 else { return drop(.unknownSubmission) }
        guard scheduled >= 0 else { return drop(.neverStarted) }
        guard deleted >= scheduled else { return drop(.unknownRunTime) }
        let isPossible =
            (0...Int64(Int32.max)).contains(cores) && (0...Int64(Int32.max)).contains(memory)
            && (0...1_000).contains(cards) && cores + cards > 0
        guard isPossible else { return drop(.unknownSize) }
        // A pod of several cards holds them whole, whatever its share says.
        let milliCard = cards == 1 && (1...1_000).contains(share) ? Int32(share) : 1_000
        add(
            TraceJob(
                id: number,
                submitted: created,
                runTime: deleted - scheduled,
                timeLimit: 0,
                processors: Int32(max(1, (cores + 999) / 1_000)),
                line: Int32(clamping: text.line),
                queue: queue(text.text(qos))
            ),
            TraceRequest(
                milliCores: Int32(cores),
                memoryMebibytes: Int32(memory),
                cards: Int32(cards),
                milliCard: milliCard,
                cardModels: cardModels(text.text(spec))
            )
        )
    }
}

/// A node of a list such as Alibaba's: `sn,cpu_milli,memory_mib,gpu,model`.
public struct NodeListEntry: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Unit: 1/1000 core.
    public var milliCores: Int32
    /// Unit: MiB.
    public var memoryMebibytes: Int32
    /// Its cards.
    public var cards: Int32
    /// What its cards are, `V100M16`; empty when it has none.
    public var cardModel: String

    /// Makes an entry.
    public init(
        name: String,
        milliCores: Int32,
        memoryMebibytes: Int32,
        cards: Int32,
        cardModel: String
    ) {
        self.name = name
        self.milliCores = milliCores
        self.memoryMebibytes = memoryMebibytes
        self.cards = cards
        self.cardModel = cardModel
    }
}

/// The nodes of a machine as a CSV; see `NodeListEntry`.
public enum NodeListFile {
    /// Reads a list of nodes: all of it, or the first thing that is wrong.
    ///
    /// - Throws: `MalformedRow`.
    public static func read(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MalformedRow) -> [NodeListEntry] {
        var text = DelimitedText(bytes, delimiter: UInt8(ascii: ","))
        guard text.next() else {
            throw MalformedRow(line: 1, field: 0, problem: "the list of nodes is empty")
        }
        let columns = try TableColumns(text, ["sn", "cpu_milli", "memory_mib", "gpu", "model"])
        var nodes: [NodeListEntry] = []
        var names: Set<String> = []
        while text.next() {
            try columns.check(text)
            func count(_ column: Int, _ maximum: Int64) throws(MalformedRow) -> Int32 {
                let value = try columns.integer(text, column)
                guard (0...maximum).contains(value) else {
                    throw MalformedRow(
                        line: text.line,
                        field: 0,
                        problem: "\(columns.name(column)) \(value) is not in 0...\(maximum)"
                    )
                }
                return Int32(value)
            }
            let name = columns.text(text, 0)
            guard !name.isEmpty, names.insert(name).inserted else {
                throw MalformedRow(
                    line: text.line,
                    field: 0,
                    problem: name.isEmpty ? "the node has no name" : "node \(name) stands twice"
                )
            }
            nodes.append(
                NodeListEntry(
                    name: name,
                    milliCores: try count(1, 100_000_000),
                    memoryMebibytes: try count(2, Int64(Int32.max)),
                    cards: try count(3, 1_000),
                    cardModel: columns.text(text, 4)
                )
            )
        }
        guard !nodes.isEmpty else {
            throw MalformedRow(line: 1, field: 0, problem: "the list has no node")
        }
        return nodes
    }
}

public import ClusterModel

/// Results of benchmarks that somebody wants to hold a model against; docs/predict.md has the fields.
public struct ExamFile: Hashable, Sendable {
    /// What was run.
    public enum Benchmark: String, Hashable, Sendable, CaseIterable {
        /// High-Performance Linpack.
        case hpl
        /// High-Performance Conjugate Gradients.
        case hpcg
    }

    /// One result.
    public struct Entry: Hashable, Sendable {
        /// A shipped machine's name, or the path of a machine file as the exam's file writes it.
        public var machine: String
        /// The node types that took part; nil for those of the default partition.
        public var nodeTypes: [String]?
        /// Nodes that took part; nil for all of these types.
        public var nodes: Int?
        /// What was run.
        public var benchmark: Benchmark
        /// The order of the matrix; nil where it is not known.
        public var order: Int?
        /// The block size; nil where it is not known.
        public var block: Int?
        /// What came out.
        public var result: FlopRate
        /// Who says so.
        public var source: String
        /// Why a model may be off.
        public var remark: String?
    }

    /// The results, in the order written.
    public var entries: [Entry]

    /// Reads an exam from the text of a file.
    ///
    /// - Parameter file: what refusals call the text.
    /// - Throws: what is wrong in the text.
    public init(text: String, file: String) throws(FileRefusal) {
        let top = try YAMLField.document(text, file: file).mapping(["results"])
        let results = try top.required("results")
        entries = try results.list().mapField { field throws(FileRefusal) in
            try Entry(field)
        }
        guard !entries.isEmpty else { throw results.refusal(.missing) }
    }
}

extension ExamFile.Entry {
    fileprivate init(_ field: YAMLField) throws(FileRefusal) {
        let fields = try field.mapping([
            "machine", "node_types", "nodes", "benchmark", "order", "block", "result", "source",
            "remark",
        ])
        machine = try fields.required("machine").text()
        nodeTypes = try fields["node_types"]?.list().mapField { field throws(FileRefusal) in
            try field.name()
        }
        nodes = try fields["nodes"].map { field throws(FileRefusal) in
            Int(try field.integer(1...10_000_000))
        }
        benchmark = try fields.required("benchmark").choice(ExamFile.Benchmark.self)
        order = try fields["order"].map { field throws(FileRefusal) in
            Int(try field.integer(1...1_000_000_000))
        }
        block = try fields["block"].map { field throws(FileRefusal) in
            Int(try field.integer(1...65_536))
        }
        if benchmark == .hpcg, let given = fields["order"] ?? fields["block"] {
            throw given.refusal(.conflict("HPCG has no matrix with an order and blocks"))
        }
        result = try fields.required("result").flopRate()
        guard result.flopsPerSecond > 0 else {
            throw try fields.required("result").refusal(.conflict("is not above 0"))
        }
        source = try fields.required("source").text()
        remark = try fields["remark"]?.text()
    }
}

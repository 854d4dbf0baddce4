/// Which program would run in a job, and where: the parameters of `GET /v1/jobs/ID/program`.
public struct ProgramQuery: Hashable, Sendable {
    /// What is run.
    public enum Program: Hashable, Sendable {
        /// One of the machine's software, by the name that scripts call, of the first module that brings it
        /// unless one is named.
        case software(String, module: String? = nil)
        /// `xinghe-kernel` with a kernel, its size and how often it is repeated.
        case kernel(String, size: String, repeats: Int)
    }

    /// What is run.
    public var program: Program
    /// On how many of the job's nodes; nil for all.
    public var nodes: Int?

    /// Asks for a program on nodes of a job.
    public init(_ program: Program, nodes: Int?) {
        self.program = program
        self.nodes = nodes
    }

    /// The names of all parameters.
    public static let names = ["name", "module", "kernel", "size", "repeat", "nodes"]

    /// Reads parameters.
    ///
    /// - Throws: `JSONValue.Malformed`, with the parameter that is wrong.
    public init(
        _ parameters: some Sequence<(key: String, value: String)>
    ) throws(JSONValue.Malformed) {
        let read = try QueryParameters(parameters, known: Self.names)
        let repeats = try read.count("repeat")
        switch (read["name"], read["kernel"]) {
        case (let name?, nil) where read["size"] == nil && repeats == nil:
            program = .software(name, module: read["module"])
        case (nil, let kernel?) where read["module"] == nil:
            program = .kernel(kernel, size: read["size"] ?? "small", repeats: repeats ?? 1)
        default:
            let problem = "either name with module, or kernel with size and repeat, is needed"
            throw JSONValue.Malformed(line: 0, problem: problem)
        }
        nodes = try read.count("nodes")
    }

    /// The path and the parameters.
    public func target(ofJob id: UInt32) -> String {
        var parameters: [(name: String, value: String)] = []
        switch program {
        case .software(let name, let module):
            parameters.append(("name", name))
            if let module { parameters.append(("module", module)) }
        case .kernel(let name, let size, let repeats):
            parameters += [("kernel", name), ("size", size), ("repeat", "\(repeats)")]
        }
        if let nodes { parameters.append(("nodes", "\(nodes)")) }
        return QueryParameters.target("/v1/jobs/\(id)/program", parameters)
    }
}

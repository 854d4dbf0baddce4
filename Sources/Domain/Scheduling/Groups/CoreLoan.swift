/// Cores of one node that a suspended job holds and another has got in its place. When that one leaves
/// they go back; the lender goes on when all are back.
struct CoreLoan: Hashable, Sendable, Codable {
    /// The slot of the job that is suspended.
    var lender: Int32
    /// The slot of the job that has the cores.
    var borrower: Int32
    /// The node, by the group's number.
    var node: Int32
    /// How many; all of them on a node that is given whole.
    var cores: Int32
}

/// What is being taken from jobs so that another can be placed: more than it may need.
struct Vacancy: Sendable, Codable {
    /// Cores of a node that a job held.
    struct Part: Sendable, Codable {
        var slot: Int32
        var node: Int32
        var cores: Int32
    }

    /// The jobs, and the cores that each held of which nodes, in the order in which they lend.
    var parts: [Part] = []
    /// The cores that were free on a node before anything was taken; only looked up.
    var freeBefore: [Int32: Int32] = [:]
    /// All nodes of each of the jobs; only looked up.
    var nodes: [Int32: [Int32]] = [:]
}

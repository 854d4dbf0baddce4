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

/// Who lends cores to whom, by node: a wide job that makes way lends as many times as it has nodes, and each
/// look-up is about one of them.
struct LoanBook: Hashable, Sendable, Codable {
    /// The loans on each node, in the order in which it came to them; only looked up.
    private var byNode: [Int32: [CoreLoan]] = [:]
    /// To whom each slot lends, and on how many nodes; only looked up, or walked in order of the slots.
    private var borrowers: [Int32: [Borrower]] = [:]
    /// On how many nodes each slot has borrowed, of each lender; only looked up.
    private var debts: [Int32: Int] = [:]

    private struct Borrower: Hashable, Sendable, Codable {
        var slot: Int32
        var nodes: Int
    }

    /// Whether nobody lends anything.
    var isEmpty: Bool { byNode.isEmpty }
    /// The slots that lend something, ascending.
    var lenders: [Int32] { borrowers.keys.sorted() }
    /// The nodes on which something is lent, ascending.
    var nodes: [Int32] { byNode.keys.sorted() }

    /// The loans on a node, in the order in which it came to them.
    func on(_ node: Int32) -> [CoreLoan] { byNode[node] ?? [] }

    /// Whether a slot lends something.
    func isLending(_ slot: Int32) -> Bool { borrowers[slot] != nil }

    /// Whether a slot lends something or has borrowed it.
    func concerns(_ slot: Int32) -> Bool { borrowers[slot] != nil || debts[slot] != nil }

    /// To whom a slot lends, each once.
    func borrowers(of lender: Int32) -> [Int32] { borrowers[lender]?.map(\.slot) ?? [] }

    /// What a slot has lent on a node.
    func coresLent(by slot: Int32, on node: Int32) -> Int32 {
        on(node).reduce(0) { $1.lender == slot ? $0 + $1.cores : $0 }
    }

    /// Notes a loan; what the same lend to the same on a node is one.
    mutating func add(_ loan: CoreLoan) {
        if let same = byNode[loan.node]?.firstIndex(where: { $0.isOfSameParties(as: loan) }) {
            byNode[loan.node]?[same].cores += loan.cores
            return
        }
        byNode[loan.node, default: []].append(loan)
        debts[loan.borrower, default: 0] += 1
        if let place = borrowers[loan.lender]?.firstIndex(where: { $0.slot == loan.borrower }) {
            borrowers[loan.lender]?[place].nodes += 1
        } else {
            borrowers[loan.lender, default: []].append(Borrower(slot: loan.borrower, nodes: 1))
        }
    }

    /// Forgets a loan that is there.
    mutating func remove(_ loan: CoreLoan) {
        guard let index = byNode[loan.node]?.firstIndex(of: loan),
            let place = borrowers[loan.lender]?.firstIndex(where: { $0.slot == loan.borrower })
        else { preconditionFailure("a loan that there is not is forgotten") }
        byNode[loan.node]?.remove(at: index)
        if byNode[loan.node]?.isEmpty == true { byNode[loan.node] = nil }
        borrowers[loan.lender]?[place].nodes -= 1
        if borrowers[loan.lender]?[place].nodes == 0 { borrowers[loan.lender]?.remove(at: place) }
        if borrowers[loan.lender]?.isEmpty == true { borrowers[loan.lender] = nil }
        let left = (debts[loan.borrower] ?? 0) - 1
        debts[loan.borrower] = left > 0 ? left : nil
    }
}

extension CoreLoan {
    fileprivate func isOfSameParties(as other: CoreLoan) -> Bool {
        (lender, borrower, node) == (other.lender, other.borrower, other.node)
    }
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

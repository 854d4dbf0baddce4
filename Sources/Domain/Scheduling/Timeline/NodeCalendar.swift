import JobModel

/// When the nodes of a group are closed to jobs: reservations, and outages that end.
///
/// What runs and what is planned changes what nodes have free; an entry of the calendar closes a node
/// to some jobs and not to others, whatever is free on it. A job may hold a node from start to end only
/// if the node is open to it all the time.
struct NodeCalendar: Sendable, Codable {
    /// A reservation as one group sees it.
    struct Entry: Sendable, Codable {
        var id: ReservationID
        /// The group's nodes, ascending.
        var nodes: [Int]
        var span: RecurringSpan
        var flags: ReservationFlags
    }

    /// When a node that is out of service is expected back. Unit: µs since the epoch.
    struct Return: Sendable, Codable {
        var node: Int
        var instant: Int64
    }

    /// By number.
    private(set) var entries: [Entry] = []
    /// The nodes that are out of service and expected back.
    private(set) var returns: [Return] = []
    /// The instant up to which it was trimmed.
    private(set) var now: Int64 = .min
    /// What `nextClosing` has found, as long as it holds.
    private var closing: Closing?

    /// What closes next by the entries, asked from `since` on and before `until`: until then no time of any
    /// is over. Unit: µs since the epoch.
    private struct Closing: Codable {
        var since: Int64
        var until: Int64
        var instant: Int64?
    }

    /// Whether it says nothing.
    var isEmpty: Bool { entries.isEmpty && returns.isEmpty }

    mutating func set(_ entry: Entry) {
        remove(entry.id)
        let place = entries.firstIndex { entry.id < $0.id } ?? entries.count
        entries.insert(entry, at: place)
    }

    mutating func remove(_ id: ReservationID) {
        closing = nil
        entries.removeAll { $0.id == id }
    }

    /// Says when a node is expected back; nil when nobody knows.
    mutating func expectReturn(of node: Int, at instant: Int64?) {
        returns.removeAll { $0.node == node }
        if let instant { returns.append(Return(node: node, instant: instant)) }
    }

    /// Forgets what is over by `now`: a node that did not come back is expected no longer.
    ///
    /// - Returns: the nodes that were expected by now.
    mutating func trim(before now: Int64) -> [Int] {
        self.now = now
        if returns.isEmpty { return [] }
        let overdue = returns.filter { $0.instant <= now }.map(\.node)
        if !overdue.isEmpty { returns.removeAll { $0.instant <= now } }
        return overdue
    }

    /// The earliest instant that a job could run into; nil when there is none.
    mutating func nextClosing(after now: Int64) -> Int64? {
        if !returns.isEmpty { return now }
        if entries.isEmpty { return nil }
        if let known = closing, known.since <= now, now < known.until { return known.instant }
        var known = Closing(since: now, until: .max, instant: nil)
        for entry in entries {
            guard let next = entry.span.occurrence(endingAfter: now) else { continue }
            known.instant = min(known.instant ?? .max, next.start)
            known.until = min(known.until, next.end)
        }
        closing = known
        return known.instant
    }

    /// What jobs of a reservation see, or with nil all others.
    func view(of id: ReservationID?, nodeCount: Int) -> CalendarView {
        var view = CalendarView(nodeCount: nodeCount)
        for expected in returns {
            view.close([expected.node], RecurringSpan(start: .min / 2, end: expected.instant))
        }
        let own = id.flatMap { id in entries.first { $0.id == id } }
        for entry in entries where entry.id != id {
            // Jobs of these use their nodes whoever else has reserved them.
            if let own, !own.flags.isDisjoint(with: [.maint, .overlap]) { continue }
            view.close(entry.nodes, entry.span)
        }
        guard let own, !own.flags.contains(.flex) else { return view }
        view.startBound = own.span.end
        if !own.flags.contains(.anyNodes) { view.keepInside(own.nodes) }
        return view
    }
}

/// When nodes are open to some jobs.
struct CalendarView: Sendable, Codable {
    /// The times at which each node is closed; empty for most.
    private var closings: ContiguousArray<[RecurringSpan]>
    /// The nodes that are closed at any time.
    private var nodesClosing: [Int] = []
    /// All times once.
    private var spans: [RecurringSpan] = []
    /// Whether each node is closed for good; nil when none is.
    private var areOutside: ContiguousArray<Bool>?
    /// Jobs must start before. Unit: µs since the epoch.
    var startBound: Int64 = .max

    init(nodeCount: Int) {
        closings = ContiguousArray(repeating: [], count: nodeCount)
    }

    mutating func close(_ nodes: [Int], _ span: RecurringSpan) {
        guard !nodes.isEmpty else { return }
        spans.append(span)
        for node in nodes {
            if closings[node].isEmpty { nodesClosing.append(node) }
            closings[node].append(span)
        }
    }

    mutating func keepInside(_ nodes: [Int]) {
        var outside = ContiguousArray(repeating: true, count: closings.count)
        for node in nodes { outside[node] = false }
        areOutside = outside
    }

    /// The times at which a node is closed.
    func closings(of node: Int) -> [RecurringSpan] { closings[node] }

    /// Whether a node is open whenever.
    func isAlwaysOpen(_ node: Int) -> Bool {
        startBound == .max && areOutside?[node] != true && closings[node].isEmpty
    }

    /// Whether a node is open during `[from, until)`.
    func isOpen(_ node: Int, from: Int64, until: Int64) -> Bool {
        if areOutside?[node] == true || from >= startBound { return false }
        return !closings[node].contains { $0.meets(from: from, until: until) }
    }

    /// Whether each node is closed at any time during `[from, until)`; nil when none is.
    func closed(from: Int64, until: Int64) -> ContiguousArray<Bool>? {
        if from >= startBound { return ContiguousArray(repeating: true, count: closings.count) }
        guard spans.contains(where: { $0.meets(from: from, until: until) }) else {
            return areOutside
        }
        var closed = areOutside ?? ContiguousArray(repeating: false, count: closings.count)
        for node in nodesClosing where !closed[node] {
            closed[node] = closings[node].contains { $0.meets(from: from, until: until) }
        }
        return closed
    }

    /// The instants after `now` at which nodes open, as far as one can be the first at which a job
    /// fits when nothing else changes after `last`: spans repeat from then on.
    func openings(after now: Int64, last: Int64) -> [Int64] {
        let settled = spans.reduce(max(now, last)) { max($0, $1.end) }
        var instants: [Int64] = []
        for span in spans {
            var next = span.occurrence(endingAfter: now)
            while let own = next, own.end <= settled + RecurringSpan.cycle {
                instants.append(own.end)
                next = own.occurrence(endingAfter: own.end)
            }
        }
        return instants
    }

    /// How long after the last change of anything else a job may still have to wait for a node to open.
    /// Unit: µs.
    func settling(after now: Int64) -> Int64 {
        spans.reduce(RecurringSpan.cycle) { max($0, $1.end &- now &+ RecurringSpan.cycle) }
    }
}

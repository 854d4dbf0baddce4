public import IndexSets

/// Something that happens to nodes while a log is replayed.
public struct NodeEvent: Hashable, Sendable {
    /// What happens.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// They break: what runs on them is cut short. Counted as failures.
        case fail
        /// They are switched off: what runs on them is cut short.
        case down
        /// They take no new jobs; what runs on them goes on.
        case drain
        /// They take jobs again.
        case resume
        /// They are kept free for maintenance from a later time on: what runs goes on, and plans see it
        /// coming.
        case reserve
    }

    /// When. Unit: µs of trace time.
    public var instant: Int64
    /// Which, as positions in the machine's nodes.
    public var nodes: IDSet
    /// What.
    public var kind: Kind
    /// When a reservation begins; of no meaning for others. Unit: µs of trace time.
    public var start: Int64
    /// When it is over, as far as that is known at its time. Unit: µs of trace time.
    public var until: Int64?

    /// Makes an event.
    ///
    /// - Precondition: a reservation has an end, behind its start.
    public init(
        instant: Int64,
        nodes: IDSet,
        kind: Kind,
        start: Int64? = nil,
        until: Int64? = nil
    ) {
        self.instant = instant
        self.nodes = nodes
        self.kind = kind
        self.start = start ?? instant
        self.until = until
        precondition(kind != .reserve || until ?? .min > self.start)
    }
}

/// Node events in order of time, handed out one by one: a list, or drawn without end.
public struct NodeEventStream: Sendable {
    private var list: [NodeEvent] = []
    private var next = 0
    private var process: FailureProcess?
    private var left = 0

    /// So many events are drawn for one replay: a year of 18,000 nodes that each fail ten times takes 360,000.
    /// Where nodes fail within seconds, jobs of hours would not come to their ends.
    public static let drawnMaximum = 5_000_000

    /// Hands out a list.
    ///
    /// - Precondition: instants do not fall.
    public init(_ events: [NodeEvent]) {
        precondition(zip(events, events.dropFirst()).allSatisfy { $0.instant <= $1.instant })
        list = events
    }

    /// Hands out what a process draws, `maximum` events at most.
    public init(_ process: FailureProcess, upTo maximum: Int = drawnMaximum) {
        self.process = process
        left = maximum
    }

    /// Whether it never ends.
    var isEndless: Bool { process != nil }

    /// Whether as many were drawn as may be: the replay cannot go on.
    var isUsedUp: Bool { isEndless && left <= 0 }

    /// When the next one is; nil when there is none. Unit: µs of trace time.
    var nextInstant: Int64? {
        process.map(\.nextInstant) ?? (next < list.count ? list[next].instant : nil)
    }

    /// Takes the next one out; nil when there is none.
    public mutating func pop() -> NodeEvent? {
        if let event = process?.pop() {
            left -= 1
            return event
        }
        guard next < list.count else { return nil }
        defer { next += 1 }
        return list[next]
    }
}

import Determinism
public import Emulation
import IndexSets
import JobModel
public import Quantities

/// A day of work with reservations and outages, from one seed: a world, and what operators do in it.
public struct ReservedDay: Sendable {
    /// A moment and what an operator does then.
    public struct Event: Sendable {
        /// When.
        public var at: SimInstant
        /// What.
        public var input: Input
    }

    /// The centre and its jobs; some belong to reservations that may not exist.
    public var world: World
    /// By time.
    public var events: [Event] = []

    /// Draws reservations and outages into a world.
    public init(_ world: World, seed: UInt64, reservationCount: Int = 4, outageCount: Int = 2) {
        var random = SplitMix64(seed: seed, stream: "reserved day")
        self.world = world
        let last = max(60, Int(world.arrivals.last?.at.seconds ?? 0))
        let nodeCount = world.configuration.nodes.count
        for number in 1...UInt32(reservationCount) {
            let at = random.draw(0...last)
            let start = at + random.draw(0...60)
            var terms = Reservation(
                id: ReservationID(number),
                start: SimInstant(seconds: Int64(start)),
                end: SimInstant(seconds: Int64(start + random.draw(5...80))),
                extent: .nodes(Self.drawNodes(nodeCount, &random)),
                flags: Self.drawFlags(&random)
            )
            if random.below(3) == 0 {
                let partition = random.draw(0...(world.configuration.partitions.count - 1))
                terms.extent = .nodeCount(Int32(random.draw(1...3)), partition: partition)
            }
            if random.below(3) == 0 { terms.users = .only([0, 1]) }
            events.append(Event(at: .init(seconds: Int64(at)), input: .createReservation(terms)))
        }
        for _ in 0..<outageCount { addOutage(last, nodeCount, &random) }
        // Stable: what happens to one node at one instant stays in order.
        let order = events.indices.sorted { (events[$0].at, $0) < (events[$1].at, $1) }
        events = order.map { events[$0] }
        for index in self.world.arrivals.indices {
            self.world.arrivals[index].submission.user = Int32(random.draw(0...2))
            guard random.below(4) == 0 else { continue }
            let number = UInt32(random.draw(1...reservationCount))
            self.world.arrivals[index].submission.reservation = ReservationID(number)
        }
    }

    private static func drawNodes(_ count: Int, _ random: inout SplitMix64) -> IDSet {
        IDSet((0...random.draw(0...(count / 2))).map { _ in random.draw(0...(count - 1)) })
    }

    private static func drawFlags(_ random: inout SplitMix64) -> ReservationFlags {
        var flags: ReservationFlags = []
        for flag: ReservationFlags in [.maint, .overlap, .flex, .daily] where random.below(5) == 0 {
            flags.insert(flag)
        }
        if random.below(10) == 0 { flags.insert(.anyNodes) }
        if random.below(2) == 0 { flags.insert(.ignoreJobs) }
        return flags
    }

    private mutating func addOutage(_ last: Int, _ nodeCount: Int, _ random: inout SplitMix64) {
        let nodes = Self.drawNodes(nodeCount, &random)
        let at = Int64(random.draw(0...last))
        let expected = at + Int64(random.draw(5...60))
        let back =
            random.below(2) == 0
            ? expected : max(at + 1, expected + Int64(random.draw(0...20)) - 10)
        func add(_ second: Int64, _ input: Input) {
            events.append(Event(at: SimInstant(seconds: second), input: input))
        }
        add(at, random.below(2) == 0 ? .nodesDown(nodes) : .nodesDrained(nodes))
        if random.below(4) > 0 { add(at, .nodesExpected(nodes, SimInstant(seconds: expected))) }
        add(back, .nodesResumed(nodes))
    }

    /// Runs the day in batched order and returns what happened, and which events were refused.
    ///
    /// - Parameter watch: called after every pass.
    public func run(
        _ emulator: inout Emulator,
        watch: (Emulator, RecordingSink, SimInstant) -> Void = { _, _, _ in }
    ) -> (sink: RecordingSink, refused: Set<Int>) {
        var sink = RecordingSink()
        var refused: Set<Int> = []
        var arrivals = world.arrivals[...]
        var nextEvent = 0
        var idleCount = 0
        while true {
            var instants = [arrivals.first?.at, sink.wakes.min()].compactMap(\.self)
            if let end = sink.ends.nextInstant { instants.append(SimInstant(microseconds: end)) }
            if nextEvent < events.count { instants.append(events[nextEvent].at) }
            guard let now = instants.min() else { break }
            sink.wakes.removeAll { $0 <= now }
            while sink.ends.nextInstant == now.microseconds {
                let id = sink.ends.pop()
                try? emulator.handle(.jobEnded(id, .completed), at: now, into: &sink)
            }
            while nextEvent < events.count, events[nextEvent].at == now {
                do {
                    try emulator.handle(events[nextEvent].input, at: now, into: &sink)
                } catch {
                    refused.insert(nextEvent)
                }
                nextEvent += 1
            }
            while let arrival = arrivals.first, arrival.at == now {
                sink.runTimes[arrival.submission.id] = arrival.runTime
                try? emulator.handle(.submit(arrival.submission), at: now, into: &sink)
                arrivals.removeFirst()
            }
            emulator.schedulingPass(at: now, into: &sink)
            watch(emulator, sink, now)
            let isIdle = emulator.runningJobCount == 0 && arrivals.isEmpty
            idleCount = isIdle && nextEvent == events.count ? idleCount + 1 : 0
            if idleCount > emulator.idleWakeMaximum { break }
        }
        return (sink, refused)
    }
}

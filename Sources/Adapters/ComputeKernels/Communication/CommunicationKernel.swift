internal import MessagePassing
internal import Prediction
internal import WireFormats

/// Latency and bandwidth of messages: ping-pong, all-reduce and all-to-all over sizes.
///
/// Sizes run from 8 byte by factors of 4 to the one asked for. Ping-pong goes between the first and
/// the last rank, which lie farthest apart where ranks are dealt out node by node, and gives half
/// of the round trip; all-reduce sums doubles over all ranks; all-to-all sends a message of the
/// size from every rank to every rank. With one rank there is no ping-pong.
///
/// As in the OSU benchmarks, a message leaves from one buffer and arrives in another, and a time is the
/// mean of many calls. Unlike theirs, calls come in batches of up to 32 KiB in which each message has
/// contents and a place of its own, so that between two batches, untimed, each can be looked at.
///
/// **Work** of a call, S bytes, P ranks: ping-pong 2S byte a round trip; all-reduce (S/8)(P − 1)
/// flop and 2S(P − 1) byte, which every algorithm must move at least; all-to-all SP(P − 1) byte.
///
/// **Verified** when every element that every timed call delivers is the one that was sent, or the
/// sum; the numbers are small integers, so sums are exact.
///
/// Source: Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in
/// MPICH", IJHPCA 19(1), 2005, for the bytes; OSU Micro-Benchmarks for the method.
final class CommunicationKernel: Kernel {
    static let profile = KernelProfile(
        .comm,
        title: "messages: ping-pong, all-reduce and all-to-all over sizes",
        criterion: "every element of every timed call is the one sent, or the exact sum"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        let ring = 8 * Double(max(doublesOfBatch, shape[0] / 8))
        return Double(ranks) * 2 * ring * Double(ranks)
    }

    private static let largestMessage = 1 << 30
    /// What a batch may hold: small beside a second-level cache, large beside a short message.
    private static let doublesOfBatch = 4_096

    private let world: Communicator
    /// Message sizes in doubles.
    private let counts: [Int]
    private let sent: NumericBuffer<Double>
    private let received: NumericBuffer<Double>
    private var pingPong: [Double]
    private var allReduce: [Double]
    private var allToAll: [Double]
    private var sendOverhead: Double?
    /// Batches so far: each has other contents.
    private var serial = 0
    private var wrong: Int64 = 0
    private var seconds = 0.0

    init(_ setting: KernelSetting) throws(KernelFailure) {
        let bytes = setting.shape[0]
        guard bytes >= 8 && bytes <= Self.largestMessage else {
            throw .malformedSize(
                "\(bytes)",
                kernel: Self.profile.name,
                meaning: "a number of bytes from 8 to \(Self.largestMessage)"
            )
        }
        world = setting.world
        counts = KernelForm.messageCounts(upTo: bytes / 8)
        let largest = max(bytes / 8, Self.doublesOfBatch) * world.size
        sent = NumericBuffer(count: largest, filledWith: 0)
        received = NumericBuffer(count: largest, filledWith: 0)
        pingPong = [Double](repeating: .infinity, count: counts.count)
        allReduce = pingPong
        allToAll = pingPong
    }

    /// Every batch makes its own contents.
    func prepare(_ number: Int) {}

    func repetition() throws(KernelFailure) -> Work {
        seconds = 0
        wrong = 0
        try messaging { () throws(MPIFailure) in
            for (index, count) in counts.enumerated() {
                pingPong[index] = min(pingPong[index], try timePingPong(count) / 2)
                allReduce[index] = min(allReduce[index], try timeAllReduce(count))
                allToAll[index] = min(allToAll[index], try timeAllToAll(count))
            }
        }
        return Work(KernelForm.comm.work([8 * (counts.last ?? 1)], ranks: world.size))
    }

    var secondsOfParts: Double? { seconds }

    func verify() throws(KernelFailure) -> Verdict {
        let mine = wrong
        let all = try messaging { () throws(MPIFailure) in try world.allReduce(mine, .sum) }
        return Verdict(residual: Double(all), limit: 0)
    }

    func measureFurther() throws(KernelFailure) -> Bool {
        guard world.size > 1 else { return true }
        sendOverhead = try messaging { () throws(MPIFailure) in try timeSending() }
        return try verify().isVerified
    }

    func details() -> [JSONValue.Member] {
        let bytes = counts.map { JSONValue.integer(Int64(8 * $0)) }
        var members: [JSONValue.Member] = [.init("message_bytes", .array(bytes))]
        if world.size > 1 {
            members.append(.init("ping_pong_s", .array(pingPong.map { .number($0) })))
            members.append(.init("send_overhead_s", sendOverhead.map { .number($0) } ?? .null))
        }
        members.append(.init("all_reduce_s", .array(allReduce.map { .number($0) })))
        members.append(.init("all_to_all_s", .array(allToAll.map { .number($0) })))
        return members
    }
}

// MARK: - Timing

extension CommunicationKernel {
    /// Mean seconds of a call, slowest rank, over all calls with messages of `count` doubles.
    ///
    /// - Parameters:
    ///   - width: Doubles of a call on one rank.
    ///   - fill: Makes the contents of so many calls.
    ///   - work: Makes the calls. Timed.
    ///   - check: Counts what came out wrong of them.
    private func timeCalls(
        _ count: Int,
        width: Int,
        fill: (_ calls: Int) -> Void,
        work: (_ calls: Int) throws(MPIFailure) -> Void,
        check: (_ calls: Int) -> Int64
    ) throws(MPIFailure) -> Double {
        let calls = KernelForm.messageCalls(count)
        var (done, mine) = (0, 0.0)
        while done < calls {
            let batch = min(calls - done, max(1, Self.doublesOfBatch / width))
            serial += 1
            fill(batch)
            try world.barrier()
            let start = MPIEnvironment.wallSeconds()
            try work(batch)
            mine += MPIEnvironment.wallSeconds() - start
            wrong += check(batch)
            done += batch
        }
        let slowest = try world.allReduce(mine, .maximum)
        seconds += slowest
        return slowest / Double(calls)
    }

    /// Seconds of a round trip between the first and the last rank.
    private func timePingPong(_ count: Int) throws(MPIFailure) -> Double {
        let last = world.size - 1
        guard last > 0 else { return .infinity }
        let takesPart = world.rank == 0 || world.rank == last
        let other = world.rank == 0 ? last : 0
        return try timeCalls(
            count,
            width: count,
            fill: { calls in if takesPart { fill(calls * count, to: other) } },
            work: { (calls: Int) throws(MPIFailure) in
                try roundTrips(calls, count, world, sent.pointer, received.pointer)
            },
            check: { calls in
                guard takesPart else { return 0 }
                return Self.mismatches(received.slice(0..<(calls * count))) {
                    Self.pattern(other, world.rank, $0, serial)
                }
            }
        )
    }

    private func timeAllReduce(_ count: Int) throws(MPIFailure) -> Double {
        try timeCalls(
            count,
            width: count,
            fill: { calls in
                for index in 0..<(calls * count) {
                    received[index] = Self.pattern(world.rank, 0, index, serial)
                }
            },
            work: { (calls: Int) throws(MPIFailure) in
                for call in 0..<calls {
                    let message = received.mutableSlice((call * count)..<((call + 1) * count))
                    try world.allReduce(inPlace: message, .sum)
                }
            },
            check: { calls in
                Self.mismatches(received.slice(0..<(calls * count))) { index in
                    (0..<world.size).reduce(0) { $0 + Self.pattern($1, 0, index, serial) }
                }
            }
        )
    }

    private func timeAllToAll(_ count: Int) throws(MPIFailure) -> Double {
        let all = count * world.size
        return try timeCalls(
            count,
            width: all,
            fill: { calls in
                for call in 0..<calls {
                    for place in 0..<all {
                        let index = call * count + place % count
                        sent[call * all + place] =
                            Self.pattern(world.rank, place / count, index, serial)
                    }
                }
                received.spoil()
            },
            work: { (calls: Int) throws(MPIFailure) in
                for call in 0..<calls {
                    let span = (call * all)..<((call + 1) * all)
                    try world.allToAll(
                        sent.slice(span),
                        received.mutableSlice(span),
                        count: count
                    )
                }
            },
            check: { calls in
                Self.mismatches(received.slice(0..<(calls * all))) { index in
                    let (call, place) = (index / all, index % all)
                    let inMessage = call * count + place % count
                    return Self.pattern(place / count, world.rank, inMessage, serial)
                }
            }
        )
    }

    /// What a sender spends on a short message (LogGP's o): a burst that the receiver takes in
    /// afterwards, so that nobody waits for it.
    private func timeSending() throws(MPIFailure) -> Double {
        let burst = 64
        let last = world.size - 1
        var best = Double.infinity
        for _ in 0..<20 {
            serial += 1
            fill(burst, to: world.rank == 0 ? last : 0)
            try world.barrier()
            if world.rank == 0 {
                let start = MPIEnvironment.wallSeconds()
                for index in 0..<burst {
                    try world.send(sent.slice(index..<(index + 1)), to: last, tag: tag)
                }
                best = min(best, (MPIEnvironment.wallSeconds() - start) / Double(burst))
            } else if world.rank == last {
                for index in 0..<burst {
                    let one = received.mutableSlice(index..<(index + 1))
                    try world.receive(into: one, from: 0, tag: tag)
                }
                wrong += Self.mismatches(received.slice(0..<burst)) {
                    Self.pattern(0, last, $0, serial)
                }
            }
        }
        return try world.allReduce(world.rank == 0 ? best : 0, .maximum)
    }
}

// MARK: - Contents

extension CommunicationKernel {
    /// What rank `rank` sends as element `index` of batch `serial` to rank `other`: neither neighbours
    /// nor batches are alike.
    static func pattern(_ rank: Int, _ other: Int, _ index: Int, _ serial: Int) -> Double {
        Double((rank * 31 + other * 17 + index + serial * 101) % 1_009 + 1)
    }

    /// How many elements of `buffer` are not what `expected` says.
    static func mismatches(
        _ buffer: UnsafeBufferPointer<Double>,
        _ expected: (Int) -> Double
    ) -> Int64 {
        var count: Int64 = 0
        for (index, value) in buffer.enumerated() where !(value == expected(index)) { count += 1 }
        return count
    }

    /// Makes `count` elements to send to `other`, and spoils the place of as many that will come.
    private func fill(_ count: Int, to other: Int) {
        for index in 0..<count {
            sent[index] = Self.pattern(world.rank, other, index, serial)
            received[index] = .nan
        }
    }
}

/// What marks the messages of this kernel.
private let tag = 7

/// Sends messages of `count` elements to and fro between the first and the last rank, each from a place
/// of its own in `sent` to one in `received`.
///
/// Stands alone, with the choice of side outside the loop: as a method called once a trip it took
/// 20 ns more a message.
private func roundTrips(
    _ calls: Int,
    _ count: Int,
    _ world: Communicator,
    _ sent: UnsafePointer<Double>,
    _ received: UnsafeMutablePointer<Double>
) throws(MPIFailure) {
    let last = world.size - 1
    func message(_ call: Int) -> UnsafeBufferPointer<Double> {
        UnsafeBufferPointer(start: sent + call * count, count: count)
    }
    func place(_ call: Int) -> UnsafeMutableBufferPointer<Double> {
        UnsafeMutableBufferPointer(start: received + call * count, count: count)
    }
    if world.rank == 0 {
        for call in 0..<calls {
            try world.send(message(call), to: last, tag: tag)
            try world.receive(into: place(call), from: last, tag: tag)
        }
    } else if world.rank == last {
        for call in 0..<calls {
            try world.receive(into: place(call), from: 0, tag: tag)
            try world.send(message(call), to: 0, tag: tag)
        }
    }
}

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
/// **Work** of a call, S bytes, P ranks: ping-pong 2S byte a round trip; all-reduce (S/8)(P − 1)
/// flop and 2S(P − 1) byte, which every algorithm must move at least; all-to-all SP(P − 1) byte.
///
/// **Verified** when every element that every call of a last, untimed round delivers is the one
/// that was sent, or the sum; the numbers are small integers, so sums are exact.
///
/// Source: Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in
/// MPICH", IJHPCA 19(1), 2005, for the bytes; the method is that of the OSU and Intel benchmarks.
final class CommunicationKernel: Kernel {
    static let profile = KernelProfile(
        .comm,
        title: "messages: ping-pong, all-reduce and all-to-all over sizes",
        criterion: "every element delivered is the one sent, or the exact sum"
    )

    static func memory(for shape: [Int], ranks: Int) -> Double {
        Double(ranks) * Double(shape[0]) * Double(2 * ranks + 1)
    }

    private static let largestMessage = 1 << 30

    private let world: Communicator
    /// Message sizes in doubles.
    private let counts: [Int]
    private let message: NumericBuffer<Double>
    private let source: NumericBuffer<Double>
    private let target: NumericBuffer<Double>
    private var pingPong: [Double]
    private var allReduce: [Double]
    private var allToAll: [Double]

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
        let largest = bytes / 8
        message = NumericBuffer(count: largest, filledWith: 0)
        source = NumericBuffer(count: largest * world.size, filledWith: 0)
        target = NumericBuffer(count: largest * world.size, filledWith: 0)
        pingPong = [Double](repeating: .infinity, count: counts.count)
        allReduce = pingPong
        allToAll = pingPong
    }

    func repetition() throws(KernelFailure) -> Work {
        try messaging { () throws(MPIFailure) in
            for (index, count) in counts.enumerated() {
                let calls = KernelForm.messageCalls(count)
                message.pointer.update(repeating: 0, count: count)
                pingPong[index] = min(pingPong[index], try timePingPong(count, calls) / 2)
                allReduce[index] = min(allReduce[index], try timeAllReduce(count, calls))
                allToAll[index] = min(allToAll[index], try timeAllToAll(count, calls))
            }
            return Work(KernelForm.comm.work([8 * (counts.last ?? 1)], ranks: world.size))
        }
    }

    func verify() throws(KernelFailure) -> Verdict {
        let wrong = try messaging { () throws(MPIFailure) in
            var wrong: Int64 = 0
            for count in counts {
                wrong += try countWrongInPingPong(count)
                wrong += try countWrongInAllReduce(count)
                wrong += try countWrongInAllToAll(count)
            }
            return try world.allReduce(wrong, .sum)
        }
        return Verdict(residual: Double(wrong), limit: 0)
    }

    func details() throws(KernelFailure) -> [JSONValue.Member] {
        let bytes = counts.map { JSONValue.integer(Int64(8 * $0)) }
        var members: [JSONValue.Member] = [.init("message_bytes", .array(bytes))]
        if world.size > 1 {
            members.append(.init("ping_pong_s", .array(pingPong.map { .number($0) })))
            let overhead = try messaging { () throws(MPIFailure) in try timeSending() }
            members.append(.init("send_overhead_s", .number(overhead)))
        }
        members.append(.init("all_reduce_s", .array(allReduce.map { .number($0) })))
        members.append(.init("all_to_all_s", .array(allToAll.map { .number($0) })))
        return members
    }
}

// MARK: - Timing

extension CommunicationKernel {
    /// Seconds of a round trip between the first and the last rank.
    private func timePingPong(_ count: Int, _ calls: Int) throws(MPIFailure) -> Double {
        guard world.size > 1 else { return .infinity }
        try world.barrier()
        let start = MPIEnvironment.wallSeconds()
        try roundTrips(calls, world, message.mutableSlice(0..<count))
        return try slowest(since: start, calls)
    }

    /// What a sender spends on a short message (LogGP's o): a burst that the receiver takes in
    /// afterwards, so that nobody waits for it.
    private func timeSending() throws(MPIFailure) -> Double {
        let burst = 64
        let last = world.size - 1
        let one = message.mutableSlice(0..<1)
        var best = Double.infinity
        for _ in 0..<20 {
            try world.barrier()
            if world.rank == 0 {
                let start = MPIEnvironment.wallSeconds()
                for _ in 0..<burst {
                    try world.send(UnsafeBufferPointer(one), to: last, tag: tag)
                }
                best = min(best, (MPIEnvironment.wallSeconds() - start) / Double(burst))
            } else if world.rank == last {
                for _ in 0..<burst { try world.receive(into: one, from: 0, tag: tag) }
            }
        }
        return try world.allReduce(world.rank == 0 ? best : 0, .maximum)
    }

    private func timeAllReduce(_ count: Int, _ calls: Int) throws(MPIFailure) -> Double {
        let buffer = message.mutableSlice(0..<count)
        try world.barrier()
        let start = MPIEnvironment.wallSeconds()
        for _ in 0..<calls { try world.allReduce(inPlace: buffer, .sum) }
        return try slowest(since: start, calls)
    }

    private func timeAllToAll(_ count: Int, _ calls: Int) throws(MPIFailure) -> Double {
        let all = count * world.size
        try world.barrier()
        let start = MPIEnvironment.wallSeconds()
        for _ in 0..<calls {
            try world.allToAll(source.slice(0..<all), target.mutableSlice(0..<all), count: count)
        }
        return try slowest(since: start, calls)
    }

    private func slowest(since start: Double, _ calls: Int) throws(MPIFailure) -> Double {
        let mine = (MPIEnvironment.wallSeconds() - start) / Double(calls)
        return try world.allReduce(mine, .maximum)
    }
}

// MARK: - Verification

extension CommunicationKernel {
    /// What rank `rank` sends as element `index` to rank `other`: no two neighbours are alike.
    static func pattern(_ rank: Int, _ other: Int, _ index: Int) -> Double {
        Double((rank * 31 + other * 17 + index) % 1_009 + 1)
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

    private func countWrongInPingPong(_ count: Int) throws(MPIFailure) -> Int64 {
        let last = world.size - 1
        guard last > 0, world.rank == 0 || world.rank == last else { return 0 }
        let other = world.rank == 0 ? last : 0
        let mine = source.mutableSlice(0..<count)
        for index in 0..<count { mine[index] = Self.pattern(world.rank, other, index) }
        let received = message.mutableSlice(0..<count)
        if world.rank == 0 {
            try world.send(UnsafeBufferPointer(mine), to: other, tag: tag)
            try world.receive(into: received, from: other, tag: tag)
        } else {
            try world.receive(into: received, from: other, tag: tag)
            try world.send(UnsafeBufferPointer(mine), to: other, tag: tag)
        }
        return Self.mismatches(UnsafeBufferPointer(received)) {
            Self.pattern(other, world.rank, $0)
        }
    }

    private func countWrongInAllReduce(_ count: Int) throws(MPIFailure) -> Int64 {
        let buffer = message.mutableSlice(0..<count)
        for index in 0..<count { buffer[index] = Self.pattern(world.rank, 0, index) }
        try world.allReduce(inPlace: buffer, .sum)
        return Self.mismatches(UnsafeBufferPointer(buffer)) { index in
            (0..<world.size).reduce(0) { $0 + Self.pattern($1, 0, index) }
        }
    }

    private func countWrongInAllToAll(_ count: Int) throws(MPIFailure) -> Int64 {
        let all = count * world.size
        for place in 0..<all {
            source[place] = Self.pattern(world.rank, place / count, place % count)
        }
        target.pointer.update(repeating: 0, count: all)
        try world.allToAll(source.slice(0..<all), target.mutableSlice(0..<all), count: count)
        return Self.mismatches(target.slice(0..<all)) { place in
            Self.pattern(place / count, world.rank, place % count)
        }
    }
}

/// What marks the messages of this kernel.
private let tag = 7

/// Sends `buffer` to and fro between the first and the last rank.
///
/// Stands alone, with the choice of side outside the loop: as a method called once a trip it took
/// 20 ns more a message.
private func roundTrips(
    _ calls: Int,
    _ world: Communicator,
    _ buffer: UnsafeMutableBufferPointer<Double>
) throws(MPIFailure) {
    let last = world.size - 1
    let message = UnsafeBufferPointer(buffer)
    if world.rank == 0 {
        for _ in 0..<calls {
            try world.send(message, to: last, tag: tag)
            try world.receive(into: buffer, from: last, tag: tag)
        }
    } else if world.rank == last {
        for _ in 0..<calls {
            try world.receive(into: buffer, from: 0, tag: tag)
            try world.send(message, to: 0, tag: tag)
        }
    }
}

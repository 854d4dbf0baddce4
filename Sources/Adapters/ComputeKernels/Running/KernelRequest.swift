internal import HardwareTopology
public import MessagePassing
internal import Prediction
internal import Quantities

/// What to run and how.
public struct KernelRequest: Sendable {
    /// The kernel's name.
    public var kernel: String
    /// The text of `--size`.
    public var size: String
    /// Repeat until the timed work has taken so many seconds; nil for `repeats` only.
    public var seconds: Double?
    /// Repeat at least so often.
    public var repeats: Int
    /// Threads a rank.
    public var threads: Int
    /// Whether ranks may share cores.
    public var sharesCores: Bool
    /// Write the last repetition's answer to this file, in NumPy's format; nil for no file.
    public var answerPath: String?
    /// Let a card do the work; nil for the processor.
    public var card: CardChoice?

    /// Makes a request.
    public init(
        kernel: String,
        size: String,
        seconds: Double?,
        repeats: Int,
        threads: Int,
        sharesCores: Bool,
        answerPath: String? = nil,
        card: CardChoice? = nil
    ) {
        self.kernel = kernel
        self.size = size
        self.seconds = seconds
        self.repeats = repeats
        self.threads = threads
        self.sharesCores = sharesCores
        self.answerPath = answerPath
        self.card = card
    }

    /// Checks what can be checked without MPI.
    ///
    /// - Throws: `KernelFailure`.
    public func validate() throws(KernelFailure) {
        let profile = try KernelCatalogue.kernel(named: kernel, onCard: card != nil).profile
        _ = try shape(for: profile.form)
        let most = card == nil ? profile.maximumThreads : 1
        guard threads <= most else {
            throw .tooManyThreads(threads, maximum: most, kernel: kernel)
        }
        guard answerPath == nil || profile.form != .comm else { throw .noAnswer(kernel: kernel) }
    }
}

extension KernelRequest {
    /// Binds the ranks, runs the kernel once to warm up and then as often as asked, verifies each
    /// answer, and gathers what there is to report. Collective.
    ///
    /// Time runs from a barrier before each repetition to the moment when the slowest rank is done;
    /// making the problems, the warm-up and the verifications are outside. The first wrong answer ends
    /// the run.
    ///
    /// - Throws: `KernelFailure`; every rank throws the same, except where MPI itself failed.
    public func run(on world: Communicator) throws(KernelFailure) -> Measurement {
        try validate()
        let kernelType = try KernelCatalogue.kernel(named: kernel, onCard: card != nil)
        // Before this rank is bound to a core: the threads of a driver are not to share it.
        let found = try findCard(world)
        let shape = try shape(for: kernelType.profile.form)
        let team = ThreadTeam(count: threads)
        defer { team.end() }
        let placement = try RankPlacement.bind(world, team: team, sharesCores: sharesCores)
        try refuseMoreThanMemory(
            kernelType.memory(for: shape, ranks: world.size),
            world,
            ranksOnNode: placement.ranksOnNode
        )
        let setting = KernelSetting(world: world, shape: shape, team: team, card: found)
        let surroundings = try RunSurroundings(world, card: found)
        let instance = try kernelType.init(setting)
        do {
            return try measure(instance, shape, world, placement, surroundings)
        } catch {
            // Transfers may be under way when MPI fails: their memory must outlast it.
            _ = Unmanaged.passRetained(instance as AnyObject)
            throw error
        }
    }

    private func findCard(_ world: Communicator) throws(KernelFailure) -> Card? {
        guard let card else { return nil }
        guard world.size == 1 else { throw .oneRankForCard(world.size) }
        return try Card.find(card)
    }

    private func measure(
        _ instance: some Kernel,
        _ shape: [Int],
        _ world: Communicator,
        _ placement: RankPlacement,
        _ found: RunSurroundings
    ) throws(KernelFailure) -> Measurement {
        var surroundings = found
        try instance.prepare(0)
        _ = try instance.repetition()
        var timing = Timing()
        var verdict = Verdict(residual: 0, limit: 0)
        // One rank of each node speaks for its packages.
        var meter = placement.isFirstOnNode ? EnergyMeter() : nil
        while verdict.isVerified, timing.repetitions < repeats || timing.seconds < seconds ?? 0 {
            try instance.prepare(timing.repetitions + 1)
            meter?.start()
            let start = try startTogether(world)
            let work = try instance.repetition()
            let whole = try endTogether(world, since: start)
            meter?.stop()
            timing.add(work, seconds: instance.secondsOfParts ?? whole)
            try instance.fetch()
            // Of each repetition, since the first wrong one is the last, and verifying may change it.
            if let answerPath, let answer = instance.answer() {
                try AnswerFile(path: answerPath).write(answer, world)
            }
            verdict = try verdict.and(agreed(instance.verify(), world))
        }
        surroundings.measureClock()
        let energy = try energy(of: timing.seconds, meter, world, placement)
        if verdict.isVerified, try !instance.measureFurther() {
            verdict = verdict.and(Verdict(residual: .nan, limit: 0))
        }
        return Measurement(
            kernel: kernel,
            size: extentsText(shape),
            ranks: world.size,
            threads: threads,
            timing: timing,
            energy: energy,
            verdict: verdict,
            binding: placement.texts,
            host: placement.host,
            on: surroundings,
            details: try instance.details()
        )
    }

    private func shape(for form: KernelForm) throws(KernelFailure) -> [Int] {
        do {
            return try form.shape(of: size)
        } catch {
            throw .malformedSize(size, kernel: kernel, meaning: form.sizeMeaning)
        }
    }

    /// A verdict that one rank finds against the answer is that of all.
    private func agreed(
        _ mine: Verdict,
        _ world: Communicator
    ) throws(KernelFailure) -> Verdict {
        let isWrong = try messaging { () throws(MPIFailure) in
            try world.allReduce(Int32(mine.isVerified ? 0 : 1), .maximum) != 0
        }
        return Verdict(residual: mine.residual, limit: .infinity, and: !isWrong)
    }

    private func startTogether(_ world: Communicator) throws(KernelFailure) -> Double {
        try messaging { () throws(MPIFailure) in try world.barrier() }
        return MPIEnvironment.wallSeconds()
    }

    /// Seconds that the slowest rank took; the same number on all ranks, so all decide alike.
    private func endTogether(
        _ world: Communicator,
        since start: Double
    ) throws(KernelFailure) -> Double {
        let mine = MPIEnvironment.wallSeconds() - start
        return try messaging { () throws(MPIFailure) in try world.allReduce(mine, .maximum) }
    }

    /// The energy of the timed part over all nodes: by counters where every node has them.
    private func energy(
        of seconds: Double,
        _ meter: EnergyMeter?,
        _ world: Communicator,
        _ placement: RankPlacement
    ) throws(KernelFailure) -> RunEnergy {
        let mine: Double? = if let meter { meter.joules } else { 0 }
        let sums = try messaging { () throws(MPIFailure) in
            try world.allReduce([mine ?? 0, mine == nil ? 1 : 0], .sum)
        }
        guard sums[1] > 0 else { return RunEnergy(joules: sums[0], isMeasured: true) }
        return RunEnergy(
            joules: Double(placement.cores) * seconds * EnergyMeter.assumedWattsOfCore,
            isMeasured: false
        )
    }

    private func refuseMoreThanMemory(
        _ needed: Double,
        _ world: Communicator,
        ranksOnNode: Int
    ) throws(KernelFailure) {
        let share = needed / Double(world.size) * Double(ranksOnNode)
        let available = HostProbe.availableMemory().map { Double($0.count) } ?? .infinity
        let isShort = share > available
        // Each figure by itself: what is free is lost to rounding in a difference of the two.
        let worst = try messaging { () throws(MPIFailure) in
            try world.allReduce(
                [isShort ? share : 0, isShort ? -available : -.infinity],
                .maximum
            )
        }
        guard worst[0] == 0 else { throw .outOfMemory(needed: worst[0], available: -worst[1]) }
    }
}

/// What the timed repetitions of a run add up to.
struct Timing {
    var repetitions = 0
    var seconds = 0.0
    var work = Work(flop: 0, byte: 0)
    /// The repetition with the highest rate of flop, or of bytes where there are no flop. Not the
    /// shortest: repetitions of one run may have different work.
    private(set) var best: (work: Work, seconds: Double)?

    mutating func add(_ work: Work, seconds: Double) {
        repetitions += 1
        self.seconds += seconds
        self.work = self.work + work
        func rate(_ work: Work, _ seconds: Double) -> Double {
            Double(work.flop > 0 ? work.flop : work.byte) / seconds
        }
        if let best, rate(best.work, best.seconds) >= rate(work, seconds) { return }
        best = (work, seconds)
    }
}

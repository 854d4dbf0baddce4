import JobModel

/// What those whose jobs are counted together have used, and what running ones may use yet.
struct UsedMinutes: Sendable, Codable {
    /// In the order of `TRES.allCases`.
    private var meters: [UsageMeter]
    private var wall: UsageMeter
    /// Σ held · (deadline − origin) of running jobs. Unit: amount · µs.
    private var due: [Int128]
    /// So that sums stay small. Unit: µs since the epoch.
    private let origin: Int64
    /// How past use is forgotten.
    private let decay: UsageDecay

    init(at now: Int64, _ decay: UsageDecay) {
        self.decay = decay
        meters = TRES.allCases.map { _ in UsageMeter(at: now) }
        wall = UsageMeter(at: now)
        due = TRES.allCases.map { _ in 0 }
        origin = now
    }

    /// What several have used together; nothing of it is held any more.
    init(sumOf parts: [UsedMinutes], at now: Int64, _ decay: UsageDecay) {
        self.init(at: now, decay)
        for part in parts {
            for place in meters.indices {
                meters[place].addPast(of: part.meters[place], at: now, decay)
            }
            wall.addPast(of: part.wall, at: now, decay)
        }
    }

    mutating func start(
        _ amounts: TRESCounts,
        until deadline: Int64,
        at now: Int64
    ) {
        for (place, tres) in TRES.allCases.enumerated() {
            meters[place].change(by: amounts[tres], at: now, decay)
            due[place] += Int128(amounts[tres]) * Int128(deadline - origin)
        }
        wall.change(by: 1, at: now, decay)
    }

    mutating func end(
        _ amounts: TRESCounts,
        until deadline: Int64,
        at now: Int64
    ) {
        for (place, tres) in TRES.allCases.enumerated() {
            meters[place].change(by: -amounts[tres], at: now, decay)
            due[place] -= Int128(amounts[tres]) * Int128(deadline - origin)
        }
        wall.change(by: -1, at: now, decay)
    }

    mutating func move(_ amounts: TRESCounts, from old: Int64, to deadline: Int64) {
        for (place, tres) in TRES.allCases.enumerated() {
            due[place] += Int128(amounts[tres]) * Int128(deadline - old)
        }
    }

    /// Nothing is held from now on; past use stays.
    mutating func stopAll(at now: Int64) {
        for place in meters.indices {
            meters[place].stop(at: now, decay)
            due[place] = 0
        }
        wall.stop(at: now, decay)
    }

    func usedSeconds(_ tres: TRES, at now: Int64) -> UInt64 {
        meters[Self.place(tres)].usedSeconds(at: now, decay)
    }

    func wallSeconds(at now: Int64) -> UInt64 {
        wall.usedSeconds(at: now, decay)
    }

    /// What running jobs may use yet if they run to their limits. Unit: amount · s.
    func comingSeconds(_ tres: TRES, _ held: TRESCounts, at now: Int64) -> Int128 {
        let left = due[Self.place(tres)] - Int128(held[tres]) * Int128(now - origin)
        // A job that overruns its limit counts for nothing, not for less.
        return max(0, left / 1_000_000)
    }

    private static func place(_ tres: TRES) -> Int { Int(tres.rawValue) }
}

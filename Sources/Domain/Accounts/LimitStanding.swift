public import JobModel
public import Quantities

/// A limit as it stands for one job that waits for it.
public struct LimitStanding: Hashable, Sendable {
    /// What is counted.
    public enum Resource: Hashable, Sendable {
        /// What limits on people count; times are in minutes.
        case counted(LimitKind.Measure)
        /// Money. Unit: fen.
        case money
        /// Licences.
        case licenses
    }

    /// Whose jobs are counted together, or who bounds each job by itself.
    public var holder: LimitBook.CounterID?
    /// Whether each job is bounded by itself.
    public var isPerJob = false
    /// Whether it is the least that a job must ask for, and not the most.
    public var isLeast = false
    /// What is counted.
    public var resource: Resource
    /// How much there may be, or must be.
    public var bound: Int64
    /// How much of it is in use; nil where each job is bounded by itself.
    public var used: Int64?
    /// How much the job asks for; nil where it need not ask for any.
    public var asked: Int64?
}

extension LimitBook {
    /// The limit behind the reason for which a job waits; nil when none of its limits has that reason.
    public func standing(
        of claim: LimitClaim,
        _ reason: PendingReason,
        at now: SimInstant
    ) -> LimitStanding? {
        switch reason {
        case .jobArrayTaskLimit:
            guard claim.array >= 0 else { return nil }
            let array = counters[Int(claim.array)]
            return array.maximum.map {
                LimitStanding(
                    holder: array.id,
                    resource: .counted(.jobs),
                    bound: $0,
                    used: Int64(array.jobs),
                    asked: 1
                )
            }
        case .assocGrpBillingMinutes:
            guard let funds = claim.funds, let purse = counter(.purse(funds.purse)) else {
                return nil
            }
            return purse.maximum.map {
                LimitStanding(
                    holder: purse.id,
                    resource: .money,
                    bound: $0,
                    used: purse.drawn,
                    asked: funds.price
                )
            }
        case .licenses:
            guard let stop = obstacle(toHolding: claim.licenses) else { return nil }
            let counter = counters[Int(stop.counter)]
            let need = claim.licenses.first { counter.id == .license($0.license) }
            return LimitStanding(
                holder: counter.id,
                resource: .licenses,
                bound: counter.maximum ?? 0,
                used: counter.drawn,
                asked: need.map { Int64($0.count) }
            )
        default:
            let checks = checks(of: claim.terms).filter { $0.reason == reason }
            let check = checks.first { !hasRoom($0, for: claim, times: 1, at: now.microseconds) }
            return (check ?? checks.first).map { standing(of: claim, $0, at: now.microseconds) }
        }
    }

    /// Who sets a limit on each job by itself.
    private func owner(of check: LimitCheck, _ terms: LimitTerms) -> CounterID? {
        guard case .limit(let reason) = check.reason else { return nil }
        switch reason.owner {
        case .qos:
            return qosInOrder(terms).first { qos[Int($0)].limits[check.kind] != nil }
                .map { .qos($0) }
        case .association: return terms.association < 0 ? nil : .association(terms.association)
        }
    }

    private func standing(of claim: LimitClaim, _ check: LimitCheck, at now: Int64) -> LimitStanding
    {
        let counter = check.counter >= 0 ? counters[Int(check.counter)] : nil
        func minutes(_ seconds: Int128) -> Int64 { Int64(clamping: (seconds + 59) / 60) }
        func askedMinutes(_ tres: TRES) -> Int64 {
            minutes(Int128(claim.amounts[tres]) * Int128(claim.seconds))
        }
        func comingSeconds(_ tres: TRES) -> Int128 {
            guard let counter, let minutes = counter.minutes else { return 0 }
            return minutes.comingSeconds(tres, counter.held, at: now)
        }
        var standing = LimitStanding(
            holder: counter?.id ?? owner(of: check, claim.terms),
            isPerJob: counter == nil,
            isLeast: check.kind.scope == .leastPerJob,
            resource: .counted(check.kind.measure),
            bound: check.maximum
        )
        switch check.kind.measure {
        case .jobs, .submittedJobs:
            standing.asked = 1
            standing.used = counter.map { Int64($0.jobs) }
        case .wall:
            standing.asked = counter == nil ? minutes(Int128(claim.seconds)) : nil
            standing.used = counter.map { minutes(Int128($0.minutes?.wallSeconds(at: now) ?? 0)) }
        case .tres(let tres):
            standing.asked = claim.amounts[tres]
            standing.used = counter.map { $0.held[tres] }
        case .minutes(let tres):
            standing.asked = askedMinutes(tres)
            standing.used = counter.map {
                minutes(Int128($0.minutes?.usedSeconds(tres, at: now) ?? 0) + comingSeconds(tres))
            }
        case .runningMinutes(let tres):
            standing.asked = askedMinutes(tres)
            standing.used = counter.map { _ in minutes(comingSeconds(tres)) }
        }
        return standing
    }
}

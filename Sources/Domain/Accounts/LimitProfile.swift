import JobModel

/// One bound that a job must keep.
struct LimitCheck: Sendable, Codable {
    /// Whose jobs are counted together; −1 for the job by itself.
    var counter: Int32
    var kind: LimitKind
    var maximum: Int64
    var reason: PendingReason
}

/// What all jobs of the same terms count against.
struct LimitProfile: Sendable, Codable {
    /// Each counter once.
    var counters: [Int32] = []
    /// In the order in which they are looked at.
    var checks: [LimitCheck] = []
    /// What is looked at when a job is submitted.
    var submissionChecks: [LimitCheck] = []
    var deniesOnLimit = false

    var isEmpty: Bool { checks.isEmpty && submissionChecks.isEmpty && counters.isEmpty }
}

extension LimitBook {
    /// Finds what jobs of these terms count against.
    mutating func makeProfile(_ terms: LimitTerms, at now: Int64) -> LimitProfile {
        var maker = ProfileMaker(terms: terms)
        let association = terms.association >= 0 ? associations.list[Int(terms.association)] : nil
        maker.user = association?.user ?? -1
        maker.account = association?.account ?? -1
        let order = qosInOrder(terms)
        let chain = terms.association >= 0 ? associations.chain(from: terms.association) : []
        for phase in [LimitKind.beforeNodes, LimitKind.withNodes, LimitKind.atSubmission] {
            for place in order { addQOS(place, phase, &maker, at: now) }
            for place in chain { addAssociation(place, phase, order, &maker, at: now) }
        }
        // What each user has used is known, so that accounts that are moved, or bounded later, have used it too.
        if countsUse, terms.association >= 0 {
            maker.count(counter(.association(terms.association), at: now))
        }
        addQuota(&maker, at: now)
        maker.profile.deniesOnLimit = order.contains { qos[Int($0)].flags.contains(.denyOnLimit) }
        return maker.profile
    }

    private struct ProfileMaker {
        let terms: LimitTerms
        var user: Int32 = -1
        var account: Int32 = -1
        var profile = LimitProfile()
        /// What an earlier QOS bounds, a later one does not bound again.
        var taken: Set<LimitKind> = []

        mutating func count(_ counter: Int32) {
            if counter >= 0, !profile.counters.contains(counter) {
                profile.counters.append(counter)
            }
        }

        mutating func add(_ check: LimitCheck) {
            count(check.counter)
            if check.kind.measure == .submittedJobs {
                profile.submissionChecks.append(check)
            } else {
                profile.checks.append(check)
            }
        }
    }

    /// The QOS that bound a job, those that go first first.
    func qosInOrder(_ terms: LimitTerms) -> [Int32] {
        let own = Int(terms.qos)
        let partition = Int(terms.partition)
        let other = partitions.indices.contains(partition) ? partitions[partition].qos : nil
        guard let other, other != own else { return [terms.qos] }
        return qos[own].flags.contains(.overPartition)
            ? [terms.qos, Int32(other)] : [Int32(other), terms.qos]
    }

    private mutating func addQOS(
        _ place: Int32,
        _ phase: [LimitKind],
        _ maker: inout ProfileMaker,
        at now: Int64
    ) {
        let rules = qos[Int(place)]
        for kind in phase {
            guard let maximum = rules.limits[kind] else { continue }
            let counter: Int32 =
                switch kind.scope {
                case .group: self.counter(.qos(place), at: now)
                case .perUser: self.counter(.userOfQOS(qos: place, user: maker.user), at: now)
                case .perAccount:
                    self.counter(.accountOfQOS(qos: place, account: maker.account), at: now)
                case .perJob, .leastPerJob: -1
                }
            // It counts under each QOS, whichever bounds it.
            maker.count(counter)
            guard maker.taken.insert(kind).inserted else { continue }
            maker.add(
                LimitCheck(
                    counter: counter,
                    kind: kind,
                    maximum: maximum,
                    reason: .limit(LimitReason(.qos, kind))
                )
            )
        }
    }

    private mutating func addAssociation(
        _ place: Int32,
        _ phase: [LimitKind],
        _ order: [Int32],
        _ maker: inout ProfileMaker,
        at now: Int64
    ) {
        let isOwn = place == maker.terms.association
        let limits =
            isOwn
            ? associations.ownLimits(of: place) : associations.list[Int(place)].settings.limits
        guard !limits.isEmpty else { return }
        for kind in phase where isOwn || kind.scope == .group {
            guard let maximum = limits[kind] else { continue }
            let isCounted = kind.scope == .group || kind.scope == .perUser
            let counter = isCounted ? counter(.association(place), at: now) : -1
            maker.count(counter)
            guard !order.contains(where: { qos[Int($0)].limits.overrides(kind) }) else { continue }
            maker.add(
                LimitCheck(
                    counter: counter,
                    kind: kind,
                    maximum: maximum,
                    reason: .limit(LimitReason(.association, kind))
                )
            )
        }
    }

    private mutating func addQuota(_ maker: inout ProfileMaker, at now: Int64) {
        let partition = Int(maker.terms.partition)
        guard partitions.indices.contains(partition) else { return }
        let quota = partitions[partition].quota
        guard quota != AccountQuota() else { return }
        let counter = counter(
            .quota(partition: maker.terms.partition, account: maker.account),
            at: now
        )
        let bounds: [(LimitKind.Measure, Int64?)] = [
            (.jobs, quota.runningJobs.map(Int64.init)),
            (.tres(.node), quota.nodes.map(Int64.init)),
            (.tres(.cpu), quota.cores.map(Int64.init)),
        ]
        for (measure, maximum) in bounds {
            guard let maximum else { continue }
            maker.add(
                LimitCheck(
                    counter: counter,
                    kind: LimitKind(.group, measure),
                    maximum: maximum,
                    reason: .quotaConstrained
                )
            )
        }
    }
}

extension Limits {
    /// Whether a QOS with these limits makes an association's limit of a kind void.
    fileprivate func overrides(_ kind: LimitKind) -> Bool {
        if self[kind] != nil { return true }
        // An association's bound on a user's jobs gives way to a QOS's on an account's too.
        switch (kind.scope, kind.measure) {
        case (.perUser, .jobs), (.perUser, .submittedJobs):
            return self[LimitKind(.perAccount, kind.measure)] != nil
        default: return false
        }
    }
}

import Billing
import ClusterModel
import Emulation
import JobModel
import Persistence
import Quantities
import Scheduling
import WireFormats

// The money of a live centre. What a job may cost at most is reserved when it starts, and settled
// when it ends. For an account with a credit limit the emulator knows how much may be reserved, and
// keeps a job waiting (AssocGrpBillingMinutes) for which there is not enough:
//
//     limit in the emulator = what the books say is available + what running jobs count there
//
// It is sent anew whenever the books change.

/// The limit on the money of an account.
struct Purse: Hashable, Sendable, Codable {
    /// The emulator's number for it: that of the account.
    var number: Int32
    /// What running jobs count against it there.
    var reserved = Fen.zero
    /// What the emulator was told last.
    var maximum: Int64?
    /// The longest limit of a job that was priced.
    var longestLimit = SimDuration.zero
    /// When pending jobs were priced last because a voucher ends.
    var pricedAt = SimInstant.epoch
}

// MARK: - Reserving

extension CentreState {
    /// A run of `entry` with what it holds.
    func usage(
        of entry: JobEntry,
        partition index: Int,
        nodes: Int64,
        cores: Int64,
        cards: Int64,
        from start: SimInstant?,
        to end: SimInstant
    ) -> JobUsage {
        let partition = rules.machine.partitions[index]
        let request = entry.specification.request
        return JobUsage(
            id: JobID(entry.id),
            attempt: entry.status.restart,
            account: entry.specification.account,
            user: request.user,
            partition: partition.name,
            platform: partition.platform,
            qos: entry.status.qos,
            isReserved: request.reservation != nil,
            outcome: .ended(.timeout),
            nodeCount: nodes,
            coreCount: cores,
            cardCount: cards,
            memory: entry.status.requestedMemory,
            startedAt: start,
            endedAt: end,
            project: entry.project,
            kernel: entry.kernel
        )
    }

    /// The run that `start` begins once its nodes are up, to its limit.
    func wholeRun(of entry: JobEntry, _ start: JobStart) -> JobUsage {
        usage(
            of: entry,
            partition: start.partition,
            nodes: Int64(start.nodesHeld),
            cores: Int64(start.coresHeld),
            cards: Int64(start.acceleratorsHeld),
            from: start.startedAt + start.bootDelay,
            to: start.deadline
        )
    }

    /// The run of a job that runs, up to its limit.
    func wholeRunHeld(by entry: JobEntry) -> JobUsage {
        let status = entry.status
        let start = status.startedAt ?? lastInstant
        return usage(
            of: entry,
            partition: status.partitions[0],
            nodes: Int64(status.nodes.count),
            cores: status.coresHeld,
            cards: status.acceleratorsHeld,
            from: start,
            to: start + min(status.timeLimit, .unlimited)
        )
    }

    /// The run of a job that has not started, with what it asks for, up to its limit.
    func wholeRunAsked(by entry: JobEntry, from start: SimInstant) -> JobUsage {
        let status = entry.status
        return usage(
            of: entry,
            partition: status.partitions[0],
            nodes: Int64(status.requestedNodes),
            cores: status.requestedCores,
            cards: status.cardsToHold,
            from: start,
            to: start + min(status.timeLimit, .unlimited)
        )
    }

    /// Books the hold of a job that starts.
    mutating func reserve(for start: JobStart, at instant: SimInstant) {
        guard let entry = jobs[start.id.number] else { return }
        let account = entry.specification.account
        if let fee = entry.status.reservedFee { purses[account]?.reserved += fee }
        keep(book.hold(for: wholeRun(of: entry, start), at: start.startedAt))
        refreshPurse(of: account, at: instant)
    }

    /// Counts out what a run that has ended had reserved.
    mutating func free(_ entry: JobEntry, at instant: SimInstant) {
        let account = entry.specification.account
        if let fee = entry.status.reservedFee { purses[account]?.reserved -= fee }
        refreshPurse(of: account, at: instant)
    }

    /// What a submission needs of its account's money; nil when the account has no limit.
    mutating func funds(for resolved: Resolved, at instant: SimInstant) -> FundsNeed? {
        let account = resolved.specification.account
        guard book.ledger.creditLimits[account] != nil else { return nil }
        let entry = JobEntry(
            id: 0,
            arrayTask: nil,
            specification: resolved.specification,
            status: resolved.status
        )
        return need(of: entry, at: instant)
    }

    /// What a pending job would reserve if it started now: in the dearest of its partitions, since
    /// nobody knows yet which one it gets.
    private mutating func need(of entry: JobEntry, at instant: SimInstant) -> FundsNeed {
        let number = purse(of: entry.specification.account, at: instant)
        let limit = min(entry.status.timeLimit, .unlimited)
        let longest = purses[entry.specification.account]?.longestLimit ?? .zero
        purses[entry.specification.account]?.longestLimit = max(longest, limit)
        var price = book.fundsNeeded(for: wholeRunAsked(by: entry, from: instant)).count
        for partition in entry.status.partitions.dropFirst() {
            // Where it is too large it never runs.
            guard let plan = try? plan(entry.specification.request, [partition]),
                !plan.isBeyondPartition
            else { continue }
            let run = usage(
                of: entry,
                partition: partition,
                nodes: Int64(plan.nodes),
                cores: plan.cores,
                cards: plan.cardsHeld,
                from: instant,
                to: instant + limit
            )
            price = max(price, book.fundsNeeded(for: run).count)
        }
        return FundsNeed(purse: number, price: stretched(price, entry))
    }

    /// The price of as many nodes as a job may get beyond those that it needs.
    private func stretched(_ price: Int64, _ entry: JobEntry) -> Int64 {
        let request = entry.specification.request
        let least = Int64(max(1, entry.status.requestedNodes))
        let most = Int64(min(request.maximumNodes ?? 1, request.tasks ?? .max))
        guard request.minimumNodes != nil, most > least else { return price }
        let (product, overflow) = price.multipliedReportingOverflow(by: most)
        return overflow ? .max : (product + least - 1) / least
    }

    private mutating func purse(of account: String, at instant: SimInstant) -> Int32 {
        if let purse = purses[account] { return purse.number }
        let day = BillingDay(containing: instant)
        let available = book.fundsAvailable(to: account, on: day)?.count
        let number = people.account(account)
        setPurse(number, to: available, at: instant)
        purses[account] = Purse(number: number, maximum: available)
        return number
    }

    private mutating func setPurse(_ number: Int32, to maximum: Int64?, at instant: SimInstant) {
        let rejection = send(.setPurse(number, maximum), at: instant)
        precondition(rejection == nil, "a limit is never refused")
    }

    /// Tells the emulator what an account may reserve now.
    func limitNow(of account: String, _ purse: Purse, at instant: SimInstant) -> Int64? {
        let day = BillingDay(containing: instant)
        return book.fundsAvailable(to: account, on: day).map { ($0 + purse.reserved).count }
    }

    mutating func refreshPurse(of account: String, at instant: SimInstant) {
        guard let purse = purses[account] else { return }
        let maximum = limitNow(of: account, purse, at: instant)
        guard maximum != purse.maximum else { return }
        purses[account]?.maximum = maximum
        setPurse(purse.number, to: maximum, at: instant)
    }

    /// At each batch: vouchers begin and end to be valid, and before one ends it pays for less and less
    /// of a job that starts.
    mutating func refreshPurses(at instant: SimInstant) {
        guard !purses.isEmpty else { return }
        for account in purses.keys.sorted() where !book.vouchers(of: account).isEmpty {
            refreshPurse(of: account, at: instant)
            guard let purse = purses[account],
                let end = book.nextVoucherEnd(of: account, after: purse.pricedAt),
                end - instant < purse.longestLimit
            else { continue }
            purses[account]?.pricedAt = instant
            repriceAll(of: account, at: instant)
        }
    }

    /// Computes again what a pending job needs, after its limit or the prices have changed.
    mutating func repriceFunds(of id: UInt32, at instant: SimInstant) {
        guard let entry = jobs[id], entry.status.phase == .pending,
            book.ledger.creditLimits[entry.specification.account] != nil
        else { return }
        let need = need(of: entry, at: instant)
        guard entry.status.reservedFee != Fen(need.price) else { return }
        jobs.update(id) { $0.reservedFee = Fen(need.price) }
        _ = send(.changeFunds(JobID(id), need), at: instant)
    }

    mutating func repriceAll(
        of account: String? = nil,
        at instant: SimInstant
    ) {
        var ids: [UInt32] = []
        jobs.forEach { entry in
            if !entry.hasEnded,
                account ?? entry.specification.account == entry.specification.account
            {
                ids.append(entry.id)
            }
        }
        for id in ids { repriceFunds(of: id, at: instant) }
    }

    /// Puts entries into the ledger's chain, and hands them over to be stored.
    mutating func keep(_ entries: [LedgerEntry]) {
        for entry in entries {
            let row = LedgerRow(id: entry.id, text: entry.canonicalText)
            ledgerLength += 1
            ledgerChain.extend(ledgerSequence: ledgerLength, row)
            derived.ledger.append(row)
        }
    }
}

extension JobEntry {
    /// What its costs are broken down by: `--wckey`, else the word `project=NAME` of its comment.
    fileprivate var project: String {
        specification.request.project ?? words["project"] ?? ""
    }

    /// The kernels that it measured, each once, else the word `kernel=NAME` of its comment.
    fileprivate var kernel: String {
        var names: [String] = []
        for line in status.measured?.kernels ?? [] {
            guard let name = line.json["kernel"]?.string, !names.contains(name) else { continue }
            names.append(name)
        }
        return names.isEmpty ? words["kernel"] ?? "" : names.joined(separator: "+")
    }

    private var words: [String: String] { EmulatedRunTime.words(status.comment ?? "") }
}

extension PriceEstimate {
    /// What the runs of a job's components cost, or its one run as often as a job array has elements; nil
    /// when that cannot be written.
    init?(
        of runs: [JobUsage],
        elements count: Int,
        in book: BillingBook,
        at instant: SimInstant
    ) {
        self.init()
        for run in runs {
            let sum = grossEach.addingReportingOverflow(book.gross(run).count)
            guard !sum.overflow else { return nil }
            grossEach = sum.partialValue
        }
        // Tiers and shares may differ between elements, hence the room.
        let room = grossEach.multipliedReportingOverflow(by: 16 * Int64(count))
        guard !room.overflow else { return nil }
        let quote = book.quote(runs, elements: count)
        let accounts = runs.map(\.account).eachOnce
        elements = count
        account = accounts.joined(separator: ",")
        tariff = book.tariff.id
        gross = quote.gross.count
        subsidy = quote.subsidy.count
        net = quote.net.count
        grants = quote.grants.map { expected in
            var record = ExpectedGrantRecord()
            record.rule = expected.rule
            record.year = expected.year
            record.amount = expected.amount.count
            record.cap = expected.cap?.count
            record.left = expected.left?.count
            return record
        }
        // Each partition has its own prices: what is held there is not mixed with what is dearer elsewhere.
        var parts: [(partition: String, row: BillResource)] = []
        for run in runs {
            for fee in book.fees(of: run) {
                let known = parts.firstIndex {
                    $0.partition == run.partition && $0.row.resource == fee.resource.name
                }
                let place = known ?? parts.count
                if known == nil {
                    parts.append((run.partition, BillResource()))
                    parts[place].row.resource = fee.resource.name
                }
                parts[place].row.seconds += fee.held.seconds
                parts[place].row.fee += fee.amount.count
            }
        }
        resources = parts.map(\.row)
        enterprise = accounts.compactMap { book.accounts[$0]?.enterprise }.first
        hasRules = !book.rules.isEmpty
        let day = BillingDay(containing: instant)
        available = accounts.compactMap { book.fundsAvailable(to: $0, on: day)?.count }.min()
    }
}

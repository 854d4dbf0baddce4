import IndexSets
public import WireFormats

extension QueueCommand {
    /// Whether jobs that have ended are to be asked for too.
    var wantsEnded: Bool {
        !jobs.isEmpty || states.map { $0.contains(where: JobStates.hasEnded) } ?? false
    }

    /// What the centre is asked for: all that is listed, and perhaps more.
    public var query: JobQuery {
        var query = JobQuery()
        if !jobs.isEmpty { query.ids = jobs.map(\.jobID) }
        query.users = users
        query.accounts = accounts
        query.partitions = partitions
        // A number says of which cluster a job is.
        query.clusters = clusters ?? (jobs.isEmpty ? [ClusterWord.own] : nil)
        query.states = states?.sorted()
        query.includesEnded = wantsEnded
        query.fields = neededMembers
        if query.fields == nil, showsExpectedStarts { query.looksAhead = true }
        return query
    }

    /// Whether a listing by names of columns shows when and where jobs are expected to start.
    var showsExpectedStarts: Bool {
        showsStart
            || isLongForm
                && format.fields.contains {
                    ["starttime", "schednodes"].contains($0.key.lowercased())
                }
    }

    /// The members of jobs that the listing looks at, by their names on the wire; nil for all.
    public var neededMembers: Set<String>? {
        guard !isLongForm, data == nil else { return nil }
        let letters = format.fields.map(\.key) + (sort ?? "").map { String($0) }
        var members = JobColumns.commonMembers
        for letter in letters { members.formUnion(JobColumns.membersOfLetter[letter] ?? []) }
        if accounts != nil { members.insert("account") }
        if names != nil { members.insert("name") }
        if qos != nil { members.insert("qos") }
        if users != nil { members.formUnion(["user", "uid"]) }
        if reservations != nil { members.insert("reservation") }
        if nodes != nil { members.insert("node_list") }
        if showsStart { members.formUnion(["start", "expected_start"]) }
        return members
    }

    /// What is printed for `list`.
    ///
    /// - Throws: `CommandFailure` when no job has the number asked for, or a column cannot sort.
    ///
    /// - Parameter accounts: the records of jobs that run, for their steps; nil where none are listed.
    public func output(
        _ list: JobList,
        steps accounts: AccountingList? = nil
    ) throws(CommandFailure) -> CommandOutput {
        if jobs.count == 1, let job = jobs.first,
            !list.jobs.contains(where: { job.selects($0) })
        {
            throw CommandFailure(
                lines: ["slurm_load_jobs error: \(SlurmError.invalidJobID.text)"],
                exitCode: 1
            )
        }
        var output = CommandOutput(errors: warnings)
        if hasHeader, isLong && !isLongForm || iterateSeconds != nil {
            output.lines.append(calendar.dateLine(list.now))
        }
        // A queue is of many large values: what is listed whole is not copied.
        let all = list.jobs.inOrderOfElements
        let shown = all.allSatisfy(shows) ? all : all.filter(shows)
        var rows =
            showsElements || showsSteps
            ? shown.map { JobRow(info: $0, calendar: calendar) }
            : JobRow.folding(shown, calendar: calendar)
        if jobs.count == 1, jobs[0].arrayTasks == nil { rows = JobRow.ofOneArray(rows) }
        if showsSteps { rows = rows.withSteps(accounts?.records ?? []) }
        if let data {
            let all = SlurmData(data.version, cluster: list.cluster, command: [program])
            return data.output(all.jobs(rows, list), errors: warnings)
        }
        let columns = columns(&output)
        // A column that there is not takes no room.
        let known = format.keeping { columns[$0] != nil }
        if hasHeader { output.lines.append(known.line { columns[$0]?.head ?? "" }) }
        let order: [Int]
        do throws(CommandFailure) {
            order = try self.order(of: rows)
        } catch {
            // Slurm finds this out when its head is printed already.
            output.errors += error.lines
            output.exitCode = error.exitCode
            return output
        }
        // Columns by their places: they are looked for once, and not in each of 50,000 lines.
        let shownColumns = known.fields.map { columns[$0] }
        // Slurm keeps 31 characters of a job array's number in a field without a width.
        let isCut = known.fields.map { $0.key == "i" && $0.width == 0 }
        output.lines += order.map { index in
            // Taken out once for all columns: it is large.
            let row = rows[index]
            return known.lineByPlace { place in
                let text = shownColumns[place]?.text(row) ?? ""
                return isCut[place] ? String(text.prefix(31)) : text
            }
        }
        return output
    }

    private func shows(_ job: JobInfo) -> Bool {
        func has(_ values: [String]?, _ value: String) -> Bool {
            values.map { $0.contains(value) } ?? true
        }
        guard states.map({ $0.contains(job.state) }) ?? JobStates.isActive(job.state),
            jobs.isEmpty || jobs.contains(where: { isNamed(job, by: $0) }),
            has(accounts, job.account), has(names, job.name), has(qos, job.qos),
            has(users, job.user) || has(users, "\(job.userID)"),
            has(reservations, job.reservation ?? "")
        else { return false }
        if let partitions, !list(job.partition).contains(where: { partitions.contains($0) }) {
            return false
        }
        if showsStart, job.state != "PENDING" { return false }
        if showsSteps, job.state != "RUNNING" { return false }
        if let nodes {
            let held = (try? HostList.expand(job.nodeList)) ?? []
            guard held.contains(where: nodes.contains) else { return false }
        }
        return true
    }

    /// Whether a job is one of those that a number means. An element that waits in the record of its array is
    /// not found by its index, unless the record is taken apart for the listing.
    private func isNamed(_ job: JobInfo, by selector: JobSelector) -> Bool {
        guard selector.selects(job) else { return false }
        return showsElements || !job.waitsWithArray || selector.arrayTasks == nil
    }

    private func columns(_ output: inout CommandOutput) -> [FormatText.Field: Column<JobRow>] {
        var columns: [FormatText.Field: Column<JobRow>] = [:]
        for field in format.fields {
            let column =
                isLongForm ? JobColumns.byName[field.key] : JobColumns.byLetter[field.key]
            if showsSteps, field.key == "i" {
                columns[field] = Column("STEPID") { "\($0.id).\($0.step?.id ?? "batch")" }
            } else if showsSteps, field.key == "j" {
                columns[field] = Column("NAME") { $0.step?.name ?? "batch" }
            } else if showsSteps, field.key == "N" {
                columns[field] = Column("NODELIST") {
                    $0.step?.nodeList ?? $0.info.batchHost ?? $0.info.nodeList
                }
            } else if showsSteps, field.key == "M", let column {
                columns[field] = Column(column.head) { row in
                    row.step.map { SlurmTime.brief($0.elapsed) } ?? column.text(row)
                }
            } else if let column {
                columns[field] = column
            } else {
                output.errors.append(
                    isLongForm
                        ? "\(program): error: Invalid job format specification: \(field.key)"
                        : "Invalid job format specification: \(field.key)"
                )
            }
        }
        return columns
    }

    /// The places of the rows in the order in which they are listed.
    private func order(of rows: [JobRow]) throws(CommandFailure) -> [Int] {
        var keys: [(isReverse: Bool, of: @Sendable (JobRow) -> JobColumns.SortKey)] = []
        var isReverse = false
        for letter in sort ?? (showsStart ? "S" : "P,t,-p") {
            switch letter {
            case ",", "+": isReverse = false
            case "-": isReverse = true
            default:
                guard let key = JobColumns.sortKey(letter) else {
                    throw .error(program, "Invalid sort specification: \(letter)")
                }
                keys.append((isReverse, key))
                isReverse = false
            }
        }
        let isByStart = (sort ?? (showsStart ? "S" : "")).contains("S")
        // Told once of each row: rows are compared a million times, and are large.
        let told = rows.map { row in
            Told(
                keys: keys.map { $0.of(row) },
                plannedStart: row.plannedStart,
                array: row.info.arrayJobID,
                isPending: row.info.state == "PENDING"
            )
        }
        return told.indices.sorted { one, other in
            let (left, right) = (told[one], told[other])
            for (place, key) in keys.enumerated() where left.keys[place] != right.keys[place] {
                return (left.keys[place] < right.keys[place]) != key.isReverse
            }
            if left.plannedStart != right.plannedStart {
                return left.plannedStart > right.plannedStart
            }
            // Seen in Slurm 22.05: of jobs without a start the latest come first, but the elements of an array
            // in their order. A sort by starts turns them round again.
            let isOneArray = left.array != nil && left.array == right.array
            let isTurned =
                left.isPending && left.plannedStart == 0 && !isByStart && !isOneArray
            return isTurned ? one > other : one < other
        }
    }

    /// What decides where a row stands.
    private struct Told {
        var keys: [JobColumns.SortKey]
        var plannedStart: Int64
        var array: UInt32?
        var isPending: Bool
    }
}

extension [JobRow] {
    /// A row for each step that runs, and its script's for each job of which no steps are known. One whose steps
    /// are known has no others: an allocation has no script.
    fileprivate func withSteps(_ records: [AccountingRecord]) -> [JobRow] {
        let steps = Dictionary(records.map { ($0.jobID, $0.steps) }) { _, last in last }
        return flatMap { row -> [JobRow] in
            guard let known = steps[row.info.jobID] else { return [row] }
            return known.filter { $0.state == "RUNNING" }.map { step in
                var own = row
                own.step = step
                return own
            }
        }
    }
}

extension JobSelector {
    /// Whether `job` is meant.
    public func selects(_ job: JobInfo) -> Bool {
        selects(
            jobID: job.jobID,
            arrayJobID: job.arrayJobID,
            arrayTaskID: job.arrayTaskID,
            het: (job.hetJobID, job.hetJobOffset)
        )
    }
}

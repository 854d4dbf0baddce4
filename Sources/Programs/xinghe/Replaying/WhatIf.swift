import ArgumentParser
import Catalog
import ClusterModel
import IndexSets
import Quantities
import SlurmDialect
import WorkloadFormats

/// What `--set` changes: the machine, what fails, or how densely jobs are submitted.
struct WhatIf: Hashable {
    /// One thing that is changed.
    enum Change: Hashable {
        /// A member of a partition.
        case partition(name: String, member: String, value: String)
        /// When nodes are switched off.
        case power(member: String, value: String)
        /// Something about nodes that fail.
        case failures(member: String, value: String)
        /// Jobs come so many times as densely. Unit: 1/1000.
        case load(Int64)
    }

    /// As it was written.
    let text: String
    let changes: [Change]

    /// Reads `partitions.work.nodes=+64; load=1.1`.
    ///
    /// - Throws: `ValidationError` with the part that is wrong.
    init(_ text: String) throws {
        self.text = text
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        changes = try parts.map { try Self.change($0) }
    }

    static let members = [
        "nodes", "time_limit", "max_nodes", "tier", "job_factor", "state", "sharing", "core_hour",
        "card_hour", "node_hour",
    ]

    private static func change(_ part: Substring) throws -> Change {
        guard let equals = part.firstIndex(of: "=") else {
            throw ValidationError("--set: '\(part)' is not like partitions.work.nodes=+64")
        }
        func trimmed(_ text: Substring) -> String {
            let head = text.drop { $0 == " " }
            return String(head.reversed().drop { $0 == " " }.reversed())
        }
        let key = trimmed(part[..<equals])
        let value = trimmed(part[part.index(after: equals)...])
        if key == "load" { return .load(try load(value, "--set")) }
        if failureMembers.contains(key), !value.isEmpty {
            return .failures(member: key, value: value)
        }
        let words = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if words.count == 2, words[0] == "power_saving", ["cap", "suspend_time"].contains(words[1])
        {
            return .power(member: words[1], value: value)
        }
        guard words.count >= 3, words[0] == "partitions", !value.isEmpty else {
            let keys = ["load", "power_saving.cap", "power_saving.suspend_time"] + failureMembers
            throw ValidationError(
                "--set: '\(key)' is none of \(keys.joined(separator: ", ")) and"
                    + " partitions.NAME.MEMBER\(didYouMean(key, among: keys))"
            )
        }
        let member = words[words.count - 1]
        guard members.contains(member) else {
            throw ValidationError(
                "--set: '\(member)' is not known\(didYouMean(member, among: members)); there are "
                    + members.joined(separator: ", ")
            )
        }
        let name = words.dropFirst().dropLast().joined(separator: ".")
        return .partition(name: name, member: member, value: value)
    }

    /// A load from 0.01 to 100 with three decimals at most. Unit: 1/1000.
    static func load(_ text: String, _ option: String) throws -> Int64 {
        guard let load = Double(text), load.isFinite, (0.01...100).contains(load) else {
            throw ValidationError("\(option): '\(text)' is no load from 0.01 to 100")
        }
        return Int64((load * 1_000).rounded())
    }

    private static let failureMembers = ["failures", "checkpoint", "requeue_failed"]

    /// Whether it is about a machine.
    var changesMachine: Bool {
        changes.contains {
            switch $0 {
            case .partition, .power: true
            case .failures, .load: false
            }
        }
    }

    // MARK: Machine

    /// The machine as it would be.
    ///
    /// - Throws: `Refusal` with the change that cannot be.
    func machine(_ machine: Machine) throws -> Machine {
        var machine = machine
        for case .power(let member, let value) in changes {
            try Self.setPower(member, to: value, &machine.powerSaving)
        }
        if let problem = machine.powerProblem { throw Refusal("--set: power_saving: \(problem)") }
        for case .partition(let name, let member, let value) in changes {
            guard let place = machine.partitionIndex(named: name) else {
                let names = machine.partitions.map(\.name)
                throw Refusal(
                    "--set: machine '\(machine.name)' has no partition '\(name)'"
                        + "\(didYouMean(name, among: names)); it has \(names.joined(separator: ", "))"
                )
            }
            if member == "nodes" {
                try setNodes(value, of: place, in: &machine)
            } else {
                try Self.set(member, to: value, &machine.partitions[place])
            }
        }
        return machine
    }

    /// Changes when nodes are switched off; `none` is never.
    private static func setPower(
        _ member: String,
        to value: String,
        _ saving: inout PowerSaving
    ) throws {
        func wrong(_ expected: String) -> Refusal {
            Refusal("--set: power_saving.\(member)='\(value)' is neither \(expected) nor none")
        }
        if member == "cap" {
            saving.capWatts = nil
            if value == "none" { return }
            let words = value.split(separator: " ")
            let units = ["W": 1.0, "kW": 1e3, "MW": 1e6]
            guard words.count == 2, let number = Double(words[0]),
                let unit = units[String(words[1])],
                (0...1e9).contains(number * unit)
            else { throw wrong("a power like 4.5 MW") }
            saving.capWatts = Int64((number * unit).rounded())
        } else {
            saving.suspendTime = nil
            if value == "none" { return }
            guard let seconds = SlurmTime.seconds(value), seconds <= 100 * 366 * 86_400 else {
                throw wrong("a time like 30 (minutes) or 1:00:00")
            }
            saving.suspendTime = SimDuration(seconds: seconds)
        }
    }

    private static func set(
        _ member: String,
        to value: String,
        _ partition: inout Partition
    ) throws {
        func wrong(_ expected: String) -> Refusal {
            Refusal("--set: partitions.\(partition.name).\(member)='\(value)' is no \(expected)")
        }
        func count(_ range: ClosedRange<Int32>) throws -> Int32 {
            guard let number = Int32(value), range.contains(number) else {
                throw wrong("number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
        func price() throws -> Int64 {
            let digits = value.split(separator: " ").first.map(String.init) ?? ""
            guard let yuan = Double(digits), (0...1_000_000).contains(yuan),
                value == digits || value.hasSuffix(" CNY")
            else { throw wrong("price like 0.08 CNY") }
            return Int64((yuan * 100_000_000).rounded())
        }
        switch member {
        case "time_limit":
            guard let hours = Int64(value), (1...100_000).contains(hours) else {
                throw wrong("number of hours")
            }
            partition.maximumTimeLimit = SimDuration(seconds: hours * 3_600)
            if let usual = partition.defaultTimeLimit, usual.microseconds > hours * 3_600_000_000 {
                partition.defaultTimeLimit = partition.maximumTimeLimit
            }
        case "max_nodes": partition.maximumNodesPerJob = try count(1...1_000_000)
        case "tier": partition.tier = try count(0...65_535)
        case "job_factor": partition.jobFactor = try count(0...65_535)
        case "state":
            guard let state = Partition.State(rawValue: value) else { throw wrong("state like UP") }
            partition.state = state
        case "sharing":
            guard let sharing = Partition.Sharing(rawValue: value) else {
                throw wrong("'whole-node' or 'cores'")
            }
            partition.sharing = sharing
        case "core_hour": partition.prices.coreHourMicrofen = try price()
        case "card_hour": partition.prices.cardHourMicrofen = try price()
        default: partition.prices.nodeHourMicrofen = try price()
        }
    }

    /// `cn[0-63]`, or so many more (`+64`) or fewer (`-64`) of the kind that the partition's last node is.
    private func setNodes(_ value: String, of place: Int, in machine: inout Machine) throws {
        let name = machine.partitions[place].name
        if value.hasPrefix("+") || value.hasPrefix("-") {
            guard let number = Int(value), (1...100_000).contains(number.magnitude),
                let last = machine.partitions[place].nodes.max()
            else {
                throw Refusal("--set: partitions.\(name).nodes='\(value)' is no number of nodes")
            }
            guard number > 0 else {
                let rest = Array(machine.partitions[place].nodes.dropLast(-number))
                guard !rest.isEmpty else {
                    throw Refusal("--set: partitions.\(name).nodes=\(value) leaves no node")
                }
                machine.partitions[place].nodes = IDSet(rest)
                return
            }
            for _ in 1...number {
                var node = machine.nodes[last]
                // Partitions may share their last node.
                node.name = "\(node.name)-more\(machine.nodes.count)"
                machine.partitions[place].nodes.insert(machine.nodes.count)
                machine.nodes.append(node)
            }
            return
        }
        let indices = machine.nodeIndices()
        guard let names = try? HostList.expand(value) else {
            throw Refusal("--set: partitions.\(name).nodes='\(value)' is no list of nodes")
        }
        var set = IDSet()
        for node in names {
            guard let index = indices[node] else {
                throw Refusal("--set: machine '\(machine.name)' has no node '\(node)'")
            }
            set.insert(index)
        }
        machine.partitions[place].nodes = set
    }

    // MARK: Failures and load

    /// What would happen to nodes.
    ///
    /// - Throws: `ValidationError` with the change that cannot be.
    func failures(_ options: FailureOptions) throws -> FailureOptions {
        var options = options
        var models: [String] = []
        for case .failures(let member, let value) in changes {
            switch member {
            case "failures": models.append(value)
            case "checkpoint":
                options.checkpoint = value == "none" ? nil : Int64(value)
                guard options.checkpoint != nil || value == "none" else {
                    throw ValidationError("--set: checkpoint='\(value)' is no number of seconds")
                }
            default:
                guard let answer = FailureOptions.Answer(rawValue: value) else {
                    throw ValidationError("--set: requeue_failed='\(value)' is neither yes nor no")
                }
                options.requeueFailed = answer
            }
        }
        if !models.isEmpty {
            options.events = nil
            options.failures = models == ["none"] ? [] : models
        }
        if models == ["none"] {
            // Without failures there is nothing to start over from.
            options.checkpoint = nil
            options.requeueFailed = .yes
        }
        do { try options.validate() } catch {
            throw ValidationError("--set '\(text)': \(error)")
        }
        return options
    }

    /// The log as it would be.
    func trace(_ trace: Trace) -> Trace {
        var changed = trace
        for case .load(let load) in changes { changed = changed.withLoad(load) }
        return changed
    }
}

extension Trace {
    /// The same jobs, submitted `load` / 1000 times as densely: times between submissions are divided.
    func withLoad(_ load: Int64) -> Trace {
        var changed = self
        for index in jobs.indices {
            let thinned = Int128(jobs[index].submitted) * 1_000 / Int128(load)
            let submitted = Int64(min(thinned, Int128(Self.instantMaximum)))
            if !details.isEmpty, details[index].cancelledAt >= 0 {
                changed.details[index].cancelledAt += submitted - jobs[index].submitted
            }
            changed.jobs[index].submitted = submitted
        }
        return changed
    }
}

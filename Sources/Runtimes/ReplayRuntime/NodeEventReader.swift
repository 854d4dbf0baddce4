import Emulation
import IndexSets
import WireFormats
public import WorkloadFormats

/// Reads node events: one JSON object a line, `{"time":3600,"nodes":"cn[0-3]","event":"fail"}`. One that
/// has `until` ends then, and the scheduler knows it from the beginning; `reserve` begins at `start`.
///
/// docs/replay.md is its description.
public struct NodeEventReader {
    /// Why a line is refused.
    public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// The line, from 1.
        public var line: Int
        /// The member; nil when the line as a whole is wrong.
        public var field: String?
        /// What is wrong.
        public var problem: String

        /// `3: field 'time': …`.
        public var description: String {
            "\(line): " + (field.map { "field '\($0)': " } ?? "") + problem
        }
    }

    /// Why a node is out of service, while lines are read.
    private struct Outage {
        var line: Int
        var isDrain: Bool
        /// When it ends, where its line says so. Unit: s of trace time.
        var until: Int64?
    }

    private let trace: Trace
    private let names: [String]
    private let positions: [String: Int]
    private var outages: [Outage?]
    /// Events with what orders those of one instant: ends of outages first, then lines.
    private var events: [(second: Int64, line: Int, event: NodeEvent)] = []
    private var line = 0
    private var lastSecond: Int64 = 0
    private var lastLine = 0

    /// Makes a reader for a machine's nodes and a log's time.
    public init(machine: ReplayMachine, trace: Trace) {
        self.trace = trace
        let count = machine.configuration.nodes.count
        names = machine.nodeNames.isEmpty ? (0..<count).map { String($0) } : machine.nodeNames
        positions = Dictionary(zip(names, names.indices)) { first, _ in first }
        outages = Array(repeating: nil, count: count)
    }

    /// Reads a whole file.
    ///
    /// - Throws: `Problem`, for the first line that is refused.
    public mutating func read(_ bytes: UnsafeRawBufferPointer) throws(Problem) -> [NodeEvent] {
        for text in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            line += 1
            guard !text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) else { continue }
            try readLine(Array(text))
        }
        let sorted = events.sorted { left, right in
            (left.second, left.line) < (right.second, right.line)
        }
        return sorted.map(\.event)
    }

    private func problem(_ field: String?, _ text: String) -> Problem {
        Problem(line: line, field: field, problem: text)
    }

    private mutating func readLine(_ text: [UInt8]) throws(Problem) {
        let object: JSONValue
        do throws(JSONValue.Malformed) {
            object = try JSONValue(parsing: text)
        } catch {
            throw problem(nil, "is not JSON: \(error.problem)")
        }
        guard let members = object.members else { throw problem(nil, "is no JSON object") }
        let known = ["time", "nodes", "event", "start", "until"]
        for (index, member) in members.enumerated() {
            guard known.contains(member.name) else {
                throw problem(
                    member.name,
                    "is not known; there are \(known.joined(separator: ", "))"
                )
            }
            guard !members[..<index].contains(where: { $0.name == member.name }) else {
                throw problem(member.name, "stands twice")
            }
        }
        let second = try self.second(object["time"], "time")
        guard second >= lastSecond else {
            throw problem("time", "\(second) is before \(lastSecond), the time of line \(lastLine)")
        }
        (lastSecond, lastLine) = (second, line)
        let kind = try self.kind(object["event"])
        let nodes = try self.nodes(object["nodes"], kind, second)
        let start = try self.start(object["start"], kind, second)
        let until = try self.until(object["until"], kind, after: start)
        add(second, line, nodes, kind, start, until)
        guard kind != .reserve else { return }
        for node in nodes { try note(kind, node, second, until) }
        if let until { add(until, 0, nodes, .resume) }
    }

    private mutating func add(
        _ second: Int64,
        _ line: Int,
        _ nodes: IDSet,
        _ kind: NodeEvent.Kind,
        _ start: Int64? = nil,
        _ until: Int64? = nil
    ) {
        let event = NodeEvent(
            instant: second * 1_000_000,
            nodes: nodes,
            kind: kind,
            start: start.map { $0 * 1_000_000 },
            until: until.map { $0 * 1_000_000 }
        )
        events.append((second, line, event))
    }

    // MARK: Members

    private func second(_ value: JSONValue?, _ field: String) throws(Problem) -> Int64 {
        guard let value else { throw problem(field, "is missing") }
        let last = Trace.instantMaximum / 1_000_000
        if let second = value.wholeNumber {
            guard (0...last).contains(second) else {
                throw problem(field, "\(second) is not in 0...\(last) seconds of the log")
            }
            return second
        }
        guard let text = value.string else {
            throw problem(
                field,
                "is neither whole seconds of the log nor a time like 2026-01-31T08:00:00"
            )
        }
        guard let absolute = Trace.seconds(sinceEpoch: text) else {
            throw problem(field, "'\(text)' is no time like 2026-01-31T08:00:00 (UTC)")
        }
        guard trace.unixStartTime > 0 else {
            throw problem(field, "the log does not say when it began; give seconds of the log")
        }
        guard absolute >= trace.unixStartTime, absolute - trace.unixStartTime <= last else {
            throw problem(field, "'\(text)' is before the log begins")
        }
        return absolute - trace.unixStartTime
    }

    private func kind(_ value: JSONValue?) throws(Problem) -> NodeEvent.Kind {
        guard let value else { throw problem("event", "is missing") }
        guard let kind = value.string.flatMap(NodeEvent.Kind.init) else {
            let all = NodeEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw problem("event", "\(value.compactText) is not one of \(all)")
        }
        return kind
    }

    /// When a reservation begins: when it is made, if its line does not say.
    private func start(
        _ value: JSONValue?,
        _ kind: NodeEvent.Kind,
        _ second: Int64
    ) throws(Problem) -> Int64 {
        guard let value, value != .null else { return second }
        guard kind == .reserve else { throw problem("start", "is for events of kind reserve") }
        let start = try self.second(value, "start")
        guard start >= second else {
            throw problem("start", "\(start) is before \(second), the time of the event")
        }
        return start
    }

    private func until(
        _ value: JSONValue?,
        _ kind: NodeEvent.Kind,
        after second: Int64
    ) throws(Problem) -> Int64? {
        guard let value, value != .null else {
            guard kind != .reserve else { throw problem("until", "is missing: reservations end") }
            return nil
        }
        guard kind != .resume else { throw problem("until", "a resume has no end") }
        let until = try self.second(value, "until")
        guard until > second else {
            let word = kind == .reserve ? "start" : "time"
            throw problem("until", "\(until) is not after \(second), the \(word) of the event")
        }
        return until
    }

    /// The nodes that a line names, or as many as it says: the first that the event can happen to.
    private func nodes(
        _ value: JSONValue?,
        _ kind: NodeEvent.Kind,
        _ second: Int64
    ) throws(Problem) -> IDSet {
        guard let value else { throw problem("nodes", "is missing") }
        if let count = value.wholeNumber {
            let fitting = names.indices.filter {
                kind == .reserve || (outage(of: $0, second) == nil) != (kind == .resume)
            }
            guard count >= 1, count <= fitting.count else {
                let state = kind == .resume ? "out of service" : "in service"
                throw problem(
                    "nodes",
                    "\(count) is not in 1...\(fitting.count), the nodes \(state)"
                )
            }
            return IDSet(fitting.prefix(Int(count)))
        }
        guard let text = value.string, !text.isEmpty else {
            throw problem("nodes", "is neither a list of nodes like cn[0-3] nor how many")
        }
        let hosts: [String]
        do throws(HostList.Rejection) {
            hosts = try HostList.expand(text)
        } catch {
            throw problem("nodes", "'\(text)' is no list of nodes like cn[0-3]")
        }
        var set = IDSet()
        for host in hosts {
            guard let node = positions[host] else {
                throw problem("nodes", "there is no node \(host)\(example)")
            }
            guard !set.contains(node) else { throw problem("nodes", "names \(host) twice") }
            set.insert(node)
        }
        return set
    }

    private var example: String {
        guard let first = names.first, let last = names.last else { return "" }
        return "; nodes are \(first) to \(last)"
    }

    // MARK: Outages

    private func outage(of node: Int, _ second: Int64) -> Outage? {
        guard let outage = outages[node] else { return nil }
        return outage.until.map { $0 <= second } == true ? nil : outage
    }

    private mutating func note(
        _ kind: NodeEvent.Kind,
        _ node: Int,
        _ second: Int64,
        _ until: Int64?
    ) throws(Problem) {
        let outage = outage(of: node, second)
        if let outage, let end = outage.until {
            throw problem(
                "nodes",
                "\(names[node]) is out of service until \(end) by line \(outage.line);"
                    + " events of one node do not overlap"
            )
        }
        switch (kind, outage) {
        case (.resume, nil): throw problem("nodes", "\(names[node]) is in service")
        case (.resume, _?): outages[node] = nil
        case (.fail, let outage?) where !outage.isDrain, (.down, let outage?) where !outage.isDrain,
            (.drain, let outage?):
            throw problem("nodes", "\(names[node]) is out of service since line \(outage.line)")
        default: outages[node] = Outage(line: line, isDrain: kind == .drain, until: until)
        }
    }
}

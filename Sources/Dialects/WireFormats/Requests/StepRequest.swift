public import Quantities

/// A step of a running job begins or ends: `POST /v1/jobs/ID/steps`.
public struct StepRequest: WireRequest {
    /// The number of the step that ends; nil for one that begins and gets a number.
    public var id: String?
    /// Of one that begins: the number that it has in another component of its job already; nil for the next.
    public var number: UInt32?
    /// The name of the program.
    public var name = ""
    /// The number of tasks.
    public var tasks: Int32 = 1
    /// The number of cores.
    public var cores: Int64 = 1
    /// The nodes, as a host list.
    public var nodeList = ""
    /// Of one that begins: the process that runs it on the centre's computer; it is told when the step is
    /// cancelled. Nil for none.
    public var process: Int32?
    /// Of one that ends: the exit status.
    public var exitCode: Int32 = 0
    /// Of one that ends: the signal that ended it, or 0.
    public var exitSignal: Int32 = 0
    /// Of one that ends: whether its user or its limit ended it.
    public var isCancelled = false
    /// Of one that ends: user and system time of its tasks, when measured.
    public var processorTime: SimDuration?
    /// Of one that ends: the largest resident memory of a task, when measured.
    public var maximumResident: ByteCount?

    /// Makes a step of one task without a name.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("id", &id)
        try fields.ifPresent("number", &number)
        try fields("name", &name)
        try fields("tasks", &tasks)
        try fields("cores", &cores)
        try fields("node_list", &nodeList)
        try fields.ifPresent("process", &process)
        try fields("exit_code", &exitCode)
        try fields("signal", &exitSignal)
        try fields("cancelled", &isCancelled)
        try fields("processor_time", &processorTime)
        try fields("max_rss", &maximumResident)
    }
}

/// The number of a step.
public struct StepResponse: WireRecord {
    /// The number.
    public var id = ""

    /// Makes an answer without a number.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields.required("id", &id)
    }
}

/// An allocation without a script is given back: `POST /v1/jobs/ID/complete`.
public struct CompleteRequest: WireRequest {
    /// The exit status of what was run in it.
    public var exitCode: Int32 = 0
    /// The signal that ended it, or 0.
    public var exitSignal: Int32 = 0

    /// Makes the end of something that went well.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("exit_code", &exitCode)
        try fields("signal", &exitSignal)
    }
}

/// What a running job is told of itself: `GET /v1/jobs/ID/environment`.
public struct JobEnvironment: WireRecord {
    /// Variables, `NAME=value` each, as a script of the job finds them.
    public var variables: [String] = []
    /// The nodes, in order.
    public var nodes: [String] = []
    /// The cores held on each.
    public var cores: [Int32] = []

    /// Makes the environment of no job.
    public init() {}

    /// The value of a variable; nil when there is none.
    public func value(_ name: String) -> String? {
        variables.last { $0.hasPrefix(name + "=") }.map {
            String($0.dropFirst(name.utf8.count + 1))
        }
    }

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("variables", &variables)
        try fields("nodes", &nodes)
        try fields("cores", &cores)
    }
}

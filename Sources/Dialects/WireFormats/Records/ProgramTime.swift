public import Quantities

/// How long a program would take in a job: `GET /v1/jobs/ID/program`.
public struct ProgramTime: WireRecord {
    /// The module that brings it; nil for one of the centre's kernels.
    public var module: String?
    /// On so many nodes of the job.
    public var duration = SimDuration.zero

    /// Makes a record of no time.
    public init() {}

    /// Names every member.
    public mutating func exchange(_ fields: inout WireFields) throws(JSONValue.Malformed) {
        try fields("module", &module)
        try fields("duration_us", &duration)
    }
}

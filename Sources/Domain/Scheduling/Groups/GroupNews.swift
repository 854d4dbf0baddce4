import JobModel

/// What has happened to a group since its last pass. The group writes, a pass reads and clears:
/// so a pass may keep what it knows as long as nothing has happened that it does not know.
struct GroupNews: Sendable, Codable {
    /// What a job that has ended was planned to hold, and until when.
    struct EndedRun: Sendable, Codable {
        var slot: Int32
        var units: Int32
        /// On which nodes; empty where counting is enough.
        var segments: [AllocationSegment]
        var request: ResourceRequest
        /// Unit: µs since the epoch.
        var until: Int64
    }

    /// How many jobs have arrived, and the last of them.
    private(set) var arrivalCount = 0
    private(set) var arrival: Int32 = -1
    /// Whether anything but arrivals has happened.
    var hasChanged = true
    /// Whether anything has happened that is neither an arrival nor an end.
    private(set) var isDisturbed = true
    /// The jobs that have ended, in order; only where the policy keeps a plan.
    var ended: [EndedRun] = []

    mutating func noteArrival(of slot: Int32) {
        arrivalCount &+= 1
        arrival = slot
    }

    /// A cancellation, a failure, a change: whatever a kept plan cannot follow.
    mutating func noteDisturbance() {
        hasChanged = true
        isDisturbed = true
    }

    /// Everything is known from here on.
    mutating func clear() {
        arrivalCount = 0
        hasChanged = false
        isDisturbed = false
        if !ended.isEmpty { ended.removeAll(keepingCapacity: true) }
    }
}

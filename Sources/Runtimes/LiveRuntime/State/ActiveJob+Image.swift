import JobModel
public import Scheduling
public import WireFormats

// What an image has of each job that waits or runs, as the emulator knows it: see `ImageRecord`.

extension QueueKey: ImageRecord {
    /// No job's.
    public static var blank: QueueKey { QueueKey(rank: 0, submitted: 0, id: 0) }

    /// Names every stored property.
    public mutating func exchange(_ fields: inout ImageFields) throws {
        try fields("rank", &rank)
        try fields("value", &value)
        try fields("submitted", &submitted)
        try fields("id", &id)
    }
}

extension ActiveJob: ImageRecord {
    /// A job that asks for one core.
    public static var blank: ActiveJob {
        ActiveJob(
            key: .blank,
            request: .blank,
            limitSeconds: 0,
            partition: 0,
            group: 0,
            isRequeuable: false
        )
    }

    /// Names every stored property.
    public mutating func exchange(_ fields: inout ImageFields) throws {
        try fields.record("key", &key)
        try fields("startedAt", &startedAt)
        try fields("heldUp", &heldUp)
        try fields("limitSeconds", &limitSeconds)
        try fields("plannedSeconds", &plannedSeconds)
        try fields("predictedSeconds", &predictedSeconds)
        try fields("correctionCount", &correctionCount)
        try fields.other("phase", &phase)
        try fields.other("reason", &reason)
        try fields("isCancelled", &isCancelled)
        try fields("isDisplaced", &isDisplaced)
        try fields("isMakingWay", &isMakingWay)
        try fields("isRequeuable", &isRequeuable)
        try fields("hasRun", &hasRun)
        try fields("hasExtras", &hasExtras)
        try fields("hasLimits", &hasLimits)
        try fields.record("request", &request)
        try fields("shape", &shape)
        try fields("partition", &partition)
        try fields("group", &group)
        try fields("firstNode", &firstNode)
        try fields("nodesHeld", &nodesHeld)
        try fields("coresHeld", &coresHeld)
        try fields("acceleratorsHeld", &acceleratorsHeld)
        try fields("user", &user)
        try fields("namesakes", &namesakes)
        try fields("association", &association)
        try fields("qos", &qos)
        try fields("firstPartition", &firstPartition)
        try fields("priority", &priority)
        try fields("isPriorityFixed", &isPriorityFixed)
        try fields("array", &array)
        try fields("parkedUnder", &parkedUnder)
    }
}

extension JobExtras: ImageRecord {
    /// Nothing out of the ordinary.
    public static var blank: JobExtras { JobExtras() }

    /// Names every stored property.
    public mutating func exchange(_ fields: inout ImageFields) throws {
        try fields.other("requestedPartitions", &requestedPartitions)
        try fields("asksForWholeNodes", &asksForWholeNodes)
        try fields.other("partitions", &partitions)
        try fields("notBefore", &notBefore)
        try fields.optional("hold", &hold)
        try fields("deadline", &deadline)
        try fields("startsBy", &startsBy)
        try fields.record("suspension", &suspension)
        try fields.list("dependencies", &dependencies)
        try fields("needsAnyDependency", &needsAnyDependency)
        try fields.optional("requiredNodes", &requiredNodes)
        try fields.optional("excludedNodes", &excludedNodes)
        try fields.optional("reservation", &reservation)
        try fields.optional("het", &het)
        try fields("isReady", &isReady)
        try fields("hasLostReservation", &hasLostReservation)
        try fields("makesWayBy", &makesWayBy)
        try fields("limitAsked", &limitAsked)
    }
}

extension JobExtras.Suspension: ImageRecord {
    /// Never.
    public static var blank: JobExtras.Suspension { JobExtras.Suspension() }

    /// Names every stored property.
    public mutating func exchange(_ fields: inout ImageFields) throws {
        try fields("total", &total)
        try fields("since", &since)
    }
}

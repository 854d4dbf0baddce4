import Accounts
import ClusterModel
import Foundation
import HTTPService
import IndexSets
import LocalClient
import Logging
import Quantities
import Testing
import WireFormats

@testable import LiveRuntime

/// A centre small enough to be full often: 16 whole nodes, 4 shared ones with cards, and the host.
enum SmallCentre {
    static let hostCores = Int32(ProcessInfo.processInfo.activeProcessorCount)

    static var machine: Machine {
        let node = NodeCapacity(cores: 12, memory: ByteCount(mebibytes: 24_576))
        let fat = NodeCapacity(cores: 8, memory: ByteCount(mebibytes: 65_536), accelerators: 2)
        let host = NodeCapacity(cores: hostCores, memory: ByteCount(mebibytes: 4_096))
        func type(_ name: String, _ capacity: NodeCapacity, cards: Int32 = 0) -> NodeType {
            NodeType(
                name: name,
                title: name,
                topology: name == "host" ? .host : .synthetic("core:\(capacity.cores) pu:1"),
                processor: Processor(model: name),
                capacity: capacity,
                accelerators: cards == 0
                    ? [] : [Accelerator(kind: "gpu", model: "M2050", count: cards)],
                features: [name]
            )
        }
        func nodes(_ prefix: String, _ count: Int, _ type: Int, _ capacity: NodeCapacity)
            -> [ClusterNode]
        {
            (0..<count).map {
                ClusterNode(name: "\(prefix)\($0)", typeIndex: type, capacity: capacity)
            }
        }
        let prices = HourlyPrices(coreHourMicrofen: 10_000_000)
        return Machine(
            name: "small",
            title: "a small centre",
            systems: [],
            nodeTypes: [type("thin", node), type("fat", fat, cards: 2), type("host", host)],
            nodes: nodes("cn", 16, 0, node) + nodes("fat", 4, 1, fat) + nodes("host", 1, 2, host),
            partitions: [
                Partition(
                    name: "batch",
                    nodes: IDSet(0..<16),
                    maximumTimeLimit: SimDuration(seconds: 86_400),
                    defaultTimeLimit: SimDuration(seconds: 3_600),
                    platform: "tianhe",
                    prices: prices,
                    quota: AccountQuota(runningJobs: 6)
                ),
                Partition(
                    name: "shared",
                    nodes: IDSet(16..<20),
                    sharing: .cores,
                    platform: "tianhe",
                    prices: prices
                ),
                Partition(
                    name: "host",
                    nodes: IDSet(20..<21),
                    sharing: .cores,
                    backend: .local,
                    platform: "host",
                    prices: prices
                ),
            ],
            platforms: [
                Platform(name: "tianhe", title: "Tianhe", isKey: true),
                Platform(name: "host", title: "Host", isKey: false),
            ],
            accounts: [
                AccountEntry(name: "guest", title: "Guests", customerClass: .individual),
                AccountEntry(
                    name: "motor",
                    title: "Motor",
                    enterprise: "motor",
                    customerClass: .enterprise,
                    registeredIn: "TEDA"
                ),
            ]
        )
    }

    /// 2026-11-21T00:00:00 in Asia/Shanghai.
    static let start = CivilTime(year: 2026, month: 11, day: 21)
        .instant(offsetSeconds: CivilTime.shanghaiOffsetSeconds)

    static func settings(
        _ folder: String,
        time: TimeMode = .stepped,
        machine: Machine = machine
    ) -> CentreSettings {
        var settings = CentreSettings(
            stateFolder: folder,
            rules: CentreRules(machine: machine),
            stepProgram: buildFolder + "/xinghe-step"
        )
        settings.timeMode = time
        settings.start = start
        settings.killWaitMilliseconds = 500
        settings.logger.logLevel = .critical
        return settings
    }

    static func request(
        _ script: String = "#!/bin/sh\ntrue\n",
        _ change: (inout SubmitRequest) -> Void = { _ in }
    ) -> SubmitRequest {
        var request = SubmitRequest()
        request.name = "job"
        request.script = script
        request.environment = ["PATH=/usr/bin:/bin"]
        request.workDirectory = NSTemporaryDirectory()
        request.standardOutput = "/dev/null"
        change(&request)
        return request
    }
}

extension Caller {
    static var me: Caller { Caller(userID: getuid(), groupID: getgid()) }
}

extension Centre {
    /// Moves the stepped clock on.
    func advance(seconds: Int64) async throws {
        var request = ClockAdvanceRequest()
        request.duration = SimDuration(seconds: seconds)
        _ = try await advance(request, .me)
    }

    func change(_ edit: PeopleEdit, _ caller: Caller) async throws -> PeopleEditResponse {
        try await change([edit], caller)
    }

    func submit(_ request: SubmitRequest) async throws -> UInt32 {
        try await submit(request, .me).jobID
    }

    func info(_ id: UInt32) async throws -> JobInfo {
        try #require(await job(id)?.jobs.first)
    }

    func record(_ id: UInt32) async throws -> AccountingRecord {
        try #require(try await accounting(ids: [id]).records.last)
    }

    /// Waits for a job to have ended, on the wall.
    func ended(_ id: UInt32) async throws -> AccountingRecord {
        let active: Set<String> = ["PENDING", "RUNNING", "COMPLETING"]
        for _ in 0..<4_000 {
            let record = try await record(id)
            if !active.contains(record.state) { return record }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("job \(id) did not end")
        return try await record(id)
    }
}

// What this user sees, whom the centre belongs to.
extension Centre {
    func jobs(_ query: JobQuery) async throws -> JobList { try await jobs(query, .me) }

    /// One job, or the elements of an array; nil when there is none.
    func job(_ id: UInt32) async -> JobList? {
        var query = JobQuery.all
        query.ids = [id]
        let list = try? await jobs(query)
        return list?.jobs.isEmpty ?? true ? nil : list
    }

    func accounting(ids: [UInt32]?) async throws -> AccountingList {
        var query = AccountingQuery()
        query.ids = ids
        return try await accounting(query, .me)
    }

    func nodes() async throws -> NodeList { try await nodes(.me) }

    func reservations() async throws -> ReservationList { try await reservations(.me) }
}

extension JobQuery {
    static var all: Self {
        var query = Self()
        query.includesEnded = true
        return query
    }
}

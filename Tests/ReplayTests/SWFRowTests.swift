import JobModel
import Quantities
import ReplayRuntime
import Scheduling
import Testing
import WorkloadFormats

@testable import TraceFiles

/// Rows of the Standard Workload Format as logs in the wild have them.
@Suite("Rows of SWF")
struct SWFRowTests {
    private func trace(_ text: String, keepsRows: Bool = false) throws -> Trace {
        try Array(text.utf8).withUnsafeBytes {
            try LogReader(keepsRows: keepsRows).read($0)
        }
    }

    @Test("Numbers are read as C writes them; columns that nobody needs are hardly looked at")
    func numbers() throws {
        let trace = try trace(
            """
            ; MaxProcs: 16
            1 0.5 -1 100.25 8.0 13.5 -1 8.0 100.0 -1 1 1 1 -1 1 1 -1 -1
            2 5 -1 1e2 8 -1 -1 8 100 -1 1 1 1 -1 1 1 -1 -1
            4.0 7 -1 100 8 -1 1.5e+03 8 100 -1 1 1 1 -1 1 1 -1 -1
            5 8 -1 nan 8 -1 -1 8 100 -1 1 1 1 -1 1 1 -1 -1
            6 9 NaN 100 8 NaN -1 8 100 -1 1 1 1 18446744073709551615 1 1 -1 -1
            7 10 -1 .5 8 -1 -1 8 100 -1 1 1 1 -1 1 1 -1 -1
            8.5 11 -1 5 8 -1 -1 8 100 -1 1 1 1 -1 1 1 -1 -1
            """
        )
        #expect(trace.jobs.map(\.id) == [1, 2, 4, 6, 7])
        #expect(
            trace.jobs.map(\.runTime) == [
                100_250_000, 100_000_000, 100_000_000, 100_000_000, 500_000,
            ]
        )
        #expect(trace.jobs.map(\.submitted).first == 500_000)
        #expect(trace.malformedRows.map(\.line) == [5, 8])
        #expect(
            trace.malformedRows.map(\.problem) == [
                "the field is not a number", "the field is no whole number",
            ]
        )
    }

    @Test("A fraction of a processor is a whole one, and counted")
    func fractions() throws {
        let trace = try trace(
            """
            1 0 -1 100 1.9 -1 -1 -1 100 -1 1 1 1 -1 1 1 -1 -1
            2 0 -1 100 0.5 -1 -1 -1 100 -1 1 1 1 -1 1 1 -1 -1
            3 0 -1 100 0.5 -1 -1 2 100 -1 1 1 1 -1 1 1 -1 -1
            """
        )
        #expect(trace.jobs.map(\.processors) == [2, 1, 2])
        #expect(trace.withFractionalSize == 2)
        #expect(trace.withAllocatedSize == 2)
    }

    @Test("Jobs that were cancelled before they started are counted, not run for nothing")
    func cancelled() throws {
        let trace = try trace(
            """
            1 0 -1 100 8 -1 -1 8 100 -1 5 1 1 -1 1 1 -1 -1
            2 5 -1 0 0 -1 -1 8 100 -1 5 1 1 -1 1 1 -1 -1
            3 5 -1 -1 -1 -1 -1 8 100 -1 5 1 1 -1 1 1 -1 -1
            4 5 -1 0 8 -1 -1 8 100 -1 0 1 1 -1 1 1 -1 -1
            """
        )
        #expect(trace.jobs.map(\.id) == [1, 4])
        #expect(trace.dropped == [.neverStarted: 2])
        #expect(trace.jobs.map(\.status) == [5, 0])
    }

    @Test("A byte order mark is no part of the first line")
    func byteOrderMark() throws {
        let trace = try trace(
            "\u{FEFF}; MaxProcs: 16\n1 0 7 100 8 -1 -1 8 100 -1 1 1 1 -1 1 1 -1 -1\n"
        )
        #expect(trace.machineProcessors == 16)
        #expect(trace.jobs.map(\.waitSeconds) == [7])
    }

    // MARK: Fields 17 and 18

    private static let followers = """
        ; MaxProcs: 4
        1 0 -1 100 4 -1 -1 4 100 -1 1 1 1 1 1 1 -1 -1
        2 10 -1 100 4 -1 -1 4 100 -1 1 1 1 1 1 1 1 50
        3 0 -1 10 4 -1 -1 4 10 -1 1 1 1 1 1 1 2 0
        4 20 -1 10 4 -1 -1 4 10 -1 1 1 1 1 1 1 4 0
        5 20 -1 10 4 -1 -1 4 10 -1 1 1 1 1 1 1 99 0
        6 20 -1 10 4 -1 -1 4 10 -1 1 1 1 1 1 1 7 0
        7 20 -1 10 4 -1 -1 4 10 -1 1 1 1 1 1 1 6 0

        """

    @Test("Links to nobody, to oneself and in a circle are no links")
    func links() throws {
        let trace = try trace(Self.followers, keepsRows: true)
        let links = JobLinks(trace)
        #expect(links.linkCount == 3)
        #expect(links.brokenCount == 3)
        let byID = Dictionary(uniqueKeysWithValues: zip(trace.jobs.map(\.id), trace.jobs.indices))
        #expect(links.predecessors[try #require(byID[2])] == byID[1].map(Int32.init))
        #expect(links.thinkTimes[try #require(byID[2])] == 50_000_000)
    }

    private func starts(_ text: String, _ rule: FollowingRule) throws -> [Int64: Int64] {
        let trace = try trace(text, keepsRows: true)
        var driver = ReplayDriver(
            trace: trace,
            machine: .processors(4, policy: .fcfs),
            following: (JobLinks(trace), rule)
        )
        let result = driver.run()
        let jobs = (result.submitted ?? trace).jobs
        return Dictionary(
            uniqueKeysWithValues: zip(jobs.map(\.id), result.started.map { $0 / 1_000_000 })
        )
    }

    @Test("Think times: a job is submitted when the one before has ended and its user has thought")
    func thinkTimes() throws {
        let text = Self.followers.split(separator: "\n").prefix(4).joined(separator: "\n")
        #expect(try starts(text, .thinkTimes) == [1: 0, 2: 150, 3: 250])
    }

    @Test("Dependencies: a job is submitted when it was, and waits for the one before")
    func dependencies() throws {
        let text = """
            1 0 -1 100 1 -1 -1 1 100 -1 1 1 1 1 1 1 -1 -1
            2 10 -1 30 1 -1 -1 1 30 -1 1 1 1 1 1 1 1 50
            3 20 -1 30 1 -1 -1 1 30 -1 1 1 1 1 1 1 -1 -1

            """
        #expect(try starts(text, .dependencies) == [1: 0, 2: 100, 3: 20])
    }
}

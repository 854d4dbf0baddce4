import Foundation
import SlurmDialect
import Testing
import WireFormats

@testable import LiveRuntime

@Suite("What users see of others")
struct PrivateDataTests {
    private let other = Caller(userID: Caller.me.userID + 1, groupID: 0)

    private func centre(_ hidden: Set<PrivateData>) async throws -> (Centre, [CentreEvent]) {
        var settings = SmallCentre.settings(try ScratchFolder().path)
        settings.privateData = hidden
        let centre = try Centre(settings)
        var glance = CentreGlance()
        _ = await centre.changes(since: &glance)
        _ = try await centre.submit(SmallCentre.request())
        return (centre, await centre.changes(since: &glance))
    }

    @Test("Nothing is hidden unless it is asked for")
    func open() async throws {
        let (centre, events) = try await centre([])
        #expect(await centre.census(other).jobs.count == 1)
        #expect(events.contains { $0.kind == "job" })
        #expect(events.allSatisfy { centre.sees($0, other) })
        let list = await centre.people(other)
        #expect(list == (await centre.people(.me)))
        #expect(list.associations.contains { $0.use.jobs == 1 })
        #expect(try await centre.map(withNames: true, other).names?.isEmpty == false)
        await centre.close()
    }

    @Test("Counts, events, the map and the lists of people hide what the queue hides")
    func hidden() async throws {
        let (centre, events) = try await centre([.jobs, .usage, .nodes])
        #expect(await centre.census(other).jobs.isEmpty)
        #expect(await centre.census(.me).jobs.count == 1)
        let job = try #require(events.first { $0.kind == "job" })
        #expect(!centre.sees(job, other))
        #expect(centre.sees(job, .me))
        await #expect(throws: RequestFailure.refused(.accessDenied)) {
            try await centre.map(withNames: false, other)
        }
        let list = await centre.people(other)
        #expect(!list.associations.isEmpty)
        for association in list.associations {
            #expect(association.use == UseInfo(), "\(association.account)")
            #expect(
                association.usage == 0 && association.siblingUsage == 0 && association.rank == 0
            )
        }
        #expect(list.qos.allSatisfy { $0.users.isEmpty && $0.accounts.isEmpty })
        #expect(await centre.people(.me).associations.contains { $0.use.jobs == 1 })
        await centre.close()
    }
}

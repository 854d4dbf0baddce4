import IndexSets
import LocalClient
import Quantities
import SlurmDialect
import WireFormats

/// Another way to submit a script, which may be cheaper or sooner.
struct OtherWay: Hashable {
    /// The options that differ.
    var option: String
    var request: SubmitRequest

    init(_ option: String, _ request: SubmitRequest, _ change: (inout SubmitRequest) -> Void) {
        self.option = option
        self.request = request
        change(&self.request)
    }
}

// MARK: - By what the centre says

extension RehearsalRun {
    /// Partitions and qualities of service for which the centre quotes less, or an earlier start; the cheapest
    /// first.
    func ways(otherThan request: SubmitRequest, _ quote: SubmitResponse) -> [OtherWay] {
        guard let own = quote.estimate, let price = own.price else { return [] }
        let partitions = (try? client.get("/v1/partitions", as: PartitionList.self))?.partitions
        let people = try? client.get("/v1/people", as: PeopleList.self)
        let ownQOS = request.qos ?? people?.qos.first?.name
        let all =
            (partitions ?? []).filter { $0.name != own.partition && $0.backend != "local" }
            .map { partition in
                OtherWay("-p \(partition.name)", request) { $0.partitions = [partition.name] }
            }
            + (people?.qos ?? []).filter { $0.name != ownQOS }
            .map { qos in OtherWay("-q \(qos.name)", request) { $0.qos = qos.name } }
        let better = all.compactMap { way -> (net: Int64, way: OtherWay)? in
            guard let estimate = (try? self.quote(way.request))?.estimate,
                let start = estimate.start, let other = estimate.price
            else { return nil }
            // What costs nothing is priced by what the job does not ask for, such as cards.
            guard other.gross > 0 || price.gross == 0 else { return nil }
            let isSooner = own.start.map { start < $0 } ?? true
            return isSooner || other.net < price.net ? (other.net, way) : nil
        }
        return better.sorted { ($0.net, $0.way.option) < ($1.net, $1.way.option) }.map(\.way)
    }
}

// MARK: - By what was used

extension RehearsalResult {
    /// The jobs of a script: one, or the elements of an array.
    func jobs(of number: UInt32) -> [RehearsedJob] {
        jobs.filter { $0.job == number || $0.array == number }
    }

    /// Fewer nodes, where a script that ended well has used less than it had; among others, whom a job with a
    /// shorter limit can get before, that too.
    func frugalWays(_ script: RehearsedScript, isLoaded: Bool) -> [OtherWay] {
        guard let number = script.job, let request = script.request else { return [] }
        let own = jobs(of: number)
        guard !own.isEmpty, own.allSatisfy({ $0.state == "COMPLETED" }) else { return [] }
        let limit = isLoaded ? shorter(request, own) : nil
        return [narrower(request, own), limit].compactMap(\.self)
    }

    /// A quarter more than was used, five minutes at least, rounded up to what people write.
    private func shorter(_ request: SubmitRequest, _ own: [RehearsedJob]) -> OtherWay? {
        let used = own.map(\.elapsed.seconds).max() ?? 0
        let wanted = used + max(300, used / 4)
        let grain: Int64 = wanted <= 7_200 ? 300 : 1_800
        let limit = SimDuration(seconds: (wanted + grain - 1) / grain * grain)
        guard own.allSatisfy({ $0.limit.map { limit.seconds * 4 <= $0.seconds * 3 } ?? true })
        else {
            return nil
        }
        return OtherWay("-t \(SlurmTime.full(limit))", request) {
            $0.timeLimit = limit
            $0.hasNoTimeLimit = false
        }
    }

    /// As many as its widest step had. A script without steps runs on its first.
    private func narrower(_ request: SubmitRequest, _ own: [RehearsedJob]) -> OtherWay? {
        let steps = own.flatMap(\.steps)
        let used = Int32(steps.map { (try? HostList.expand($0.nodeList).count) ?? 1 }.max() ?? 1)
        guard let held = own.map(\.nodes).min(), used < held else { return nil }
        var option = "-N \(used)"
        let tasks = steps.map(\.tasks).max() ?? used
        let asked = request.tasks.map { $0 > tasks ? tasks : $0 }
        if asked != request.tasks { option += " -n \(tasks)" }
        return OtherWay(option, request) {
            $0.minimumNodes = used
            $0.maximumNodes = used
            $0.tasks = asked
        }
    }
}

import Quantities
public import WireFormats
import WorkloadFormats

/// How far a replay is from what was recorded: how far its answers to "what if" can be trusted.
///
/// Jobs that ran and whose recorded start is known are compared. Kendall's τ_b says how alike the two
/// orders of starts are: 1 for the same, 0 for unrelated ones.
/// Source: Kendall, "A New Measure of Rank Correlation", Biometrika 30 (1938); Knight, "A Computer Method
/// for Calculating Kendall's Tau with Ungrouped Data", JASA 61 (1966).
public struct ScheduleValidation: Sendable {
    /// One group of jobs.
    public struct Group: Sendable {
        /// What they have in common.
        public var name: String
        /// How many were compared.
        public var count = 0
        /// Mean recorded and replayed wait. Unit: s.
        public var recordedWait = Double.nan
        /// See `recordedWait`.
        public var replayedWait = Double.nan
        /// Replayed start − recorded start, median. Unit: s.
        public var median = Double.nan
        /// Its size, mean. Unit: s.
        public var meanAbsolute = Double.nan
        /// The share of the starts that are at most a minute apart.
        public var withinMinute = Double.nan
        /// Kendall's τ_b of the order of starts.
        public var orderAgreement = Double.nan
    }

    /// All jobs, then those of each partition, the largest first.
    public private(set) var groups: [Group]
    /// Jobs that ran but whose recorded start nobody knows.
    public private(set) var unknownCount = 0

    /// Compares a schedule with the waits of its trace.
    ///
    /// - Complexity: O(jobs · log jobs).
    public init(_ schedule: Schedule) {
        var all: [(recorded: Int64, replayed: Int64, submitted: Int64)] = []
        var byPartition: [Int32: [Int]] = [:]
        for index in schedule.ranIndices {
            let job = schedule.trace.jobs[index]
            guard job.waitSeconds >= 0 else {
                unknownCount += 1
                continue
            }
            let recorded = job.submitted + Int64(job.waitSeconds) * 1_000_000
            byPartition[job.partition, default: []].append(all.count)
            all.append((recorded, schedule.started[index], job.submitted))
        }
        groups = [Self.group("all", all)]
        guard byPartition.count > 1 else { return }
        let names = schedule.trace.partitionNames
        let order = byPartition.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        for (partition, members) in order {
            let isNamed = names.indices.contains(Int(partition))
            let name = isNamed ? names[Int(partition)] : "partition \(partition)"
            groups.append(Self.group(name, members.map { all[$0] }))
        }
    }

    private static func group(
        _ name: String,
        _ starts: [(recorded: Int64, replayed: Int64, submitted: Int64)]
    ) -> Group {
        var group = Group(name: name)
        group.count = starts.count
        guard !starts.isEmpty else { return group }
        let count = Double(starts.count)
        var differences = starts.map { $0.replayed - $0.recorded }
        var (recorded, replayed, apart) = (Int128(0), Int128(0), Int128(0))
        for start in starts {
            recorded += Int128(start.recorded - start.submitted)
            replayed += Int128(start.replayed - start.submitted)
            apart += Int128((start.replayed - start.recorded).magnitude)
        }
        group.recordedWait = Double(recorded) / 1e6 / count
        group.replayedWait = Double(replayed) / 1e6 / count
        group.meanAbsolute = Double(apart) / 1e6 / count
        group.withinMinute = Double(differences.count { $0.magnitude <= 60_000_000 }) / count
        let middle = (starts.count + 1) / 2 - 1
        group.median =
            Double(differences.withUnsafeMutableBufferPointer { selected([middle], of: $0)[0] })
            / 1e6
        group.orderAgreement = agreement(starts.map { ($0.recorded, $0.replayed) })
        return group
    }

    /// Kendall's τ_b of pairs; not a number where one side is all the same.
    static func agreement(_ pairs: [(Int64, Int64)]) -> Double {
        let sorted = pairs.sorted { $0 < $1 }
        func pairCount(_ count: Int) -> Int { count * (count - 1) / 2 }
        /// Pairs within runs of equal elements.
        func ties<Element>(_ elements: [Element], _ same: (Element, Element) -> Bool) -> Int {
            var sum = 0
            var run = 1
            for index in elements.indices.dropFirst() {
                if same(elements[index - 1], elements[index]) {
                    run += 1
                } else {
                    sum += pairCount(run)
                    run = 1
                }
            }
            return elements.isEmpty ? 0 : sum + pairCount(run)
        }
        let total = pairCount(pairs.count)
        let firstTies = ties(sorted) { $0.0 == $1.0 }
        let bothTies = ties(sorted) { $0 == $1 }
        let secondTies = ties(pairs.map(\.1).sorted()) { $0 == $1 }
        var values = sorted.map(\.1)
        let swaps = inversions(&values)
        let agreeing = total - firstTies - secondTies + bothTies - 2 * swaps
        let scale = (Double(total - firstTies) * Double(total - secondTies)).squareRoot()
        return scale > 0 ? Double(agreeing) / scale : .nan
    }

    /// How many pairs stand in the wrong order; sorts them.
    private static func inversions(_ values: inout [Int64]) -> Int {
        var count = 0
        var width = 1
        var other = values
        while width < values.count {
            for start in stride(from: 0, to: values.count, by: 2 * width) {
                let middle = min(start + width, values.count)
                let end = min(start + 2 * width, values.count)
                var (left, right) = (start, middle)
                for place in start..<end {
                    if left < middle, right >= end || values[left] <= values[right] {
                        other[place] = values[left]
                        left += 1
                    } else {
                        count += middle - left
                        other[place] = values[right]
                        right += 1
                    }
                }
            }
            swap(&values, &other)
            width *= 2
        }
        return count
    }

    // MARK: Texts

    /// A table for people.
    public var text: String {
        var table = TextTable(
            header: [
                "recorded against replayed", "jobs", "wait recorded s", "replayed s",
                "start median s",
                "mean |s|", "≤ 1 min %", "order τ",
            ],
            alignments: [.left] + Array(repeating: .right, count: 7)
        )
        for group in groups {
            table.add([
                group.name, group.count.groupedText, NumberText.fixed(group.recordedWait, 1),
                NumberText.fixed(group.replayedWait, 1), NumberText.fixed(group.median, 0),
                NumberText.fixed(group.meanAbsolute, 1),
                NumberText.fixed(group.withinMinute * 100, 1),
                NumberText.fixed(group.orderAgreement, 3),
            ])
        }
        let unknown =
            unknownCount > 0 ? "\(counted(unknownCount, "job")) without a recorded start\n" : ""
        return table.lines.map { $0 + "\n" }.joined() + unknown
    }

    /// For programs.
    public var json: JSONValue {
        [
            "without_recorded_start": .integer(Int64(unknownCount)),
            "groups": .array(
                groups.map { group in
                    [
                        "name": .string(group.name), "jobs": .integer(Int64(group.count)),
                        "recorded_wait_mean_s": .number(group.recordedWait),
                        "replayed_wait_mean_s": .number(group.replayedWait),
                        "start_difference_median_s": .number(group.median),
                        "start_difference_mean_absolute_s": .number(group.meanAbsolute),
                        "within_a_minute": .number(group.withinMinute),
                        "order_kendall_tau": .number(group.orderAgreement),
                    ]
                }
            ),
        ]
    }
}

import Glibc
import WorkloadFormats

/// What the pictures of all policies on one trace share, so that they can lie beside each other.
///
/// Made from the first policy's schedule: the width of the bins of time, the classes of sizes, and
/// the stretch of time that Gantt charts show.
public struct PictureFrame: Sendable {
    /// Bars of a Gantt chart; more are thinned out.
    static let barMaximum = 1_200
    /// Upper ends of the classes of run times, with their names; the last has no end. Unit: µs.
    static let runClasses: [(end: Int64, name: String)] = [
        (60_000_000, "< 1 min"), (600_000_000, "1–10 min"), (3_600_000_000, "10–60 min"),
        (21_600_000_000, "1–6 h"), (86_400_000_000, "6–24 h"), (.max, "≥ 1 d"),
    ]

    /// Where the first bin starts: the first submission. Unit: µs.
    let start: Int64
    /// The width of a bin. Unit: µs.
    let binWidth: Int64
    /// Upper ends of the classes of sizes, with their names.
    let sizeClasses: [(end: Int64, name: String)]
    /// What Gantt charts show. Unit: µs.
    let ganttWindow: ClosedRange<Int64>
    /// The submissions that distributions and classes count; nil for all.
    let submissions: ClosedRange<Int64>?
    /// The language of what pictures tell.
    let words: ReportLanguage

    /// Makes a frame; nil when no job ran.
    ///
    /// The Gantt window is the stretch around the longest queue, halved from two weeks until it
    /// holds few enough jobs to be seen.
    public init?(
        _ schedule: Schedule,
        submissions: ClosedRange<Int64>?,
        in words: ReportLanguage
    ) {
        guard let span = schedule.span else { return nil }
        self.submissions = submissions
        self.words = words
        start = span.lowerBound
        let widths: [Int64] = [
            60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
            1_209_600, 2_592_000, 7_776_000, 31_536_000, 315_360_000,
        ]
        let length = span.upperBound - span.lowerBound
        let wanted = length / 180
        binWidth = widths.map { $0 * 1_000_000 }.first { $0 >= wanted } ?? max(1, wanted)
        sizeClasses = Self.sizeClasses(upTo: schedule.machineProcessors)
        ganttWindow = Self.busyWindow(of: schedule, in: span)
    }

    private static func sizeClasses(upTo machine: Int64) -> [(end: Int64, name: String)] {
        var classes: [(end: Int64, name: String)] = [(1, "1")]
        while let last = classes.last, last.end < machine {
            let end = min(last.end * 4, max(machine, last.end + 1))
            let name = end == last.end + 1 ? "\(end)" : "\(last.end + 1)–\(end)"
            classes.append((end, name))
        }
        return classes
    }

    private static func busyWindow(
        of schedule: Schedule,
        in span: ClosedRange<Int64>
    ) -> ClosedRange<Int64> {
        var longest = ScheduleSweep.Moment(time: span.lowerBound, busy: 0, waiting: -1)
        ScheduleSweep(schedule).moments { moment in
            if moment.waiting > longest.waiting { longest = moment }
        }
        var length = min(span.upperBound - span.lowerBound, 14 * 86_400_000_000)
        while true {
            let first = max(span.lowerBound, longest.time - length / 2)
            let window = first...min(span.upperBound, first + length)
            let jobCount = schedule.ranIndices.count { index in
                schedule.started[index] <= window.upperBound
                    && schedule.ended[index] >= window.lowerBound
            }
            if jobCount <= barMaximum / 2 || length <= 600_000_000 { return window }
            length /= 2
        }
    }
}

/// What plots show of one schedule: small, whatever the number of jobs.
public struct SchedulePicture: Sendable {
    /// The mean share of the machine in use in each bin of time.
    let utilisation: [Double]
    /// The mean number of jobs that wait in each bin.
    let queue: [Double]
    /// `(seconds, share of the jobs that wait at most so long)`, rising.
    let waits: [(x: Double, y: Double)]
    /// `(bounded slowdown, share of the jobs that fare at most so badly)`, rising.
    let slowdowns: [(x: Double, y: Double)]
    /// Mean waits in seconds and numbers of jobs by size class and run class; nil without jobs.
    let waitByClass: [[(wait: Double, count: Int)?]]
    /// The bars of the Gantt window.
    let bars: [GanttPlot.Bar]
    /// How many bars there would be without a limit.
    let barCount: Int
    /// The resources that the lanes of the Gantt chart are.
    let laneCount: Int64

    /// Draws a schedule's picture into `frame`.
    public init(_ schedule: Schedule, _ frame: PictureFrame, withGantt: Bool = true) {
        let end = schedule.span?.upperBound ?? frame.start
        var busy = BinnedIntegral(frame, end: end)
        var waiting = BinnedIntegral(frame, end: end)
        var waits = LogDistribution()
        var slowdowns = LogDistribution()
        var classes = Array(
            repeating: Array(
                repeating: (sum: Int128(0), count: 0),
                count: PictureFrame.runClasses.count
            ),
            count: frame.sizeClasses.count
        )
        for index in schedule.ranIndices {
            let job = schedule.trace.jobs[index]
            let (start, end) = (schedule.started[index], schedule.ended[index])
            busy.add(start, end, Double(schedule.processorsHeld(by: index)))
            waiting.add(job.submitted, start, 1)
            guard frame.submissions?.contains(job.submitted) ?? true else { continue }
            let wait = start - job.submitted
            waits.add(Double(wait) / 1e6)
            slowdowns.add(
                ScheduleMetrics.boundedSlowdown(response: end - job.submitted, run: end - start)
            )
            let size = schedule.processorsHeld(by: index)
            let row =
                frame.sizeClasses.firstIndex { size <= $0.end } ?? frame.sizeClasses.count - 1
            let column = PictureFrame.runClasses.firstIndex { end - start < $0.end } ?? 0
            classes[row][column].sum += Int128(wait)
            classes[row][column].count += 1
        }
        for run in schedule.earlierRuns {
            busy.add(run.start, run.end, Double(schedule.processorsHeld(by: run.job)))
            if schedule.started[run.job] >= 0 { waiting.add(run.start, run.end, -1) }
        }
        let machine = Double(max(1, schedule.machineProcessors))
        utilisation = busy.means.map { $0 / machine }
        queue = waiting.means
        self.waits = waits.points
        self.slowdowns = slowdowns.points
        waitByClass = classes.map { row in
            row.map { $0.count == 0 ? nil : (Double($0.sum) / 1e6 / Double($0.count), $0.count) }
        }
        laneCount = schedule.places.map { Int64($0.nodeCount) } ?? 0
        let isDrawn = withGantt && schedule.places != nil
        let all = isDrawn ? Self.bars(of: schedule, in: frame) : []
        barCount = all.count
        bars = Self.thinned(all)
    }

    private static func bars(
        of schedule: Schedule,
        in frame: PictureFrame
    ) -> [GanttPlot.Bar] {
        let (window, words) = (frame.ganttWindow, frame.words)
        var bars: [GanttPlot.Bar] = []
        ScheduleSweep(schedule).placedRuns { run, nodes in
            let (index, start, end) = (run.job, run.start, run.end)
            guard start <= window.upperBound, end >= window.lowerBound else { return }
            let job = schedule.trace.jobs[index]
            let size = schedule.processorsHeld(by: index)
            let wait = NumberText.duration(microseconds: start - job.submitted)
            let length = NumberText.duration(microseconds: end - start)
            let user = job.user >= 0 ? words("，用户 \(job.user)", ", user \(job.user)") : ""
            let cut = run.isRequeued ? words("（中断）", ", cut short") : ""
            let tip = words(
                "作业 \(job.id)\(cut)：\(size) 处理器\(user)，提交后 \(wait) 启动，运行 \(length)",
                "job \(job.id)\(cut): \(size) processors\(user), started \(wait) after its submission, ran \(length)"
            )
            // Without users, colours keep neighbours apart.
            let number = job.user >= 0 ? Int64(job.user) : Int64(index)
            let colour = Int(number % Int64(PlotColour.areaCount))
            for interval in nodes {
                bars.append(
                    GanttPlot.Bar(
                        time: Double(start) / 1e6...Double(end) / 1e6,
                        lanes: Double(interval.lowerBound)...Double(interval.upperBound) + 1,
                        colourIndex: colour,
                        tip: tip
                    )
                )
            }
        }
        return bars
    }

    /// Those that cover most, in their order.
    private static func thinned(_ bars: [GanttPlot.Bar]) -> [GanttPlot.Bar] {
        guard bars.count > PictureFrame.barMaximum else { return bars }
        func area(_ bar: GanttPlot.Bar) -> Double {
            (bar.time.upperBound - bar.time.lowerBound)
                * (bar.lanes.upperBound - bar.lanes.lowerBound)
        }
        let kept = bars.indices.sorted { (area(bars[$1]), $0) < (area(bars[$0]), $1) }
            .prefix(PictureFrame.barMaximum)
        return kept.sorted().map { bars[$0] }
    }
}

/// ∫ of weights over time, in bins.
private struct BinnedIntegral {
    private let start: Int64
    private let width: Int64
    private let end: Int64
    /// What a bin gets from intervals that begin or end in it. Unit: weight·µs.
    private var parts: [Double]
    /// Changes of the weight that whole bins get.
    private var steps: [Double]

    init(_ frame: PictureFrame, end: Int64) {
        start = frame.start
        width = frame.binWidth
        self.end = end
        let count = Int((end - frame.start) / frame.binWidth) + 1
        parts = Array(repeating: 0, count: count)
        steps = Array(repeating: 0, count: count + 1)
    }

    mutating func add(_ from: Int64, _ to: Int64, _ weight: Double) {
        let first = Int((from - start) / width)
        let last = Int((to - start) / width)
        if first == last {
            parts[first] += weight * Double(to - from)
            return
        }
        parts[first] += weight * Double(start + Int64(first + 1) * width - from)
        parts[last] += weight * Double(to - start - Int64(last) * width)
        steps[first + 1] += weight
        steps[last] -= weight
    }

    /// The mean weight of each bin; the last bin ends with the schedule.
    var means: [Double] {
        var weight = 0.0
        return parts.indices.map { bin in
            weight += steps[bin]
            let begin = start + Int64(bin) * width
            let length = Double(max(1, min(width, end - begin)))
            // Rounding must not give a queue of −0.0000001.
            return max(0, weight * Double(width) + parts[bin]) / length
        }
    }
}

/// A cumulative distribution over thresholds that rise by a factor.
private struct LogDistribution {
    private static let perDecade = 24.0
    private var counts: [Int] = []
    private var total = 0

    /// Counts a value; all up to 1 are one.
    mutating func add(_ value: Double) {
        let place = value <= 1 ? 0 : Int((log10(value) * Self.perDecade).rounded(.up))
        if place >= counts.count {
            counts += Array(repeating: 0, count: place + 1 - counts.count)
        }
        counts[place] += 1
        total += 1
    }

    var points: [(x: Double, y: Double)] {
        var sum = 0
        return counts.enumerated().map { place, count in
            sum += count
            return (pow(10, Double(place) / Self.perDecade), Double(sum) / Double(total))
        }
    }
}

extension NumberText {
    /// A length in one unit, for small fields: `45 s`, `12 min`, `3.1 h`, `2.4 d`.
    static func briefDuration(seconds: Double) -> String {
        switch seconds {
        case ..<60: fixed(seconds, 0) + " s"
        case ..<3_600: fixed(seconds / 60, 0) + " min"
        case ..<86_400: fixed(seconds / 3_600, 1) + " h"
        default: fixed(seconds / 86_400, 1) + " d"
        }
    }

    /// A length for people: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`.
    public static func duration(microseconds: Int64) -> String {
        let total = microseconds / 1_000_000
        let (days, hours, minutes) = (total / 86_400, total / 3_600 % 24, total / 60 % 60)
        if days > 0 { return hours > 0 ? "\(days) d \(hours) h" : "\(days) d" }
        if hours > 0 { return minutes > 0 ? "\(hours) h \(minutes) min" : "\(hours) h" }
        return minutes > 0 ? "\(minutes) min" : "\(total) s"
    }
}

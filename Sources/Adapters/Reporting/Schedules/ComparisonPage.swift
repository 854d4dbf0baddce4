import Quantities
import WorkloadFormats

/// A comparison as one page that needs nothing else: no network, no scripts.
///
/// Colours mean the same policy in every plot. The page follows the reader's light or dark mode
/// and prints on white.
public struct ComparisonPage: Sendable {
    /// Policies with a Gantt chart and classes of their own; of more, a page says that it shows
    /// the first.
    public static let detailMaximum = 6

    private let report: ComparisonReport
    private let provenance: String
    private let words: ReportLanguage

    /// Makes the page of a report whose cells have pictures.
    ///
    /// - Parameters:
    ///   - provenance: how it was made, one line.
    ///   - words: the language of what is no name.
    public init(
        _ report: ComparisonReport,
        provenance: String = "",
        in words: ReportLanguage = .english
    ) {
        self.report = report
        self.provenance = provenance
        self.words = words
    }

    /// The page.
    public var html: String {
        var body =
            "<h1>\(isComparison ? words("调度策略比较", "Scheduling policies compared") : words("日志回放", "A log replayed"))</h1>\n<p class=\"note\">"
        body += "\(escapedForHTML(report.setting.text(in: words)))"
        body += words("。由星河（Xinghe）回放。", ". Replayed by Xinghe.") + "</p>\n"
        for comparison in report.comparisons { body += section(comparison) }
        body += definitions
        if !provenance.isEmpty { body += "<p class=\"note\">\(escapedForHTML(provenance))</p>\n" }
        return """
            <!DOCTYPE html>
            <html lang="\(words == .english ? "en" : "zh-CN")"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(escapedForHTML(title))</title>
            <style>\(Self.style)</style></head><body>
            \(body)</body></html>

            """
    }

    private var title: String {
        report.comparisons.map(\.title).joined(separator: ", ")
            + (isComparison ? words("：策略比较", ": policies compared") : words("：回放", ": replayed"))
    }

    /// Whether there are several policies.
    private var isComparison: Bool {
        report.comparisons.contains { Set($0.cells.map(\.outcome.policy)).count > 1 }
    }

    private static let style = """
        :root{--ink:#1b1b1f;--soft:#5c5c66;--line:#d5d5dc;--paper:#fff;--best:#e7f3ec}
        @media (prefers-color-scheme:dark){:root{--ink:#e8e8ee;--soft:#a2a2ae;--line:#3d3d47;
        --paper:#16161a;--best:#173326}}
        body{font:15px/1.5 system-ui,"Noto Sans","Noto Sans CJK SC","Microsoft YaHei",sans-serif;color:var(--ink);
        background:var(--paper);max-width:72rem;margin:2rem auto;padding:0 1rem}
        h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.3rem;margin-top:2.5rem;
        border-top:2px solid var(--line);padding-top:1rem}h3{font-size:1.05rem;margin:2rem 0 .4rem}
        .note{color:var(--soft);margin:.3rem 0 1rem;font-size:.9rem}.scroll{overflow-x:auto}
        table{border-collapse:collapse;font-variant-numeric:tabular-nums;white-space:nowrap}
        table{font-size:.9rem}th{border-bottom:1.5px solid var(--ink);font-weight:600;font-size:.82rem;
        vertical-align:bottom}th,td{padding:.22rem .5rem;text-align:right}
        td{border-bottom:1px solid var(--line)}th:first-child,td:first-child{text-align:left}
        td.best{background:var(--best);font-weight:600}
        i.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.45em}
        .pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),1fr));gap:1rem}
        figure{margin:.6rem 0;break-inside:avoid;overflow-x:auto}h1,h2,p,li{overflow-wrap:anywhere}
        @media (max-width:44rem){figure svg{min-width:40rem}.pair figure svg{min-width:32rem}}
        dt{font-weight:600;margin-top:.5rem}dd{margin:0}
        dl{font-size:.9rem;color:var(--soft)}ul{margin:.2rem 0;padding-left:1.2rem}
        @media print{:root{--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--best:#eee}
        body{max-width:none;margin:0;font-size:11px}i.key,td.best,svg{print-color-adjust:exact}
        .scroll{overflow:visible}}
        """

    // MARK: One trace

    private func section(_ comparison: Comparison) -> String {
        let trace = comparison.trace
        var facts = [
            words(
                "\(comparison.chineseMachine ?? comparison.machine)，\(trace.jobs.count.groupedText) 个作业",
                "\(counted(trace.jobs.count, "job")) on \(comparison.machine)"
            )
        ]
        if let whom = trace.headerValue("Acknowledge") {
            facts.append(words("日志致谢：\(whom)", "log: thanks to \(whom)"))
        }
        var html = "<h2>\(escapedForHTML(comparison.title))</h2>\n"
        html += "<p class=\"note\">\(escapedForHTML(facts.joined(separator: "; ")))</p>\n"
        html += measures(comparison) + differences(comparison)
        // Replicas of a shaken log are in the table; pictures are those of the first.
        let firstSeed = comparison.cells.first?.seed
        let shown = comparison.cells.filter { $0.seed == firstSeed && $0.picture != nil }
        if let frame = comparison.frame, !shown.isEmpty {
            if let firstSeed {
                html +=
                    "<p class=\"note\">"
                    + words(
                        "图中为以种子 \(firstSeed) 扰动后的日志。",
                        "Pictures show the log shaken with seed \(firstSeed)."
                    ) + "</p>\n"
            }
            html += plots(comparison, shown, frame)
        }
        let remarks =
            trace.remarkLines(in: words) + comparison.notes + comparison.refusalLines(in: words)
        if !remarks.isEmpty {
            html += "<h3>\(words("略去或改动的内容", "What was left out or changed"))</h3>\n<ul>"
            html += remarks.map { "<li>\(escapedForHTML($0))</li>" }.joined() + "</ul>\n"
        }
        return html
    }

    private func measures(_ comparison: Comparison) -> String {
        typealias Column = (
            name: String, lowIsGood: Bool?, value: (PolicyOutcome) -> (Double, String)?
        )
        func fixed(_ value: Double, _ decimals: Int) -> (Double, String) {
            (value, NumberText.fixed(value, decimals))
        }
        var columns: [Column] = [
            (words("平均等待<br>s", "wait mean<br>s"), true, { fixed($0.metrics.waitMean, 1) }),
            (words("中位数<br>s", "median<br>s"), true, { fixed($0.metrics.waitMedian, 0) }),
            ("p95<br>s", true, { fixed($0.metrics.waitP95, 0) }),
            (words("最长<br>s", "max<br>s"), true, { fixed($0.metrics.waitMaximum, 0) }),
            (
                words("有界<br>减速比", "bounded<br>slowdown"), true,
                { fixed($0.metrics.boundedSlowdownMean, 2) }
            ),
            (
                words("按核<br>减速比", "per<br>processor"), true,
                { fixed($0.metrics.perProcessorSlowdownMean, 2) }
            ),
            (
                words("利用率<br>%", "utilisation<br>%"), false,
                { fixed($0.metrics.utilisation * 100, 2) }
            ),
            (
                words("空耗<br>%", "lost<br>%"), true,
                { outcome in outcome.metrics.lossOfCapacity.map { fixed($0 * 100, 2) } }
            ),
            (words("总时长<br>d", "makespan<br>d"), true, { fixed($0.metrics.makespan / 86_400, 2) }),
            (words("平均<br>队长", "queue<br>mean"), true, { fixed($0.metrics.queueMean, 1) }),
            (
                words("公平性<br>(Jain)", "fairness<br>(Jain)"), false,
                { $0.metrics.userFairness.map { fixed($0, 3) } }
            ),
        ]
        if comparison.cells.contains(where: { $0.outcome.metrics.fairStarts != nil }) {
            columns += [
                (
                    words("迟于公平启动<br>%", "fair starts<br>missed %"), true,
                    { outcome in
                        outcome.metrics.fairStarts.map { ($0.misses * 100, $0.missesText) }
                    }
                ),
                (
                    words("迟<br>s", "late by<br>s"), true,
                    { outcome in
                        outcome.metrics.fairStarts.map { ($0.missMean, $0.missMeanText) }
                    }
                ),
            ]
        }
        if comparison.cells.contains(where: { $0.outcome.failures != nil }) {
            columns += [
                (
                    words("节点<br>故障", "node<br>failures"), nil,
                    { outcome in
                        outcome.failures.map {
                            (Double($0.failureCount), $0.failureCount.groupedText)
                        }
                    }
                ),
                (
                    words("中断的<br>运行", "runs<br>cut short"), true,
                    { outcome in
                        outcome.failures.map {
                            (Double($0.interruptedRuns), $0.interruptedRuns.groupedText)
                        }
                    }
                ),
                (
                    words("未完成<br>作业", "jobs<br>lost"), true,
                    { outcome in
                        outcome.failures.map { failures in
                            let count = failures.lostIDs.count + failures.leftWaitingIDs.count
                            return (Double(count), count.groupedText)
                        }
                    }
                ),
                (
                    words("白做<br>机时", "machine<br>h lost"), true,
                    { outcome in outcome.failures.map { fixed($0.lostMachineHours, 1) } }
                ),
                (
                    words("可用<br>%", "available<br>%"), nil,
                    { outcome in
                        outcome.failures?.availability.map { fixed($0 * 100, 2) }
                    }
                ),
            ]
        }
        columns += [
            (
                words("超时截止<br>作业", "at limit<br>jobs"), nil,
                { (Double($0.timeoutCount), $0.timeoutCount.groupedText) }
            ),
            ("CPU<br>s", nil, { fixed($0.cpuSeconds, 2) }),
        ]
        let hasSeeds = comparison.cells.contains { $0.seed != nil }
        var html = "<div class=\"scroll\"><table><thead><tr><th>\(words("策略", "policy"))</th>"
        html += (hasSeeds ? "<th>\(words("种子", "seed"))</th>" : "")
        html += columns.map { "<th>\($0.name)</th>" }.joined() + "</tr></thead><tbody>\n"
        /// The best value of a column among the replays of one seed.
        func best(_ column: Column, _ seed: UInt64?) -> Double? {
            guard let lowIsGood = column.lowIsGood else { return nil }
            let values = comparison.cells.filter { $0.seed == seed }
                .compactMap { column.value($0.outcome)?.0 }.filter(\.isFinite)
            guard let low = values.min(), let high = values.max(), low < high else { return nil }
            return lowIsGood ? low : high
        }
        for (row, cell) in comparison.cells.enumerated() {
            html += "<tr><td>\(key(colour(of: row, in: comparison)))"
            html += "\(escapedForHTML(cell.outcome.policy))</td>"
            if hasSeeds { html += "<td>\(cell.seed.map { String($0) } ?? "–")</td>" }
            for column in columns {
                let value = column.value(cell.outcome)
                let isBest = value != nil && value?.0 == best(column, cell.seed)
                html += "<td\(isBest ? " class=\"best\"" : "")>\(value?.1 ?? "–")</td>"
            }
            html += "</tr>\n"
        }
        return html + "</tbody></table></div>\n"
            + "<p class=\"note\">"
            + words(
                "\(isComparison ? "每列最优值以底色标出；" : "")等待指从提交到启动。",
                "\(isComparison ? "The best value of a column is set off; waits" : "Waits") "
                    + "count from submission to start."
            ) + "</p>\n"
    }

    private func key(_ index: Int) -> String {
        "<i class=\"key\" style=\"background:\(PlotColour.series(index))\"></i>"
    }

    /// The place of a cell's policy among the policies of its trace: its colour.
    private func colour(of row: Int, in comparison: Comparison) -> Int {
        let name = comparison.cells[row].outcome.policy
        var names: [String] = []
        for cell in comparison.cells where !names.contains(cell.outcome.policy) {
            names.append(cell.outcome.policy)
        }
        return names.firstIndex(of: name) ?? 0
    }

    private func differences(_ comparison: Comparison) -> String {
        guard let first = comparison.cells.first,
            comparison.cells.contains(where: { $0.waitDifference != nil })
        else { return "" }
        let base = escapedForHTML(first.outcome.policy)
        let title = words("逐作业与 \(base) 相比的平均差", "Mean difference to \(base), job by job")
        var html = "<h3>\(title)</h3>\n"
        html += "<div class=\"scroll\"><table><thead><tr><th>\(words("策略", "policy"))</th>"
        html += "<th>\(words("等待，s", "wait, s"))</th>"
        html += "<th>\(words("有界减速比", "bounded slowdown"))</th></tr></thead><tbody>\n"
        for (row, cell) in comparison.cells.enumerated() {
            guard let wait = cell.waitDifference, let slowdown = cell.slowdownDifference
            else { continue }
            let seed = cell.seed.map { words("（种子 \($0)）", " (seed \($0))") } ?? ""
            html += "<tr><td>\(key(colour(of: row, in: comparison)))"
            html += "\(escapedForHTML(cell.outcome.policy + seed))</td>"
            html += "<td>\(ComparisonReport.differenceText(wait, 1))</td>"
            html += "<td>\(ComparisonReport.differenceText(slowdown, 2))</td></tr>\n"
        }
        return html + "</tbody></table></div>\n"
            + "<p class=\"note\">\(escapedForHTML(report.setting.bootstrap.method(in: words)))"
            + words(
                "。区间不含 0 时，差异不能以偶然解释。",
                ". An interval without 0 is a difference that chance does not explain."
            ) + "</p>\n"
    }

    // MARK: Plots

    private func plots(
        _ comparison: Comparison,
        _ cells: [ComparisonCell],
        _ frame: PictureFrame
    ) -> String {
        let pictures = cells.compactMap { cell in cell.picture.map { (cell.outcome.policy, $0) } }
        let start = comparison.trace.unixStartTime
        var html = "<h3>\(words("随时间的变化", "Over time"))</h3>\n"
        html += overTime(pictures, frame, start)
        let spread = words("等待与减速比的分布", "How waits and slowdowns are distributed")
        html += "<h3>\(spread)</h3>\n" + distributions(pictures)
        let detailed = Array(pictures.prefix(Self.detailMaximum))
        let rest =
            pictures.count > detailed.count
            ? firstOnes(detailed.count, of: pictures.count) : ""
        let bySize = words("按规模和运行时间的等待", "Wait by size and run time")
        html += "<h3>\(bySize)</h3>\n" + rest + classes(detailed, frame)
        return html + "<h3>\(words("作业甘特图", "Who ran when"))</h3>\n" + rest
            + gantts(detailed, frame, start)
    }

    private func firstOnes(_ count: Int, of all: Int) -> String {
        "<p class=\"note\">"
            + words(
                "此处绘出 \(all) 个策略中的前 \(count) 个。",
                "The first \(count) of \(all) policies are drawn here."
            )
            + "</p>\n"
    }

    private func overTime(
        _ pictures: [(String, SchedulePicture)],
        _ frame: PictureFrame,
        _ unixStart: Int64
    ) -> String {
        let width = Double(frame.binWidth) / 1e6
        let begin = Double(frame.start) / 1e6
        let binCount = pictures.map { $0.1.utilisation.count }.max() ?? 1
        let x = PlotAxis.time(
            begin...begin + width * Double(binCount),
            unixStart: unixStart,
            in: words
        )
        func series(_ values: (SchedulePicture) -> [Double]) -> [PlotSeries] {
            pictures.enumerated().map { index, entry in
                let means = values(entry.1)
                var points = means.enumerated().map { (begin + Double($0) * width, $1) }
                if let last = means.last {
                    points.append((begin + Double(means.count) * width, last))
                }
                return PlotSeries(
                    name: entry.0,
                    points: points,
                    mark: .steps,
                    colourIndex: index
                )
            }
        }
        let bin = NumberText.duration(microseconds: frame.binWidth)
        // Lines that all go up and down between 50 and 100 % cover each other; strips do not.
        let strips = series { $0.utilisation.map { $0 * 100 } }.prefix(Self.detailMaximum)
        var html = ""
        for strip in strips {
            var strip = strip
            strip.mark = .area
            var plot = LinePlot(
                title: words(
                    "利用率，\(strip.name)（每 \(bin) 平均）",
                    "Utilisation, \(strip.name) (mean of each \(bin))"
                ),
                x: x,
                y: .linear(words("占用，%", "in use, %"), to: 100, tickCount: 2),
                series: [strip]
            )
            plot.height = 150
            html += figure(plot.svg)
        }
        if pictures.count > strips.count {
            html += firstOnes(strips.count, of: pictures.count)
        }
        let queues = series(\.queue)
        let longest = queues.map { $0.points.map(\.y).max() ?? 0 }
        let isUneven = (longest.max() ?? 0) > 20 * max(1, longest.min() ?? 0)
        let top = max(1, longest.max() ?? 1)
        let queue = LinePlot(
            title: words("队列（每 \(bin) 平均）", "Queue (mean of each \(bin))"),
            x: x,
            y: isUneven
                ? .logarithmic(words("等待作业（自 0.1 起）", "jobs that wait (from 0.1)"), 0.1...top)
                : .linear(words("等待作业", "jobs that wait"), to: top),
            series: queues
        )
        return html + figure(queue.svg)
    }

    private func distributions(_ pictures: [(String, SchedulePicture)]) -> String {
        func plot(
            _ title: String,
            _ axis: (Double) -> PlotAxis,
            _ points: (SchedulePicture) -> [(x: Double, y: Double)]
        ) -> String {
            let largest = pictures.compactMap { points($0.1).last?.x }.max() ?? 1
            let x = axis(max(10, largest))
            let series = pictures.enumerated().map { index, entry in
                let shares = points(entry.1).map { (x: $0.x, y: $0.y * 100) }
                // A policy whose longest wait is shorter stays at 100 %.
                let end = shares.isEmpty ? [] : [(x: x.range.upperBound, y: 100.0)]
                return PlotSeries(name: entry.0, points: shares + end, colourIndex: index)
            }
            var plot = LinePlot(
                title: title,
                x: x,
                y: .linear(words("作业占比，%", "share of the jobs, %"), to: 100),
                series: series
            )
            plot.width = 560
            plot.height = 320
            return figure(plot.svg)
        }
        return "<div class=\"pair\">"
            + plot(
                words("等待不超过……的作业", "Jobs that wait at most …"),
                { .durations(words("等待（自 1 s 起）", "wait (from 1 s)"), to: $0) },
                \.waits
            )
            + plot(
                words("有界减速比不超过……的作业", "Jobs with a bounded slowdown of at most …"),
                { .logarithmic(words("有界减速比（10 s）", "bounded slowdown (10 s)"), 1...$0) },
                \.slowdowns
            ) + "</div>\n"
    }

    private func classes(_ pictures: [(String, SchedulePicture)], _ frame: PictureFrame) -> String {
        let waits = pictures.flatMap { $0.1.waitByClass.joined().compactMap { $0?.wait } }
        let (least, most) = (max(1, waits.min() ?? 1), max(10, waits.max() ?? 10))
        let scale = PlotAxis(
            label: "",
            range: min(least, most / 10)...most,
            isLogarithmic: true,
            ticks: []
        )
        // Sizes that no job has, such as less than a node, would only take room.
        let rows = frame.sizeClasses.indices.filter { row in
            pictures.contains { $0.1.waitByClass[row].contains { $0 != nil } }
        }
        let plots = pictures.map { name, picture in
            HeatPlot(
                title: words("\(name)：平均等待", "\(name): mean wait"),
                columnLabel: words("运行时间", "run time"),
                rowLabel: words("处理器数", "processors"),
                columns: PictureFrame.runClasses.map(\.name),
                rows: rows.map { frame.sizeClasses[$0].name },
                fields: rows.map { row in
                    picture.waitByClass[row].map { field in
                        guard let field else { return nil }
                        let text = NumberText.briefDuration(seconds: field.wait)
                        return HeatPlot.Field(
                            share: scale.position(field.wait),
                            text: text,
                            tip: words(
                                "\(field.count.groupedText) 个作业，平均等待 \(text)",
                                "\(counted(field.count, "job")), mean wait \(text)"
                            )
                        )
                    }
                }
            ).svg
        }
        return "<div class=\"pair\">" + plots.map(figure).joined() + "</div>\n"
            + "<p class=\"note\">"
            + words(
                "所有策略使用同一对数色标，黄色表示等待长；浅色格中没有作业。",
                "One logarithmic scale of colours for all policies, yellow is long; a pale field has no "
                    + "jobs."
            ) + "</p>\n"
    }

    private func gantts(
        _ pictures: [(String, SchedulePicture)],
        _ frame: PictureFrame,
        _ unixStart: Int64
    ) -> String {
        let window = frame.ganttWindow
        let time = PlotAxis.time(
            Double(window.lowerBound) / 1e6...Double(window.upperBound) / 1e6,
            unixStart: unixStart,
            in: words
        )
        var html = ""
        for (name, picture) in pictures {
            guard !picture.bars.isEmpty else {
                let nothing = words("：此时段内没有可绘的作业。", ": nothing to draw in this window.")
                html += "<p class=\"note\">\(escapedForHTML(name))\(nothing)</p>\n"
                continue
            }
            let lanes = PlotAxis(
                label: words("节点", "nodes"),
                range: 0...Double(picture.laneCount),
                isLogarithmic: false,
                ticks: PlotAxis.linear("", to: Double(picture.laneCount)).ticks
            )
            let thinning =
                picture.barCount > picture.bars.count
                ? words(
                    "（\(picture.barCount) 条中最大的 \(picture.bars.count) 条）",
                    " (largest \(picture.bars.count) of \(picture.barCount) bars)"
                ) : ""
            html += figure(
                GanttPlot(title: name + thinning, time: time, lanes: lanes, bars: picture.bars).svg
            )
        }
        let length = NumberText.duration(microseconds: window.upperBound - window.lowerBound)
        let note = words(
            "第一个策略队列最长处前后 \(length)。颜色代表用户，循环使用（日志不含用户时代表作业）；将指针停在条上可见作业。"
                + "行为节点（逐个分配处理器时为处理器）；作业共享节点时，同一行的条相互重叠。",
            "\(length) around the longest queue of the first policy. "
                + "Colours are users, repeating (jobs, where the log names no users); rest the pointer on a bar for its job. "
                + "Lanes are nodes (processors, where those are given out one by one); where jobs share "
                + "nodes, bars of one lane lie over one another."
        )
        return html + "<p class=\"note\">\(note)</p>\n"
    }

    private func figure(_ svg: String) -> String { "<figure>\(svg)</figure>\n" }

    private var definitions: String {
        let terms: [(String, String)] = [
            (words("等待", "wait"), words("启动 − 提交", "start − submission")),
            (
                words("有界减速比", "bounded slowdown"),
                words(
                    "max(1, (等待 + 运行) / max(运行, 10 s))，作业平均；按核：再除以处理器数"
                        + "（Feitelson 2001；Zotkin 与 Keleher 1999）",
                    "max(1, (wait + run) / max(run, 10 s)), mean over jobs; per processor: divided by the "
                        + "processors as well (Feitelson 2001; Zotkin and Keleher 1999)"
                )
            ),
            (
                words("利用率", "utilisation"),
                words("占用的处理器时间 / (机器 × 时间)", "processor time in use / (machine × time)")
            ),
            (
                words("空耗", "lost"),
                words(
                    "容量损失：至少有一个作业等待时空闲的处理器时间 / (机器 × 时间)（Zhang 等 2001）",
                    "loss of capacity: processor time that idles while at least one job waits / "
                        + "(machine × time) (Zhang and others 2001)"
                )
            ),
            (words("总时长", "makespan"), words("最后结束 − 最早提交", "last end − first submission")),
            (
                words("公平性", "fairness"),
                words(
                    "各用户平均有界减速比的 Jain 指数：1 表示人人相同",
                    "Jain's index of the users' mean bounded slowdowns: 1 when all fare alike"
                )
            ),
            (
                words("公平启动", "fair start"),
                words(
                    "在该作业之后无人提交时它的启动时刻；迟多少秒按全部作业平均（Sabin 等 2004）",
                    "when the job would have started if nobody had come after it; how late is the mean over all "
                        + "jobs (Sabin and others 2004)"
                )
            ),
            (
                "CPU",
                words(
                    "回放本身的处理器时间，不含读取日志",
                    "processor time of the replay itself, without reading the log"
                )
            ),
        ]
        let list = terms.map { "<dt>\($0)</dt><dd>\($1)</dd>\n" }.joined()
        let title = words("各项指标的含义", "What the measures mean")
        return "<h2>\(title)</h2>\n<dl>\(list)</dl>\n"
    }
}

import Foundation
import FoundationXML
import Testing

@testable import Reporting

@Suite("Plots")
struct PlotTests {
    @Test("A linear axis ends at round numbers and writes its steps")
    func linear() {
        let axis = PlotAxis.linear("jobs", to: 23)
        #expect(axis.range == 0...25)
        #expect(axis.ticks.map(\.text) == ["0", "5", "10", "15", "20", "25"])
        #expect(PlotAxis.linear("share", to: 0.9).ticks.last?.text == "1.0")
        #expect(PlotAxis.linear("nothing", to: 0).range.upperBound > 0)
        #expect(PlotAxis.linear("cores", to: 98_304).ticks.last?.text == "100 k")
    }

    @Test("A logarithmic axis has whole decades")
    func logarithmic() {
        let axis = PlotAxis.logarithmic("flop/s", 3e9...4e11)
        #expect(axis.range == 1e9...1e12)
        #expect(axis.ticks.map(\.text) == ["1 G", "10 G", "100 G", "1 T"])
        #expect(abs(axis.position(1e10) - 1.0 / 3) < 1e-12)
        #expect(axis.position(0) == 0)
    }

    @Test("Time has dates at midnight when the log tells its start, else days")
    func time() {
        let dated = PlotAxis.time(0...864_000, unixStart: 843_480_031)
        #expect(dated.ticks.first?.text == "1996-09-25")
        #expect(dated.ticks.allSatisfy { (Int64($0.value) + 843_480_031) % 86_400 == 0 })
        #expect(
            PlotAxis.time(0...864_000, unixStart: 0).ticks.map(\.text).prefix(2) == ["0 d", "2 d"]
        )
        let absolute = PlotAxis.time(1_643_000_000...1_653_000_000, unixStart: 0)
        #expect(absolute.ticks.first?.text == "2022-01-28", "\(absolute.ticks)")
        #expect(absolute.label == "time (UTC)")
        #expect(PlotAxis.durations("wait", to: 4_000).ticks.last?.text == "6 h")
    }

    @Test("Each plot is well-formed XML and says what it shows, whatever names are in it")
    func wellFormed() throws {
        let hostile = "<job> & \"user\""
        let line = LinePlot(
            title: hostile,
            x: .time(0...100, unixStart: 0),
            y: .linear("a & b", to: 3),
            series: (0..<9).map {
                PlotSeries(
                    name: "\(hostile) \($0)",
                    points: [(0, 1), (50, 2), (100, 0)],
                    mark: $0 == 0 ? .points : .steps,
                    colourIndex: $0
                )
            }
        )
        let heat = HeatPlot(
            title: hostile,
            columnLabel: "c",
            rowLabel: "r",
            columns: ["1", "2"],
            rows: ["1"],
            fields: [[.init(share: 0.5, text: "<", tip: hostile), nil]]
        )
        let gantt = GanttPlot(
            title: hostile,
            time: .time(0...10, unixStart: 0),
            lanes: .linear("l", to: 4),
            bars: [.init(time: 0...20, lanes: 0...4, colourIndex: 8, tip: hostile)]
        )
        for svg in [line.svg, heat.svg, gantt.svg] {
            let parser = XMLParser(data: Data(svg.utf8))
            #expect(parser.parse(), "\(String(describing: parser.parserError))")
            #expect(svg.contains("&lt;job&gt; &amp; &quot;user&quot;"))
            #expect(!svg.contains("nan"))
            #expect(!svg.contains("inf"))
        }
    }
}

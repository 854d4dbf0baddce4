/// What one line or cloud of a plot shows.
public struct PlotSeries: Sendable {
    /// How points are drawn.
    public enum Mark: Sendable {
        /// Joined by straight lines.
        case line
        /// Each value holds until the next point.
        case steps
        /// Each value holds until the next point, filled down to the axis.
        case area
        /// As dots.
        case points
    }

    /// What the legend says.
    public var name: String
    /// The points, rising in x for lines and steps.
    public var points: [(x: Double, y: Double)]
    /// How they are drawn.
    public var mark: Mark
    /// Which colour of the palette, from 0; the same policy has the same in all plots of a page.
    public var colourIndex: Int
    /// Which dashes the line has, from 0; nil for those that come with the colour. Lines that may lie
    /// on each other differ in it.
    public var dashIndex: Int?

    /// Makes a series.
    public init(
        name: String,
        points: [(x: Double, y: Double)],
        mark: Mark = .line,
        colourIndex: Int,
        dashIndex: Int? = nil
    ) {
        self.name = name
        self.points = points
        self.mark = mark
        self.colourIndex = colourIndex
        self.dashIndex = dashIndex
    }

    var dashes: String {
        dashIndex.map(PlotColour.pattern) ?? PlotColour.dashes(colourIndex)
    }
}

/// Lines over two axes, as SVG that needs nothing from outside.
public struct LinePlot: Sendable {
    /// What the plot shows.
    public var title: String
    /// The axis below.
    public var x: PlotAxis
    /// The axis on the left.
    public var y: PlotAxis
    /// What is drawn.
    public var series: [PlotSeries]
    /// Units of the drawing; pages scale it.
    public var width = 760.0
    /// See `width`.
    public var height = 300.0

    /// Makes a plot.
    public init(title: String, x: PlotAxis, y: PlotAxis, series: [PlotSeries]) {
        self.title = title
        self.x = x
        self.y = y
        self.series = series
    }

    /// The plot with its title and legend.
    public var svg: String {
        let rows = legendRows
        var frame = PlotFrame(
            width: width,
            height: height + Double(rows.count) * 18,
            title: title,
            headRows: rows.count
        )
        frame.drawAxes(x, y)
        drawLegend(rows, &frame)
        for series in series {
            let places = series.points.map { frame.place($0.x, $0.y, x, y) }
            let colour = PlotColour.series(series.colourIndex)
            switch series.mark {
            case .points:
                for place in places {
                    frame.svg.circle(place.x, place.y, radius: 3, colour: colour)
                }
            case .area:
                let base = frame.place(x.range.lowerBound, y.range.lowerBound, x, y).y
                frame.svg.area(Self.stepped(places), base: base, colour: colour)
            case .line, .steps:
                frame.svg.polyline(
                    series.mark == .line ? places : Self.stepped(places),
                    colour: colour,
                    dashes: series.dashes
                )
            }
        }
        return frame.svg.document
    }

    private static func stepped(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
        var path: [(x: Double, y: Double)] = []
        for point in points {
            if let last = path.last, last.y != point.y { path.append((point.x, last.y)) }
            path.append(point)
        }
        return path
    }

    /// Series of the legend, row by row. A character is taken to be 7 units wide.
    private var legendRows: [[(index: Int, x: Double)]] {
        guard series.count > 1 else { return [] }
        var rows: [[(index: Int, x: Double)]] = [[]]
        var cursor = PlotFrame.left
        for (index, series) in series.enumerated() {
            let size = 44 + Double(displayWidth(series.name)) * 7
            if cursor + size > width, !rows[rows.count - 1].isEmpty {
                rows.append([])
                cursor = PlotFrame.left
            }
            rows[rows.count - 1].append((index, cursor))
            cursor += size
        }
        return rows
    }

    private func drawLegend(_ rows: [[(index: Int, x: Double)]], _ frame: inout PlotFrame) {
        for (row, entries) in rows.enumerated() {
            let y = 38 + Double(row) * 18
            for (index, x) in entries {
                let series = series[index]
                let colour = PlotColour.series(series.colourIndex)
                if series.mark == .points {
                    frame.svg.circle(x + 11, y - 4, radius: 4, colour: colour)
                } else {
                    frame.svg.polyline(
                        [(x, y - 4), (x + 22, y - 4)],
                        colour: colour,
                        dashes: series.dashes
                    )
                }
                frame.svg.text(series.name, x + 27, y)
            }
        }
    }
}

/// The frame that plots share: title above, axes on the left and below, a light grid.
struct PlotFrame {
    static let left = 78.0
    private static let right = 22.0
    private static let bottom = 46.0

    var svg: SVGText
    private let width: Double
    private let height: Double
    private let top: Double

    init(width: Double, height: Double, title: String, headRows: Int = 0) {
        svg = SVGText(width: width, height: height, title: title)
        self.width = width
        self.height = height
        top = 34 + Double(headRows) * 18
        svg.text(title, Self.left, 18, size: 14, isBold: true)
    }

    /// Where a point of the axes is in the drawing.
    func place(
        _ xValue: Double,
        _ yValue: Double,
        _ x: PlotAxis,
        _ y: PlotAxis
    ) -> (x: Double, y: Double) {
        (
            Self.left + x.position(xValue) * (width - Self.left - Self.right),
            height - Self.bottom - y.position(yValue) * (height - Self.bottom - top)
        )
    }

    mutating func drawAxes(_ x: PlotAxis, _ y: PlotAxis) {
        let (left, base) = place(x.range.lowerBound, y.range.lowerBound, x, y)
        let (right, ceiling) = place(x.range.upperBound, y.range.upperBound, x, y)
        for tick in y.ticks {
            let place = place(x.range.lowerBound, tick.value, x, y)
            svg.line(left, place.y, right, place.y, opacity: 0.15)
            svg.text(tick.text, left - 7, place.y + 4, anchor: .end)
        }
        for tick in x.ticks {
            let place = place(tick.value, y.range.lowerBound, x, y)
            svg.line(place.x, ceiling, place.x, base, opacity: 0.15)
            svg.line(place.x, base, place.x, base + 4)
            svg.text(tick.text, place.x, base + 17, anchor: .middle)
        }
        svg.line(left, base, right, base)
        svg.line(left, ceiling, left, base)
        svg.text(x.label, (left + right) / 2, base + 36, anchor: .middle)
        svg.text(y.label, 16, (base + ceiling) / 2, anchor: .middle, isUpright: true)
    }
}

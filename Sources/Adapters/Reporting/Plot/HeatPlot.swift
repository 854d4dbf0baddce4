/// A table of values as coloured fields with the values in them.
public struct HeatPlot: Sendable {
    /// One field.
    public struct Field: Hashable, Sendable {
        /// Its place on the colour scale, from 0 to 1.
        public var share: Double
        /// What is written in it.
        public var text: String
        /// What is shown when the pointer rests on it.
        public var tip: String

        /// Makes a field.
        public init(share: Double, text: String, tip: String) {
            self.share = share
            self.text = text
            self.tip = tip
        }
    }

    /// What the plot shows.
    public var title: String
    /// What the columns are, with the unit.
    public var columnLabel: String
    /// What the rows are, with the unit.
    public var rowLabel: String
    /// The columns, from the left.
    public var columns: [String]
    /// The rows, from below.
    public var rows: [String]
    /// The field of row `r` and column `c` is `fields[r][c]`; nil for an empty one.
    public var fields: [[Field?]]

    /// Makes a plot.
    ///
    /// - Precondition: there is an entry for each row and column.
    public init(
        title: String,
        columnLabel: String,
        rowLabel: String,
        columns: [String],
        rows: [String],
        fields: [[Field?]]
    ) {
        precondition(fields.count == rows.count)
        precondition(fields.allSatisfy { $0.count == columns.count })
        self.title = title
        self.columnLabel = columnLabel
        self.rowLabel = rowLabel
        self.columns = columns
        self.rows = rows
        self.fields = fields
    }

    /// The plot with its title.
    public var svg: String {
        let (fieldWidth, fieldHeight) = (68.0, 26.0)
        // A character is taken to be 7 units wide.
        let longest = rows.map { displayWidth($0) }.max() ?? 0
        let (left, top) = (40 + 7 * Double(longest), 32.0)
        let width = left + fieldWidth * Double(columns.count) + 12
        let base = top + fieldHeight * Double(rows.count)
        var svg = SVGText(width: max(width, 380), height: base + 46, title: title)
        svg.text(title, left, 18, size: 14, isBold: true)
        for (row, name) in rows.enumerated() {
            let y = base - fieldHeight * Double(row + 1)
            svg.text(name, left - 7, y + fieldHeight / 2 + 4, anchor: .end)
            for (column, field) in fields[row].enumerated() {
                let x = left + fieldWidth * Double(column)
                guard let field else {
                    svg.rectangle(
                        x: x + 1,
                        y: y + 1,
                        width: fieldWidth - 2,
                        height: fieldHeight - 2,
                        colour: "currentColor",
                        opacity: 0.05
                    )
                    continue
                }
                let (fill, text) = PlotColour.scale(field.share)
                svg.rectangle(
                    x: x + 1,
                    y: y + 1,
                    width: fieldWidth - 2,
                    height: fieldHeight - 2,
                    colour: fill,
                    tip: field.tip
                )
                svg.text(
                    field.text,
                    x + fieldWidth / 2,
                    y + fieldHeight / 2 + 4,
                    anchor: .middle,
                    size: 11,
                    colour: text
                )
            }
        }
        for (column, name) in columns.enumerated() {
            svg.text(name, left + fieldWidth * (Double(column) + 0.5), base + 16, anchor: .middle)
        }
        svg.text(
            columnLabel,
            left + fieldWidth * Double(columns.count) / 2,
            base + 36,
            anchor: .middle
        )
        svg.text(rowLabel, 16, (top + base) / 2, anchor: .middle, isUpright: true)
        return svg.document
    }
}

/// Bars over time on numbered lanes: who held what, when.
public struct GanttPlot: Sendable {
    /// One bar.
    public struct Bar: Hashable, Sendable {
        /// From when to when, in the unit of the axis.
        public var time: ClosedRange<Double>
        /// Its lanes.
        public var lanes: ClosedRange<Double>
        /// Which colour, from 0.
        public var colourIndex: Int
        /// What is shown when the pointer rests on it.
        public var tip: String

        /// Makes a bar.
        public init(
            time: ClosedRange<Double>,
            lanes: ClosedRange<Double>,
            colourIndex: Int,
            tip: String
        ) {
            self.time = time
            self.lanes = lanes
            self.colourIndex = colourIndex
            self.tip = tip
        }
    }

    /// What the plot shows.
    public var title: String
    /// The axis of time.
    public var time: PlotAxis
    /// The axis of lanes.
    public var lanes: PlotAxis
    /// The bars; what is outside of the axes is cut.
    public var bars: [Bar]
    /// Units of the drawing; pages scale it.
    public var height = 300.0

    /// Makes a plot.
    public init(title: String, time: PlotAxis, lanes: PlotAxis, bars: [Bar]) {
        self.title = title
        self.time = time
        self.lanes = lanes
        self.bars = bars
    }

    /// The plot with its title.
    public var svg: String {
        var frame = PlotFrame(width: 760, height: height, title: title)
        for bar in bars {
            let low = frame.place(bar.time.lowerBound, bar.lanes.lowerBound, time, lanes)
            let high = frame.place(bar.time.upperBound, bar.lanes.upperBound, time, lanes)
            // A gap of at most half a unit keeps neighbours apart; nothing vanishes.
            let width = high.x - low.x
            let height = low.y - high.y
            frame.svg.rectangle(
                x: low.x,
                y: high.y,
                width: max(0.3, width - min(0.5, width / 3)),
                height: max(0.3, height - min(0.5, height / 3)),
                colour: PlotColour.area(bar.colourIndex),
                opacity: 0.85,
                tip: bar.tip
            )
        }
        frame.drawAxes(time, lanes)
        return frame.svg.document
    }
}

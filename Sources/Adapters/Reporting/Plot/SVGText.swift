/// Writes SVG. Shapes without a colour take that of the page's text, so a plot fits light and dark
/// pages and paper alike.
struct SVGText {
    /// On which side of its position a text stands.
    enum Anchor: String {
        case start
        case middle
        case end
    }

    private var body = ""
    private let width: Double
    private let height: Double
    private let title: String

    init(width: Double, height: Double, title: String) {
        self.width = width
        self.height = height
        self.title = title
    }

    /// A coordinate with at most two decimals.
    static func number(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        guard hundredths % 100 != 0 else { return String(hundredths / 100) }
        return NumberText.fixed(value, 2)
    }

    mutating func line(
        _ x1: Double,
        _ y1: Double,
        _ x2: Double,
        _ y2: Double,
        opacity: Double = 1
    ) {
        body +=
            "<path d=\"M\(Self.number(x1)) \(Self.number(y1))L\(Self.number(x2)) "
            + "\(Self.number(y2))\" stroke=\"currentColor\" stroke-opacity=\"\(opacity)\"/>\n"
    }

    /// A line through points, in a colour, perhaps dashed.
    mutating func polyline(_ points: [(x: Double, y: Double)], colour: String, dashes: String) {
        guard let first = points.first else { return }
        var path = "M\(Self.number(first.x)) \(Self.number(first.y))"
        for point in points.dropFirst() {
            path += "L\(Self.number(point.x)) \(Self.number(point.y))"
        }
        let dash = dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\""
        body +=
            "<path d=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.7\""
            + " stroke-linejoin=\"round\"\(dash)/>\n"
    }

    /// What lies between a line and a horizontal base.
    mutating func area(_ points: [(x: Double, y: Double)], base: Double, colour: String) {
        guard let first = points.first, let last = points.last else { return }
        var path = "M\(Self.number(first.x)) \(Self.number(base))"
        for point in points { path += "L\(Self.number(point.x)) \(Self.number(point.y))" }
        path += "L\(Self.number(last.x)) \(Self.number(base))Z"
        body += "<path d=\"\(path)\" fill=\"\(colour)\" fill-opacity=\"0.75\"/>\n"
    }

    mutating func circle(_ x: Double, _ y: Double, radius: Double, colour: String) {
        body +=
            "<circle cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" "
            + "r=\"\(Self.number(radius))\" fill=\"\(colour)\"/>\n"
    }

    /// A filled rectangle; `tip` is shown when the pointer rests on it.
    mutating func rectangle(
        x: Double,
        y: Double,
        width: Double,
        height: Double,
        colour: String,
        opacity: Double = 1,
        tip: String = ""
    ) {
        let shape =
            "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" "
            + "width=\"\(Self.number(width))\" height=\"\(Self.number(height))\" "
            + "fill=\"\(colour)\"\(opacity < 1 ? " fill-opacity=\"\(opacity)\"" : "")"
        body +=
            tip.isEmpty ? shape + "/>\n" : shape + "><title>\(escapedForHTML(tip))</title></rect>\n"
    }

    mutating func text(
        _ text: String,
        _ x: Double,
        _ y: Double,
        anchor: Anchor = .start,
        size: Double = 12,
        colour: String = "currentColor",
        isBold: Bool = false,
        isUpright: Bool = false
    ) {
        let turn =
            isUpright ? " transform=\"rotate(-90 \(Self.number(x)) \(Self.number(y)))\"" : ""
        body +=
            "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" "
            + "text-anchor=\"\(anchor.rawValue)\" font-size=\"\(Self.number(size))\" "
            + "fill=\"\(colour)\"\(isBold ? " font-weight=\"600\"" : "")\(turn)>"
            + "\(escapedForHTML(text))</text>\n"
    }

    /// The whole picture.
    var document: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.number(width)) \
        \(Self.number(height))" role="img" aria-label="\(escapedForHTML(title))" \
        style="width:100%;height:auto;max-width:\(Self.number(width * 1.5))px" \
        font-family="system-ui, 'Noto Sans', sans-serif">
        \(body)</svg>

        """
    }
}

/// Colours that people with any colour vision tell apart.
///
/// Source: Okabe and Ito, "Color Universal Design", 2008; cividis: Nuñez, Anderton and Renslow,
/// PLOS ONE 13 (2018).
enum PlotColour {
    /// Okabe and Ito's, without the yellow that white paper swallows; six more that Tol's "muted" and
    /// "vibrant" sets have beside them (SRON/EPS/TN/09-002, 2021); the page's own colour last.
    private static let palette = [
        "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933",
        "#332288", "#AA4499", "#44AA99", "#661100", "currentColor",
    ]
    private static let dashes = ["", "7 3", "2 3", "9 3 2 3"]

    /// The colour of series `index`; they repeat after thirteen, with other dashes.
    static func series(_ index: Int) -> String { palette[index % palette.count] }

    /// The dashes of series `index`.
    static func dashes(_ index: Int) -> String { pattern(index / palette.count) }

    /// The pattern of dashes `index`; 0 is a whole line.
    static func pattern(_ index: Int) -> String { dashes[index % dashes.count] }

    /// A filled area's colour: never the page's own.
    static func area(_ index: Int) -> String { palette[index % (palette.count - 1)] }

    /// How many areas differ.
    static let areaCount = palette.count - 1

    private static let cividis: [(Double, Double, Double)] = [
        (0, 34, 78), (53, 69, 108), (102, 105, 112), (148, 142, 119), (200, 184, 102),
        (254, 232, 56),
    ]

    /// A place on a scale from 0 to 1, and a text colour that stands out on it.
    static func scale(_ share: Double) -> (fill: String, text: String) {
        let place = min(1, max(0, share)) * Double(cividis.count - 1)
        let lower = min(cividis.count - 2, Int(place))
        let rest = place - Double(lower)
        let (a, b) = (cividis[lower], cividis[lower + 1])
        func mixed(_ from: Double, _ to: Double) -> Int {
            Int((from + (to - from) * rest).rounded())
        }
        let fill = "rgb(\(mixed(a.0, b.0)),\(mixed(a.1, b.1)),\(mixed(a.2, b.2)))"
        return (fill, share > 0.55 ? "#000" : "#fff")
    }
}

/// Which module may import which, as ARCHITECTURE.md says it in two tables.
struct LayerTable {
    /// Where a module stands: its layer, and its place from the left in that layer's row.
    struct Place: Hashable {
        var layer: Int
        var order: Int
    }

    /// Who may import an outside thing.
    enum Importers: Hashable {
        case modules(Set<String>)
        case layers(ClosedRange<Int>)
    }

    private(set) var places: [String: Place] = [:]
    private(set) var outside: [String: Importers] = [:]
    /// Names that stand in more than one row.
    private(set) var repeated: [String] = []

    /// The folder of each layer under `Sources`. C's module maps stand in `C`, and count as adapters.
    static let floors = ["Vocabulary", "Domain", "Dialects", "Adapters", "Runtimes", "Programs"]

    /// The layer that the folder `floor` says; nil for a folder that is no floor.
    static func layer(ofFloor floor: String) -> Int? {
        floors.firstIndex(of: floor == "C" ? "Adapters" : floor)
    }

    /// Pairs inside one layer that the text under the table allows.
    static let exceptions: [String: Set<String>] = [
        "ComputeKernels": ["MessagePassing", "HardwareTopology"]
    ]

    /// Reads every row of a table of `markdown`: `| 1 domain | modules | … |` for a layer,
    /// `` | `Thing` | `Module` or layer range | `` for an outside thing.
    init(markdown: String) {
        for line in markdown.split(separator: "\n") where line.hasPrefix("|") {
            let cells = line.split(separator: "|").map { $0.trimmed }
            guard cells.count >= 2 else { continue }
            let names = Self.quoted(cells[1])
            if let layer = Int(cells[0].prefix { $0.isNumber }), !names.isEmpty {
                for (order, name) in names.enumerated() {
                    if places[name] != nil { repeated.append(name) }
                    places[name] = Place(layer: layer, order: order)
                }
            } else if cells.count == 2 {
                let importers: Importers
                if !names.isEmpty {
                    importers = .modules(Set(names))
                } else if let range = Self.layerRange(cells[1]) {
                    importers = .layers(range)
                } else {
                    continue
                }
                for thing in Self.quoted(cells[0]) { outside[thing] = importers }
            }
        }
    }

    /// Why `importer` must not import `imported`; nil when it may.
    func objection(to imported: String, in importer: String) -> String? {
        guard let place = places[importer] else {
            return "module \(importer) is in no row of ARCHITECTURE.md's layer table"
        }
        switch outside[imported] {
        case .modules(let owners):
            if owners.contains(importer) { return nil }
            return "only \(owners.sorted().joined(separator: ", ")) may import \(imported)"
        case .layers(let layers):
            if layers.contains(place.layer) { return nil }
            return "layer \(place.layer) must not import \(imported)"
        case nil:
            return objectionInside(to: imported, in: importer, at: place)
        }
    }

    private func objectionInside(
        to imported: String,
        in importer: String,
        at place: Place
    ) -> String? {
        guard let below = places[imported] else {
            return "\(imported) is in neither table of ARCHITECTURE.md"
        }
        if below.layer < place.layer { return nil }
        if below.layer > place.layer {
            return
                "\(imported) is of layer \(below.layer), above \(place.layer): the arrow points up"
        }
        if place.layer <= 2, below.order < place.order { return nil }
        if Self.exceptions[importer]?.contains(imported) == true { return nil }
        return "\(imported) is of the same layer \(place.layer); "
            + (place.layer <= 2
                ? "only modules further left in its row may be imported"
                : "modules of this layer do not import one another")
    }

    /// The names between backquotes.
    private static func quoted(_ cell: String) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }
            .map { String($0.element) }
    }

    /// `layer 5` or `layers 3–5`.
    private static func layerRange(_ cell: String) -> ClosedRange<Int>? {
        guard cell.hasPrefix("layer") else { return nil }
        let numbers = cell.split { !$0.isNumber }.compactMap { Int($0) }
        guard let first = numbers.first, let last = numbers.last, first <= last else { return nil }
        return first...last
    }
}

extension StringProtocol {
    /// Without blanks at both ends.
    var trimmed: String {
        let start = self.drop { $0 == " " || $0 == "\t" }
        return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}

extension SourceFile {
    /// The modules that the file imports, with the line of each (from 1).
    var imports: [(line: Int, module: String)] {
        code.enumerated().compactMap { offset, line in
            var words = line.split(separator: " ").map(String.init)
            words.removeAll { $0.hasPrefix("@") || Self.accessWords.contains($0) }
            guard words.count >= 2, words[0] == "import" else { return nil }
            // `import struct Foundation.Data` names a declaration; the module is before the dot.
            let name = words.count >= 3 && Self.kindWords.contains(words[1]) ? words[2] : words[1]
            return (offset + 1, String(name.prefix { $0 != "." }))
        }
    }

    private static let accessWords: Set<String> = [
        "public", "package", "internal", "fileprivate", "private",
    ]
    private static let kindWords: Set<String> = [
        "struct", "class", "enum", "protocol", "typealias", "func", "let", "var",
    ]
}

import IndexSets

/// Lists and numbers as the files of a site write them.
enum SiteNames {
    /// The names of a list such as `cn[0-3],gpu1`.
    static func expanded(_ list: String) throws(SiteProblem) -> [String] {
        let names: [String]
        do throws(HostList.Rejection) {
            names = try HostList.expand(list)
        } catch {
            throw SiteProblem("'\(list)' is no list of nodes")
        }
        guard names.count <= SlurmSite.nodeMaximum else {
            throw SiteProblem("'\(list)' is more than \(SlurmSite.nodeMaximum) nodes")
        }
        if let name = names.first(where: { !isName($0) }) {
            throw SiteProblem("'\(name)' is no name of a node")
        }
        return names
    }

    /// How many devices `File=/dev/nvidia[0-7]` names.
    static func fileCount(_ text: String) -> Int {
        let name = text.split(separator: "/").last.map(String.init) ?? text
        return (try? HostList.expand(name).count) ?? 1
    }

    /// A decimal number as a machine file takes it, with three places at most; nil for another text.
    static func thousandths(_ text: String) -> String? {
        let sides = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = sides.first, let number = Int(whole.isEmpty ? "0" : String(whole)),
            (0...1_000).contains(number)
        else { return nil }
        guard sides.count == 2 else { return "\(number)" }
        guard sides[1].allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        var places = sides[1].prefix(3)
        while places.last == "0" { places.removeLast() }
        return places.isEmpty ? "\(number)" : "\(number).\(places)"
    }

    /// Whether a machine file takes it as a name.
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)
                    || "-_.".unicodeScalars.contains($0)
            }
    }
}

/// Pieces of YAML.
enum SiteYAML {
    /// A text in double quotes, as JSON and YAML alike take it.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case _ where scalar.value < 0x20: quoted += " "
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// A list of texts.
    static func list(_ texts: [String]) -> String {
        "[\(texts.map(quoted).joined(separator: ", "))]"
    }
}

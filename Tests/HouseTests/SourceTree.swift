import Foundation

/// One text file of the repository, as the house rules see it.
struct SourceFile: Sendable {
    /// Relative to the root, such as `Sources/Domain/Billing/Ledger/Voucher.swift`.
    var path: String
    /// The text as it is, whole and by lines.
    var text: String
    var lines: [String]
    /// The same lines with comments and the inside of string literals blanked out.
    var code: [String]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        code =
            path.hasSuffix(".swift")
            ? CodeText.withoutCommentsAndStrings(text)
                .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            : lines
    }

    /// The module that the file belongs to: `Sources/Floor/Module/…` or `Tests/Module/…`.
    var module: String {
        let parts = path.split(separator: "/")
        let place = isTest ? 1 : 2
        return parts.count > place + 1 ? String(parts[place]) : ""
    }

    /// The folder under `Sources` that the module stands in, such as `Domain`.
    var floor: String {
        let parts = path.split(separator: "/")
        return !isTest && parts.count > 2 ? String(parts[1]) : ""
    }

    /// `Charge` of `Charge.swift` and of `Charge+Parts.swift`.
    var subject: String {
        let name = path.split(separator: "/").last ?? ""
        return String(name.prefix { $0 != "+" && $0 != "." })
    }

    /// The types that the file declares or extends, without what they are nested in, and its
    /// public free functions.
    var subjects: Set<String> {
        var found: Set<String> = []
        for line in code {
            let words = line.split { !($0.isLetter || $0.isNumber || "_.`".contains($0)) }
            for (word, name) in zip(words, words.dropFirst())
            where Self.typeWords.contains(String(word)) {
                if let last = name.split(separator: ".").last { found.insert(String(last)) }
            }
        }
        // A file of one free function is named after that.
        for line in code where line.hasPrefix("public func ") {
            let name = line.dropFirst("public func ".count).prefix { $0.isLetter }
            found.insert(name.prefix(1).uppercased() + name.dropFirst())
        }
        return found
    }

    private static let typeWords: Set<String> = [
        "struct", "class", "enum", "actor", "protocol", "extension", "typealias",
    ]

    var isTest: Bool { path.hasPrefix("Tests/") }
}

/// One broken rule, printed as `path:line: what to do instead`.
struct Finding: CustomStringConvertible, Hashable {
    var path: String
    /// From 1; 0 when the whole file is meant.
    var line: Int
    var advice: String

    var description: String { line > 0 ? "\(path):\(line): \(advice)" : "\(path): \(advice)" }
}

/// The checked-out repository that this test was built from.
enum SourceTree {
    static let root: URL = {
        var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while !FileManager.default.fileExists(atPath: folder.path + "/Package.swift") {
            let parent = folder.deletingLastPathComponent()
            precondition(parent != folder, "no Package.swift above \(#filePath)")
            folder = parent
        }
        return folder
    }()

    /// All Swift files under `Sources` and `Tests`, in order of path.
    static let swiftFiles: [SourceFile] = files(under: ["Sources", "Tests"]) {
        $0.hasSuffix(".swift")
    }

    /// The text of one file; nil when there is none.
    static func text(of path: String) -> String? {
        try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    static func files(
        under folders: [String],
        where isWanted: (String) -> Bool
    ) -> [SourceFile] {
        var found: [SourceFile] = []
        for folder in folders {
            let base = root.appendingPathComponent(folder).path
            for name in FileManager.default.enumerator(atPath: base)?.allObjects ?? [] {
                guard let name = name as? String, isWanted(name) else { continue }
                let path = folder + "/" + name
                guard let text = text(of: path) else { continue }
                found.append(SourceFile(path: path, text: text))
            }
        }
        return found.sorted { $0.path < $1.path }
    }

    /// The folders of modules, as `(floor, module)`, in order.
    static var moduleFolders: [(floor: String, module: String)] {
        folders(in: "Sources").flatMap { floor in
            folders(in: "Sources/" + floor).map { (floor, $0) }
        }
    }

    private static func folders(in folder: String) -> [String] {
        let base = root.path + "/" + folder
        let names = try? FileManager.default.contentsOfDirectory(atPath: base)
        return (names ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }
}

/// A reader of Swift that knows comments and strings apart from code, and nothing else.
enum CodeText {
    private enum Mode {
        case code
        case lineComment
        case blockComment(depth: Int)
        /// A literal that ends at `delimiter`; `isRaw` ones have no escapes.
        case string(delimiter: [UInt8], isRaw: Bool)
    }

    private static let newline = UInt8(ascii: "\n")
    private static let slash = UInt8(ascii: "/")
    private static let star = UInt8(ascii: "*")
    private static let quote = UInt8(ascii: "\"")
    private static let hash = UInt8(ascii: "#")
    private static let backslash = UInt8(ascii: "\\")

    /// `text` with the same lines, comments and string contents replaced by blanks.
    ///
    /// An interpolation counts as string: no rule looks for code inside one.
    static func withoutCommentsAndStrings(_ text: String) -> String {
        // Two bytes more than the text, so that a look at the next byte is always inside.
        let input = Array(text.utf8) + [newline, newline]
        let end = input.count - 2
        var output: [UInt8] = []
        output.reserveCapacity(input.count)
        var mode = Mode.code
        var index = 0

        func skip(_ count: Int) {
            for byte in input[index..<index + count] {
                output.append(byte == newline ? newline : UInt8(ascii: " "))
            }
            index += count
        }

        while index < end {
            let byte = input[index]
            switch mode {
            case .code:
                if byte == slash, input[index + 1] == slash {
                    mode = .lineComment
                } else if byte == slash, input[index + 1] == star {
                    mode = .blockComment(depth: 1)
                    skip(2)
                } else if byte == quote || byte == hash, let opening = opening(at: index, in: input)
                {
                    mode = .string(delimiter: opening.delimiter, isRaw: opening.isRaw)
                    skip(opening.length)
                } else {
                    output.append(byte)
                    index += 1
                }
            case .lineComment:
                if byte == newline { mode = .code }
                skip(1)
            case .blockComment(let depth):
                if byte == slash, input[index + 1] == star {
                    mode = .blockComment(depth: depth + 1)
                    skip(2)
                } else if byte == star, input[index + 1] == slash {
                    mode = depth == 1 ? .code : .blockComment(depth: depth - 1)
                    skip(2)
                } else {
                    skip(1)
                }
            case .string(let delimiter, let isRaw):
                if byte == quote, input[index...].starts(with: delimiter) {
                    mode = .code
                    skip(delimiter.count)
                } else if !isRaw, byte == backslash {
                    skip(2)
                } else {
                    skip(1)
                }
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The string literal that opens at `index`, if one does.
    private static func opening(
        at index: Int,
        in input: [UInt8]
    ) -> (delimiter: [UInt8], length: Int, isRaw: Bool)? {
        let hashes = input[index...].prefix { $0 == hash }.count
        var quotes = input[(index + hashes)...].prefix(3).prefix { $0 == quote }.count
        guard quotes > 0 else { return nil }
        if quotes == 2 { quotes = 1 }  // An empty literal closes itself at the next step.
        let delimiter =
            Array(repeating: quote, count: quotes) + Array(repeating: hash, count: hashes)
        return (delimiter, hashes + quotes, hashes > 0)
    }
}

import Glibc
import Testing

/// A word that has no place in some files, and what to use instead.
struct BannedWord: Sendable {
    /// Where a word is looked for.
    enum Place: Sendable {
        /// In code, not in comments or strings.
        case code
        /// In every line as it is.
        case anyText
    }

    var word: String
    var insteadUse: String
    var place: Place = .code

    /// Whether the word stands in `line` as a word: `factor` has no `actor` in it.
    func isIn(_ line: String) -> Bool {
        var rest = line[...]
        while let found = rest.firstRange(of: word) {
            let before =
                found.lowerBound > line.startIndex
                ? line[line.index(before: found.lowerBound)] : " "
            let after = found.upperBound < line.endIndex ? line[found.upperBound] : " "
            let opensInside = word.first?.isWordCharacter == true && before.isWordCharacter
            let endsInside = word.last?.isWordCharacter == true && after.isWordCharacter
            if !opensInside, !endsInside { return true }
            rest = line[found.upperBound...]
        }
        return false
    }

    func findings(in file: SourceFile) -> [Finding] {
        // Nearly every word is in no file at all, so the whole text is asked first.
        guard file.text.withCString({ strstr($0, word) }) != nil else { return [] }
        return (place == .code ? file.code : file.lines).enumerated()
            .filter { isIn($0.element) }
            .map { Finding(path: file.path, line: $0.offset + 1, advice: "\(word): \(insteadUse)") }
    }
}

extension Character {
    fileprivate var isWordCharacter: Bool { isLetter || isNumber || self == "_" }
}

/// Layers 0–2 are plain values: no clock, no chance, no task, no lock.
let wordsBannedInTheCore: [BannedWord] = [
    BannedWord(word: "Date(", insteadUse: "take a SimInstant from the caller"),
    BannedWord(word: "ContinuousClock", insteadUse: "take a SimInstant from the caller"),
    BannedWord(word: "SuspendingClock", insteadUse: "take a SimInstant from the caller"),
    BannedWord(word: "clock_gettime", insteadUse: "take a SimInstant from the caller"),
    BannedWord(word: "gettimeofday", insteadUse: "take a SimInstant from the caller"),
    BannedWord(word: ".random(", insteadUse: "draw from a named SplitMix64 stream"),
    BannedWord(word: ".randomElement(", insteadUse: "draw an index with SplitMix64.below"),
    BannedWord(
        word: "shuffled(",
        insteadUse: "draw with SplitMix64.below; shuffles change with Swift"
    ),
    BannedWord(
        word: ".shuffle(",
        insteadUse: "draw with SplitMix64.below; shuffles change with Swift"
    ),
    BannedWord(word: "SystemRandomNumberGenerator", insteadUse: "use SplitMix64 and a seed"),
    BannedWord(word: "UUID(", insteadUse: "identities are numbers given out in order"),
    BannedWord(word: "hashValue", insteadUse: "StateDigest; hashes change from run to run"),
    BannedWord(word: "Task {", insteadUse: "return an effect; a driver performs it"),
    BannedWord(word: "Task.sleep", insteadUse: "return a wake effect"),
    BannedWord(word: "async", insteadUse: "the core never suspends"),
    BannedWord(word: "await", insteadUse: "the core never suspends"),
    BannedWord(word: "actor", insteadUse: "a struct; one driver owns it"),
    BannedWord(word: "DispatchQueue", insteadUse: "return an effect; a driver performs it"),
    BannedWord(word: "Mutex", insteadUse: "a struct; one driver owns it"),
    BannedWord(word: "NSLock", insteadUse: "a struct; one driver owns it"),
    BannedWord(word: "getenv", insteadUse: "take the value from the caller"),
]

/// Time, money, sizes and decisions are integers. Scores of queue orders may be fractions: they are
/// sorted by, and nothing else, and `ReproducibleMath` gives them the same bits everywhere.
let foldersOfScores = ["Sources/Domain/Scheduling/Orders/"]

let wordsBannedInDecisions: [BannedWord] = [
    BannedWord(
        word: "Double",
        insteadUse: "an integer of a named unit (Fen, SimDuration, ByteCount)"
    ),
    BannedWord(
        word: "Float",
        insteadUse: "an integer of a named unit (Fen, SimDuration, ByteCount)"
    ),
]

let wordsBannedInSources: [BannedWord] = [
    BannedWord(
        word: "try!",
        insteadUse: "throw, or guard with a preconditionFailure that says why"
    ),
    BannedWord(word: "as!", insteadUse: "as? with a guard"),
    BannedWord(word: "TO" + "DO", insteadUse: "do it, or write it into an issue", place: .anyText),
    BannedWord(
        word: "FIX" + "ME",
        insteadUse: "fix it, or write it into an issue",
        place: .anyText
    ),
    BannedWord(word: "X" + "XX", insteadUse: "say what is meant", place: .anyText),
    BannedWord(word: "unimple" + "mented", insteadUse: "do it, or leave it out", place: .anyText),
]

@Suite("House words")
struct HouseWordsTests {
    static let sources = SourceTree.swiftFiles.filter { !$0.isTest }
    static let exactModules: Set<String> = [
        "Quantities", "IndexSets", "JobModel", "Scheduling", "Billing", "Emulation",
    ]

    private static func findings(_ words: [BannedWord], _ files: [SourceFile]) -> [Finding] {
        files.flatMap { file in words.flatMap { $0.findings(in: file) } }
    }

    private static func layer(of file: SourceFile) -> Int {
        ImportGraphTests.table.places[file.module]?.layer ?? 0
    }

    @Test("Layers 0 to 2 have no clock, chance, task or lock")
    func coreIsPure() {
        let core = Self.sources.filter { Self.layer(of: $0) <= 2 }
        #expect(core.count > 30)
        let findings = Self.findings(wordsBannedInTheCore, core)
        #expect(findings.isEmpty, "\(findings.listed)")
    }

    @Test("Time, money and decisions are integers")
    func decisionsAreIntegers() {
        let exact = Self.sources.filter { file in
            Self.exactModules.contains(file.module)
                && !foldersOfScores.contains { file.path.contains($0) }
        }
        #expect(exact.count > 20)
        let findings = Self.findings(wordsBannedInDecisions, exact)
        #expect(findings.isEmpty, "\(findings.listed)")
    }

    @Test("Sources have no forced try or cast, and nothing left for later")
    func sourcesAreFinished() {
        let findings = Self.findings(wordsBannedInSources, Self.sources)
        #expect(findings.isEmpty, "\(findings.listed)")
    }

    @Test("Tests and scripts have nothing left for later")
    func restIsFinished() {
        let words = wordsBannedInSources.filter { $0.place == .anyText }
        let others =
            SourceTree.swiftFiles.filter(\.isTest)
            + SourceTree.files(under: ["bench", "workloads", "docs", ".ci"]) { name in
                [".sh", ".py", ".md", ".c", ".yaml"].contains { name.hasSuffix($0) }
                    || !name.contains(".")
            }
        let findings = Self.findings(words, others)
        #expect(findings.isEmpty, "\(findings.listed)")
    }

    @Test("Enums that images hold as numbers say which cases they have")
    func casesAreKnown() {
        let declaration = /enum \w+: U?Int\d*,.*\bCodable\b/
        let lines = SourceTree.swiftFiles.filter { !$0.isTest }.flatMap { file in
            file.code.filter { $0.contains(declaration) }.map { (file.path, $0) }
        }
        #expect(lines.count > 10)
        for (path, line) in lines {
            #expect(line.contains("CaseIterable"), "\(path): \(line)")
        }
    }

    @Test(
        "A banned word in code is found",
        arguments: [
            "let now = Date()", "return .random(in: 0..<4)", "nodes.shuffled()",
            "let id = UUID().uuidString", "let start = ContinuousClock.now",
            "clock_gettime(CLOCK_REALTIME, &time)", "Task { run() }", "func run() async {}",
            "DispatchQueue.main.sync {}", "actor Book {}",
        ]
    )
    func bannedWordsInCodeAreFound(line: String) {
        let file = SourceFile(path: "Sources/Domain/Emulation/Sample.swift", text: line + "\n")
        #expect(!Self.findings(wordsBannedInTheCore, [file]).isEmpty)
    }

    @Test(
        "A banned word that is not code, or part of another word, is not found",
        arguments: [
            "// Date() is not for us", "/* async */ let a = 1", "let text = \"Task { }\"",
            "let text = \"\"\"\n    actor async\n    \"\"\"", "let asyncness = factor",
            "update(at: now)", "let text = #\"await \"quoted\" await\"#", "let factor = 2",
        ]
    )
    func otherTextIsNotFound(text: String) {
        let file = SourceFile(path: "Sources/Domain/Emulation/Sample.swift", text: text + "\n")
        let findings = Self.findings(wordsBannedInTheCore, [file])
        #expect(findings.isEmpty, "\(findings.listed)")
    }

    @Test("Fractions in money and forced words are found, the latter in comments too")
    func otherBannedWordsAreFound() {
        let money = SourceFile(
            path: "Sources/Domain/Billing/Sample.swift",
            text: "var fee: Double\n"
        )
        #expect(Self.findings(wordsBannedInDecisions, [money]).map(\.line) == [1])
        let text = "let a = 1\nlet b = try! read()\nlet c = b as! Int\n// TO" + "DO later\n"
        let forced = SourceFile(path: "Sources/Programs/yh/Sample.swift", text: text)
        #expect(Self.findings(wordsBannedInSources, [forced]).map(\.line) == [2, 3, 4])
    }
}

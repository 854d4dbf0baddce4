import Testing

/// A field travels through several modules, and nothing fails by itself when its last reader is missing. So
/// each member of what a job asks for is read by who decides, or is listed here with what it is for.
@Suite("Members of requests")
struct RequestMemberTests {
    /// What is kept to be shown, and to run what is real; no decision depends on it.
    private static let displayed: Set<String> = [
        "submitLine", "command", "submitHost", "submitDirectory", "group", "project", "sharesNodes",
    ]

    @Test("The core reads every member of a submission")
    func submission() throws {
        let unread = try Self.members(of: "JobSubmission", in: "Sources/Domain").filter { member in
            !Self.isRead(member, from: "submission", under: "Sources/Domain/Emulation")
        }
        #expect(unread.isEmpty, "JobSubmission has members that nothing decides by")
    }

    @Test("The live centre reads every member of a request, those that are only shown too")
    func request() throws {
        let folder = "Sources/Runtimes/LiveRuntime"
        let members = try Self.members(of: "SubmitRequest", in: "Sources/Dialects/WireFormats")
        let unread = members.filter { member in
            !["request", "submission", "specification.request", "input.request"].contains {
                Self.isRead(member, from: $0, under: folder)
            } && !Self.readByItself.contains(member)
        }
        #expect(unread.isEmpty, "SubmitRequest has members that nothing reads")
        #expect(Self.displayed.isSubset(of: members), "a member is listed that is not there")
    }

    /// Read by a computed member of the request.
    private static let readByItself: Set<String> = ["script", "scriptEncoding"]

    /// The stored members of a type, by name.
    private static func members(of type: String, in folder: String) throws -> [String] {
        let file = try #require(
            SourceTree.swiftFiles.first { file in
                file.path.hasPrefix(folder)
                    && file.code.contains { $0.hasPrefix("public struct \(type):") }
            },
            "no file under \(folder) declares \(type)"
        )
        let start = try #require(file.code.firstIndex { $0.hasPrefix("public struct \(type):") })
        let end = file.code[start...].firstIndex { $0.hasPrefix("}") } ?? file.code.endIndex
        let members = file.code[start..<end].compactMap { line -> String? in
            let prefix = "    public var "
            guard line.hasPrefix(prefix), !line.hasSuffix("{") else { return nil }
            return String(line.dropFirst(prefix.count).prefix { $0.isLetter || $0.isNumber })
        }
        try #require(members.count > 10)
        return members
    }

    /// Whether code under a folder reads `owner.member`, or hands the member of `$0` over.
    private static func isRead(_ member: String, from owner: String, under folder: String) -> Bool {
        let word = BannedWord(word: "\(owner).\(member)", insteadUse: "")
        let files = SourceTree.swiftFiles.filter { $0.path.hasPrefix(folder) }
        return files.contains { file in
            file.code.contains { line in
                guard word.isIn(line) else { return false }
                // Setting it is no reading.
                return !line.contains("\(owner).\(member) = ")
            }
        }
    }
}

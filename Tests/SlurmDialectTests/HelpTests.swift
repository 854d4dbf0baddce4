import Testing
import WireFormats

@testable import SlurmDialect

@Suite("Help, and what is made from it")
struct HelpTests {
    private func lines(_ command: Help.Command) -> [String] {
        Help.output(command, .usage, name: command.names[0]).lines
    }

    @Test("No line is wider than a terminal of 80 columns", arguments: Help.Command.allCases)
    func width(command: Help.Command) {
        for line in lines(command) { #expect(line.count <= 80, "\(line)") }
    }

    @Test("Under Slurm's names --usage is Slurm's", arguments: ["090", "091", "092", "093", "094"])
    func synopses(number: String) throws {
        let entry = try Transcript("01_idle")[number]
        let command = try #require(Help.Command(named: entry.program))
        #expect(Help.output(command, .synopsis, name: try entry.program).lines == entry.lines)
        let own = Help.output(command, .synopsis, name: command.names[0]).lines
        #expect(own == lines(command))
    }

    @Test("Names of one meaning share a line")
    func names() {
        #expect(lines(.submit).contains("  -D, --chdir, --workdir=FOLDER"))
        #expect(lines(.accounting).contains("  -u, --uid, --user=A,B       jobs of these users"))
        #expect(lines(.submit).contains { $0.hasPrefix("  -a, --array=0-15:4%2 ") })
    }

    @Test("Every option of every table is told", arguments: Help.Command.allCases)
    func options(command: Help.Command) throws {
        let text = lines(command).joined(separator: "\n")
        let page = try page(command)
        let arguments = try page.objects("arguments")
        // These take a job or a file, and have no table.
        let bare: Set<Help.Command> = [.efficiency, .attach, .diagnostics, .broadcast, .trigger]
        #expect(arguments.isEmpty == bare.contains(command))
        if command == .submit {
            for spec in SubmitOption.table.specs { #expect(text.contains("--\(spec.long)")) }
        }
        for argument in arguments {
            let about = try argument.string("abstract")
            #expect(!about.isEmpty)
            #expect(try argument.string("kind") == "flag" || !argument.string("valueName").isEmpty)
        }
    }

    @Test("The dump names each command by all its names, and the variables that set options")
    func dump() throws {
        #expect(Help.Command(named: "yhq") == .queue)
        #expect(Help.Command(named: "yhx") == nil)
        let page = try page(.queue)
        #expect(try page.string("abstract") == "Lists jobs that wait or run.")
        let variables = try page.objects("arguments").map { try $0.string("environment") }
        #expect(variables.contains("SQUEUE_FORMAT"))
    }

    private func page(_ command: Help.Command) throws -> JSONValue {
        let pages = try JSONValue(parsing: Help.dump).objects("commands")
        return try #require(
            try pages.first { try $0.string("commandName") == command.names[0] }
        )
    }
}

extension JSONValue {
    private func member(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    fileprivate func objects(_ name: String) throws -> [JSONValue] {
        guard case .array(let values)? = member(name) else { return [] }
        return values
    }

    fileprivate func string(_ name: String) throws -> String {
        guard case .string(let text)? = member(name) else { return "" }
        return text
    }
}

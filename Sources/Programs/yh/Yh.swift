import Glibc
import IndexSets
import LocalClient
import SlurmDialect

/// Tianhe's and Slurm's commands, in one program that looks at the name by which it is called.
@main
struct Yh {
    /// A command: what runs it, given its name in messages and its arguments.
    typealias Command = (String, [String]) throws(CommandFailure) -> Int32

    static func main() {
        var arguments = CommandLine.arguments
        let path = arguments.isEmpty ? "yh" : arguments.removeFirst()
        var name = path.split(separator: "/").last.map(String.init) ?? "yh"
        if command(name) == nil, let word = arguments.first {
            // `yh queue -l` and `yh yhqueue -l` are other ways to write `yhqueue -l`.
            let inner = command(word) == nil ? "yh" + word : word
            if command(inner) != nil {
                name = inner
                arguments.removeFirst()
            }
        }
        guard let command = command(name) else {
            switch arguments.first {
            case "--help", "-h", "help":
                exit(finish(CommandOutput(lines: usage)))
            case "--dump-help":
                exit(finish(CommandOutput(lines: [Help.dump])))
            case "--version", "-V":
                exit(finish(CommandOutput(lines: [dialectVersion(of: name)])))
            case let word:
                let errors = word.map { [unknown($0)] } ?? []
                exit(finish(CommandOutput(errors: errors + usage, exitCode: 1)))
            }
        }
        CentreCalendar.$session.withValue(Host.calendar()) { () -> Void in
            do throws(CommandFailure) {
                exit(try command(name, arguments))
            } catch {
                Host.print(error.lines(for: name), to: 2)
                exit(error.exitCode)
            }
        }
    }

    private static func command(_ name: String) -> Command? {
        if let standIn = standIn(name) { return standIn }
        return switch Help.Command(named: name) {
        case .submit: submit
        case .queue: queue
        case .nodes: nodes
        case .cancel: cancel
        case .accounting: accounting
        case .control: control
        case .run: run
        case .allocate: allocate
        case .priorities: priorities
        case .shares: shares
        case .accountManager: accountManager
        case .report: report
        case .stepStatistics: stepStatistics
        case .efficiency: efficiency
        case .diagnostics: diagnostics
        case .attach: attach
        case .broadcast: broadcast
        case .trigger: trigger
        case nil: nil
        }
    }

    private static func unknown(_ word: String) -> String {
        let hint = didYouMean(word, among: Help.Command.allCases.flatMap(\.words))
        return "yh: error: there is no command '\(word)'\(hint)"
    }

    private static let usage: [String] = {
        let words = Help.Command.allCases.map { $0.words.last ?? "" }.sorted()
        let names = Help.Command.allCases.flatMap(\.names).sorted()
        return ["Usage: yh COMMAND [ARGUMENTS...]", "COMMAND is one of:"] + rows(words)
            + ["The program may also be called by these names:"] + rows(names)
    }()

    private static func rows(_ words: [String]) -> [String] {
        stride(from: 0, to: words.count, by: 6).map { index in
            "  " + words[index..<min(index + 6, words.count)].joined(separator: ", ")
        }
    }

    /// Prints what a command has to say, and gives its exit status.
    static func finish(_ output: CommandOutput) -> Int32 {
        Host.print(output.lines)
        Host.print(output.errors, to: 2)
        return output.exitCode
    }

    /// Asks the daemon. A failure is told as `NAME: error: …`.
    static func ask<Answer>(
        _ name: String,
        _ question: (LocalClient) throws(LocalClientFailure) -> Answer
    ) throws(CommandFailure) -> Answer {
        do throws(LocalClientFailure) {
            return try question(LocalClient())
        } catch {
            throw .error(name, error.description)
        }
    }

    /// Lists once, or again and again with an empty line after each listing.
    static func iterate(
        every seconds: Int?,
        _ listing: () throws(CommandFailure) -> Int32
    ) throws(CommandFailure) -> Int32 {
        guard let seconds else { return try listing() }
        while true {
            _ = try listing()
            Host.print([""])
            sleep(UInt32(clamping: seconds))
        }
    }
}

import Catalog
import ClusterModel
import Foundation
import IndexSets
import LiveRuntime
import TraceFiles
import WorkloadFormats
import WorkloadModels

/// What `--load` names: the mix of Tianjin, the file of another mix, or a log.
enum LoadReading {
    private static let mix = "tianjin"
    /// A load has whole weeks, and begins anew.
    private static let days = 7
    /// The most jobs of a log: those of ten years of a busy centre.
    private static let jobMaximum = 10_000_000

    static func choice(_ word: String, seed: UInt64) -> LoadChoice {
        let isPath = word != mix && !word.hasPrefix("/")
        let folder = FileManager.default.currentDirectoryPath
        return LoadChoice(source: isPath ? "\(folder)/\(word)" : word, seed: seed)
    }

    static func load(
        _ choice: LoadChoice,
        _ machine: Machine
    ) throws(LoadProblem) -> BackgroundLoad {
        let mix: LoadMix
        if choice.source == self.mix {
            mix = .tianjin
        } else if MixReader.isPath(choice.source) {
            mix = try self.mix(at: choice.source)
        } else {
            let log = try log(at: choice.source)
            return try BackgroundLoad(choice, log, countedIn: .cores, on: machine)
        }
        // Its jobs hold whole nodes, of those that are not really here.
        var nodes = IDSet()
        for partition in machine.partitions
        where partition.backend != .local && partition.sharing == .wholeNode {
            nodes.formUnion(partition.nodes)
        }
        let count = nodes.isEmpty ? machine.nodes.count : nodes.count
        guard mix.jobsPerDay(on: count) * days <= jobMaximum else {
            throw LoadProblem(
                "--load: \(choice.source): more than \(jobMaximum) jobs a week on \(count) nodes"
            )
        }
        let sample = MixModel(mix, seed: choice.seed, days: days, nodeCount: count).sample()
        return try BackgroundLoad(choice, sample.trace, countedIn: .nodes, on: machine)
    }

    private static func mix(at path: String) throws(LoadProblem) -> LoadMix {
        do {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return try MixReader.mix(text: text, file: path)
        } catch let refusal as FileRefusal {
            throw LoadProblem("--load: \(refusal)")
        } catch {
            throw LoadProblem("--load: \(path): cannot be read, or is no UTF-8")
        }
    }

    private static func log(at path: String) throws(LoadProblem) -> Trace {
        guard FileManager.default.fileExists(atPath: path) else {
            let word = (path as NSString).lastPathComponent
            throw LoadProblem(
                "--load: '\(path)' is no file, and not \(mix)\(didYouMean(word, among: [mix]))"
            )
        }
        let trace: Trace
        do {
            trace = try TraceFile.log(at: path, LogReader())
        } catch let row as MalformedRow {
            let field = row.field > 0 ? ": field \(row.field)" : ""
            throw LoadProblem("--load: \(path):\(row.line)\(field): \(row.problem)")
        } catch {
            throw LoadProblem("--load: \(error)")
        }
        guard trace.jobs.count <= jobMaximum else {
            throw LoadProblem("--load: \(path): more than \(jobMaximum) jobs")
        }
        return trace
    }
}

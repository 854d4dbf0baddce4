public import ClusterModel
import Dispatch
import Foundation
import JobExecution
public import Logging
public import Persistence
public import Quantities
import Synchronization
public import WireFormats

/// What a centre is opened with.
public struct CentreSettings: Sendable {
    /// The folder with the journal; made when absent.
    public var stateFolder: String
    /// The machine and the policy of a new centre. One that exists goes on with its own.
    public var rules: CentreRules
    /// Whether that machine was asked for: a centre that exists is refused then if it has another,
    /// and takes over the customers.
    public var isMachineGiven = true
    /// Whether that policy was asked for: a centre that exists is refused then if it has another.
    public var isPolicyGiven = true
    /// The prices to bring into force; nil for those in force, and at first the machine's.
    public var tariff: NamedText?
    /// The subsidy rules to bring into force; empty for those in force, and at first the default.
    public var subsidyRules: [NamedText] = []
    /// How time passes.
    public var timeMode = TimeMode.real
    /// Where the time of a new scaled or stepped centre begins; nil for the wall's time.
    public var start: SimInstant?
    /// The path of `xinghe-step`.
    public var stepProgram: String
    /// The time between SIGTERM and SIGKILL. Unit: ms.
    public var killWaitMilliseconds: UInt32 = 30_000
    /// Whether a node that an operator sets DOWN registers again at once, and comes back: `ReturnToService=2`.
    public var nodesReturn = false
    /// Where scripts of rehearsed partitions find the centre.
    public var socketPath = ""
    /// How much processor time such a script may take beyond what its pauses last. Unit: ms.
    public var rehearsalWaitMilliseconds: UInt32 = 10_000
    /// How much of the disk such a script leaves free where it runs. Unit: byte.
    public var rehearsalFreeBytes: UInt64 = 256 << 20
    /// Whether the output file of an emulated job gets the line that says so.
    public var writesEmulatedOutput = false
    /// The most that the journal may take; nil for what the disk gives.
    public var sizeLimit: ByteCount?
    /// How many inputs come between two images of the state; a journal that is shorter is handled again whole
    /// when the centre is opened.
    public var imageInterval: Int64 = 4_000
    /// Where the folder comes from, when it is not the one in which its centre was.
    public var origin = CentreStore.Origin.same
    /// The background load to bring into force; nil for the one that the centre has.
    public var load: LoadChoice?
    /// Reads a load for a machine.
    public var readLoad: @Sendable (LoadChoice, Machine) throws(LoadProblem) -> BackgroundLoad = {
        choice,
        _ throws(LoadProblem) in
        throw LoadProblem("--load: nobody reads '\(choice.source)' here")
    }
    /// What users do not see of others.
    public var privateData: Set<PrivateData> = []
    /// What is taken in at most.
    public var limits = CentreLimits()
    /// The daemon's version.
    public var version = ""
    /// Where the centre logs.
    public var logger = Logger(label: "xinghed")

    /// Makes settings; what is left out has the usual value.
    public init(stateFolder: String, rules: CentreRules, stepProgram: String) {
        self.stateFolder = stateFolder
        self.rules = rules
        self.stepProgram = stepProgram
    }

    /// Takes the state folder, so that no other daemon opens the centre.
    ///
    /// - Throws: `OpenFailure` when another has it, or it cannot be made.
    public func takeFolder() throws(OpenFailure) -> StateFolder {
        do throws(PersistenceFailure) {
            return try StateFolder(path: stateFolder)
        } catch {
            throw .store(error)
        }
    }
}

/// Why a centre cannot be opened.
public enum OpenFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The state folder does not do its part, or another daemon has it, or it is damaged.
    case store(PersistenceFailure)
    /// The machine asked for is not the one that the state folder belongs to.
    case otherMachine(folder: String, machine: String, differences: [String])
    /// The policy asked for is not the one that the state folder belongs to.
    case otherPolicy(folder: String, stored: String, asked: String)
    /// A state folder of an earlier version is of another machine or policy than the one asked for; what
    /// differs cannot be told.
    case otherFingerprint(folder: String, machine: String, policy: String)
    /// A state folder of an earlier version does not hold its machine, and none was given.
    case machineMissing(folder: String)
    /// The customers in the machine's file cannot come into force.
    case customers(String)
    /// The policy cannot decide for the machine.
    case unfitPolicy(String)
    /// The journal replays to another state than the one recorded.
    ///
    /// - Parameter writer: the version of the daemon that had the folder open last; nil when nobody said.
    case digestDiffers(batch: Int64, writer: String? = nil)
    /// The journal ends before the records that were made from it.
    case journalCut(lastBatch: Int64, recordedBatch: Int64)
    /// A ledger entry is not the one that the journal gives.
    case ledgerDiffers(entry: Int, id: String)
    /// What follows from the journal was written, and is gone.
    case rowMissing(String)
    /// A tariff or rule cannot come into force.
    case terms(String)
    /// The background load cannot be had.
    case load(String)
    /// Real jobs cannot be run.
    case execution(String)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .store(let failure) where failure.kind == .copied:
            "\(failure). If it was moved, and the other is gone, --origin moved goes on with it; --origin"
                + " copy makes another centre of it, which leaves what runs to the other"
        case .store(let failure) where failure.kind == .lost:
            "\(failure). Nothing was opened, and nothing changed: restore the file, or a backup ('xinghe"
                + " restore'), or go on without what is missing ('xinghe repair --accept-loss')"
        case .store(let failure): failure.description
        case .otherMachine(let folder, let machine, let differences):
            "the machine given is not the one that state folder \(folder) was opened with"
                + " ('\(machine)'): " + Self.list(differences)
                + "; leave --machine out to go on with that one, or choose another --state"
        case .otherPolicy(let folder, let stored, let asked):
            "state folder \(folder) belongs to a centre with policy '\(stored)', not '\(asked)';"
                + " leave --policy out to go on with that one, or choose another --state"
        case .otherFingerprint(let folder, let machine, let policy):
            "state folder \(folder), of an earlier version, belongs to a centre with machine"
                + " '\(machine)' as it was defined then (with the cores and memory of the host) and"
                + " policy '\(policy)'; open it with those, or choose another --state"
        case .machineMissing(let folder):
            "state folder \(folder), of an earlier version, does not hold its machine; give"
                + " --machine"
        case .customers(let problem): problem
        case .unfitPolicy(let problem): problem
        case .digestDiffers(let batch, let writer):
            "the journal is damaged, or another version wrote it"
                + (writer.map { " (xinghed \($0) had it open last)" } ?? "")
                + ": replaying batch \(batch) gives another state than the one recorded"
        case .journalCut(let last, let recorded):
            "the journal is damaged: it ends with batch \(last), but records of batch \(recorded)"
                + " exist"
        case .ledgerDiffers(let entry, let id):
            "the ledger is damaged: entry \(entry) (\(id)) is not the one that the journal gives"
        case .rowMissing(let row): "the state folder is damaged: \(row) is missing"
        case .terms(let problem), .load(let problem): problem
        case .execution(let problem): "real jobs cannot be run: \(problem)"
        }
    }

    /// The first few of a list.
    private static func list(_ differences: [String]) -> String {
        let shown = differences.prefix(4).joined(separator: "; ")
        let rest = differences.count - 4
        return rest > 0 ? "\(shown); and \(rest) more" : shown
    }
}

/// Why a request was not done.
public struct RequestFailure: Error, Hashable, Sendable {
    /// The HTTP status: 4xx for what the caller can mend, 5xx for what the centre cannot do.
    public var status: Int
    /// What the client is told.
    public var body: ErrorBody

    /// Makes a failure.
    public init(status: Int, body: ErrorBody) {
        self.status = status
        self.body = body
    }
}

/// A centre at one instant, for readers.
struct CentreSnapshot: Sendable {
    var state: CentreState
    /// Records that are not in the store yet.
    var unstored: [JobRow]
    /// How many jobs of the background load fit no partition; nil where there is no load.
    var loadDropped: Int?
    /// When the next thing happens by itself.
    var nextTimer: SimInstant?
}

/// An open centre: many may ask, one thread writes.
public final class Centre: Sendable {
    /// What the writing thread is asked for.
    enum Letter: Sendable {
        /// Inputs, prepared on the writing thread when their turn comes, and who waits for them.
        case act(
            @Sendable (CentreState) -> Result<[LiveInput], RequestFailure>,
            @Sendable (Result<[InputResult], RequestFailure>) -> Void
        )
        /// A submission; its number is given on the writing thread.
        indirect case submit(SubmitInput, @Sendable (Result<[InputResult], RequestFailure>) -> Void)
        case exited(JobExecutor.Run, StepOutcome, RunMeasurement)
        /// The supervisor of a rehearsed run has said something.
        case heard(JobExecutor.Run, String)
        case signal([UInt32], number: Int32, isForShellOnly: Bool)
        case signalStep(UInt32, restart: Int32, StepSignal)
        case snapshot(@Sendable (CentreSnapshot) -> Void)
        /// Moves the clock on, if that is still for whoever asks when its turn comes.
        case advance(
            ClockAdvanceRequest,
            @Sendable (CentreState) -> Rights,
            AdvanceAnswer
        )
        case archive(ArchiveStep, ArchiveAnswer)
        case shutdown(@Sendable () -> Void)
        case abandon(@Sendable () -> Void)
    }

    let settings: CentreSettings
    let clock: CentreClock
    let reader: CentreReader
    let mailbox: Mailbox<Letter>
    /// The centre's time when this daemon opened it.
    let openedAt: SimInstant
    /// Who started the centre, as slurm.conf(5) says it: asked for once, for a directory service may be slow.
    let slurmUser: String
    /// The number of the last batch; readers compare it with what they have.
    let version: Version
    /// The machine with its customers of now.
    let machine: MachineInForce
    let published = Mutex<(version: Int, snapshot: CentreSnapshot)?>(nil)
    let executor: JobExecutor
    /// Whether somebody has asked for an archive, which is being made.
    let archives = Atomic<Bool>(false)

    /// Counts changes of the state.
    final class Version: Sendable {
        let value = Atomic<Int>(0)
    }

    private struct Opened: Sendable {
        var clock: CentreClock
        var reader: CentreReader
        var rules: CentreRules
    }

    /// Opens a centre: takes the state folder and the state after its journal, finds running jobs again, and
    /// starts the writing thread. Blocks until the centre is ready.
    ///
    /// - Throws: `OpenFailure`; nothing is running then.
    public convenience init(_ settings: CentreSettings) throws(OpenFailure) {
        try self.init(settings, in: settings.takeFolder())
    }

    /// Opens a centre whose state folder was taken before.
    ///
    /// - Throws: `OpenFailure`; nothing is running then.
    public init(_ settings: CentreSettings, in folder: StateFolder) throws(OpenFailure) {
        let mailbox = Mailbox<Letter>()
        let version = Version()
        let answer = Mutex<Result<Opened, OpenFailure>?>(nil)
        let ready = DispatchSemaphore(value: 0)
        let executor = try Self.executor(settings)
        // SQLite and process control block, so the writer has a thread of its own.
        let thread = Thread {
            do throws(OpenFailure) {
                let loop = try WriterLoop(settings, folder, mailbox, version, executor)
                answer.withLock {
                    $0 = .success(
                        Opened(clock: loop.clock, reader: loop.reader, rules: loop.rules)
                    )
                }
                ready.signal()
                loop.run()
            } catch {
                folder.release()
                answer.withLock { $0 = .failure(error) }
                ready.signal()
            }
        }
        thread.name = "xinghe-writer"
        thread.stackSize = 8 << 20
        thread.start()
        ready.wait()
        guard let answer = answer.withLock({ $0 }) else {
            preconditionFailure("the writing thread said nothing")
        }
        let opened = try answer.get()
        var settings = settings
        settings.rules = opened.rules
        machine = MachineInForce(opened.rules.machine)
        self.settings = settings
        self.mailbox = mailbox
        self.version = version
        self.executor = executor
        clock = opened.clock
        reader = opened.reader
        openedAt = opened.clock.now
        slurmUser = "\(UserNames.user(getuid()))(\(getuid()))"
        let watcher = Thread {
            executor.reportEnds(onMessage: { mailbox.post(.heard($0, $1)) }) { run, outcome in
                // What a job measured may be long: neither who writes nor other jobs wait for it.
                DispatchQueue.global().async {
                    let measurement = RunMeasurement(outcome, executor.folder(of: run))
                    mailbox.post(.exited(run, outcome, measurement))
                }
            }
        }
        watcher.name = "xinghe-watcher"
        watcher.start()
        proveArchive()
    }

    private static func executor(
        _ settings: CentreSettings
    ) throws(OpenFailure) -> JobExecutor {
        do throws(ExecutionFailure) {
            return try JobExecutor(
                stepProgram: settings.stepProgram,
                root: settings.stateFolder + "/jobs"
            )
        } catch {
            throw .execution(error.description)
        }
    }

    /// Closes the centre. Real jobs are ended first and accounted for as cancelled; everything
    /// acknowledged is on disk when this returns.
    public func close() async {
        await withCheckedContinuation { continuation in
            mailbox.post(.shutdown { continuation.resume() })
        }
        executor.stop()
    }

    /// Lets go of a centre that cannot be served: real jobs run on, and the next daemon finds them
    /// again, as after a kill.
    public func abandon() async {
        await withCheckedContinuation { continuation in
            mailbox.post(.abandon { continuation.resume() })
        }
        executor.stop()
    }
}

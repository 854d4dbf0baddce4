import Glibc
import JobExecution
import Quantities
import WireFormats

/// What a run took, by its supervisor and by the programs in it.
///
/// The file is the job's: a line that the protocol does not have, or that the run cannot have
/// measured, is in no sum. docs/measure.md has every bound.
struct RunMeasurement: Sendable {
    private(set) var run = MeasuredRun()
    /// What was passed over, for the log; nil when nothing was.
    private(set) var complaint: String?

    /// How many lines are kept as steps.
    static let stepMaximum = 100

    init(_ outcome: StepOutcome, _ folder: StepFolder) {
        run.wall = SimDuration(microseconds: outcome.wallMicroseconds)
        run.processorTime = SimDuration(microseconds: outcome.cpuMicroseconds)
        run.largestResident = ByteCount(outcome.largestResidentKibibytes << 10)
        // How long a lost run ran, nobody knows: nothing bounds what it may have measured.
        guard !outcome.isLost, let held = folder.startedSpecification else { return }
        var limits = MeasurementLimits(held, wall: run.wall)
        var (lineNumber, passedOver) = (0, Int64(0))
        do throws(ExecutionFailure) {
            let unread = try folder.forEachMeasuredLine { bytes in
                lineNumber += 1
                do throws(JSONValue.Malformed) {
                    add(try limits.admit(bytes))
                } catch {
                    passedOver += 1
                    guard complaint == nil else { return }
                    complaint = "line \(lineNumber): \(error.problem)"
                }
            }
            guard passedOver > 0 || unread > 0 else { return }
            var work = run.reported ?? MeasuredWork()
            if passedOver > 0 { work.linesPassedOver = passedOver }
            if unread > 0 { work.unread = ByteCount(Int64(unread)) }
            run.reported = work
            let lines = complaint.map { "\(passedOver) of \(lineNumber) lines; the first is \($0)" }
            let end = unread > 0 ? "the last \(unread) bytes" : nil
            complaint =
                "passed over in its measurement file: "
                + [end, lines].compactMap(\.self).joined(separator: " and ")
        } catch {
            complaint = "its measurement file cannot be read: \(error)"
        }
    }

    private mutating func add(_ line: MeasuredLine) {
        var work = run.reported ?? MeasuredWork()
        work.add(line)
        run.reported = work
        if run.kernels.count < Self.stepMaximum { run.kernels.append(JSONLine(json: line.step)) }
        // The limits keep the sum in range.
        if line.isVerified, let flop = line.flop {
            run.verifiedFlop = (run.verifiedFlop ?? 0) + flop
        }
    }
}

/// What the programs of a run can have measured at most, by the time that it ran and what it held.
struct MeasurementLimits {
    /// Operations in a second on a hardware thread. AMX does 2,048 on 8-bit numbers in a cycle,
    /// which makes 8 × 10¹² at 4 GHz.
    static let flopOfThread: Int64 = 10_000_000_000_000
    /// Operations in a second on a card: a B200 does 20 × 10¹⁵ on 4-bit numbers.
    static let flopOfCard: Int64 = 20_000_000_000_000_000
    /// Power of the node, of each of its hardware threads and of each card. Unit: W.
    ///
    /// Counters are those of the whole node, and programs at the same time all report it.
    static let watts: (node: Int64, thread: Int64, card: Int64) = (1_000, 100, 2_000)
    /// Ranks for each hardware thread.
    static let ranksOfThread: Int64 = 1_024

    private let seconds: SimDuration
    private let ranks: Int64
    private var flopLeft: Int64
    private var millijoulesLeft: Int64
    private var cardTimeLeft: Int64

    /// The limits of a run that took `wall`.
    init(_ held: StepSpecification, wall: SimDuration) {
        let threads = max(1, Int64(sysconf(Int32(_SC_NPROCESSORS_CONF))))
        let own = held.processingUnits.isEmpty ? threads : Int64(held.processingUnits.count)
        let cards = Int64(held.cardCount)
        // The clocks of supervisor and program are read at different moments.
        seconds = wall + SimDuration(seconds: 1)
        ranks = own * Self.ranksOfThread
        let time = Int128(seconds.microseconds)
        let rate = Int128(own * Self.flopOfThread) + Int128(cards) * Int128(Self.flopOfCard)
        flopLeft = Int64(clamping: rate * time / 1_000_000)
        let watts = Self.watts.node + threads * Self.watts.thread + cards * Self.watts.card
        millijoulesLeft = Int64(clamping: Int128(watts) * time / 1_000)
        // With a driver such as pocl the processor is a card, and nobody holds that.
        cardTimeLeft = Int64(clamping: Int128(max(1, cards)) * time)
    }

    /// Reads a line and takes what it says off what is left.
    ///
    /// - Throws: `Malformed` with what is wrong with it.
    mutating func admit(_ bytes: ArraySlice<UInt8>?) throws(JSONValue.Malformed) -> MeasuredLine {
        guard let bytes else {
            throw over("it is not finished, or longer than \(StepFolder.measuredLineMaximum) bytes")
        }
        let line = try MeasuredLine(json: JSONValue(parsing: Array(bytes)))
        guard line.seconds <= seconds else { throw over("\"seconds\" is more than the run took") }
        guard line.ranks <= ranks else { throw over("\"ranks\" is more than \(ranks)") }
        let flop = flopLeft - (line.flop ?? 0)
        guard flop >= 0 else { throw over("\"flop\" is more than the run can have done") }
        let energy = millijoulesLeft - (line.energyMillijoules ?? 0)
        guard energy >= 0 else { throw over("\"energy_joule\" is more than it can have taken") }
        let cardTime = cardTimeLeft - (line.cardTime?.microseconds ?? 0)
        guard cardTime >= 0 else {
            throw over("\"card_seconds\" is more than cards can have worked")
        }
        (flopLeft, millijoulesLeft, cardTimeLeft) = (flop, energy, cardTime)
        return line
    }

    private func over(_ problem: String) -> JSONValue.Malformed {
        JSONValue.Malformed(line: 0, problem: problem)
    }
}

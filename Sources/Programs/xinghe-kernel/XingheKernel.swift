import ArgumentParser
import ComputeKernels
import Glibc
import MessagePassing
import Prediction
import WireFormats

/// The MPI program that `mpirun` starts: one kernel, one run, one line of JSON from rank 0.
///
/// Exit codes: 0 verified; 1 the answer is wrong; 64 the request makes no sense here, said once by
/// rank 0; 70 MPI failed.
@main
struct XingheKernel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xinghe-kernel",
        abstract: "Run a compute kernel, verify its answer, print one line of JSON.",
        discussion: """
            Alone it is one rank; under mpirun as many as mpirun starts:
              mpirun -np 2 xinghe-kernel cg --size medium
            As root, Open MPI wants OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1.
            The line is also reported to the file or folder that XINGHE_MEASURE names.
            """,
        version: Version.text
    )

    @Argument(help: "The kernel; --list shows all.")
    var kernel: String?

    @Flag(help: "List the kernels with their sizes and how each verifies itself.")
    var list = false

    @Option(help: "small, medium, large, or extents such as 64 or 64x64x32.")
    var size = "small"

    @Option(help: "Repeat until the timed part has taken this many seconds.")
    var seconds: Double?

    @Option(name: .customLong("repeat"), help: "Repeat the timed part at least so often.")
    var repeats = 1

    @Option(help: "Threads a rank.")
    var threads = 1

    @Flag(help: "Let ranks share cores when there are more ranks than cores.")
    var oversubscribe = false

    @Option(help: ArgumentHelp("Write the answer in NumPy's format.", valueName: "file.npy"))
    var dump: String?

    @Option(
        help: ArgumentHelp(
            "Compute on a card through OpenCL: the first one, or number N of 'clinfo -l'.",
            valueName: "opencl[:N]"
        )
    )
    var device: String?

    func run() throws {
        guard !list else { return printList() }
        let request = try checkedRequest()
        BlasCore.correct()
        if MPIEnvironment.launchRank == 0, let warning = BlasCore.inUse.warning {
            complain("warning: \(warning)")
        }
        let world: Communicator
        do {
            world = try MPIEnvironment.start(yieldsWhenIdle: oversubscribe)
        } catch {
            complain("\(error)")
            throw ExitCode(70)
        }
        do {
            let measurement = try request.run(on: world)
            if world.isRoot { publish(measurement) }
            try? MPIEnvironment.finish()
            if !measurement.isVerified { throw ExitCode(1) }
        } catch KernelFailure.messagePassing(let failure) {
            // This rank alone may have met it, so the others must not be waited for.
            complain("rank \(world.rank): \(failure)")
            MPIEnvironment.abort(code: 70)
        } catch let failure as KernelFailure {
            if world.isRoot { complain("\(failure)") }
            try? MPIEnvironment.finish()
            throw ExitCode.validationFailure
        }
    }

    /// What is asked for, refused here if it can be refused without starting MPI.
    private func checkedRequest() throws -> KernelRequest {
        guard let kernel else { throw ValidationError("name a kernel; --list shows all") }
        guard repeats >= 1 else { throw ValidationError("--repeat \(repeats): at least 1") }
        guard threads >= 1 else { throw ValidationError("--threads \(threads): at least 1") }
        if let seconds, !(seconds > 0 && seconds <= 31_536_000) {
            throw ValidationError("--seconds \(seconds): more than 0 and at most a year")
        }
        let card = device.flatMap(CardChoice.init)
        if let device, card == nil {
            throw ValidationError("--device '\(device)': opencl, or opencl:N with N up to 65535")
        }
        let request = KernelRequest(
            kernel: kernel,
            size: size,
            seconds: seconds,
            repeats: repeats,
            threads: threads,
            sharesCores: oversubscribe,
            answerPath: dump,
            card: card
        )
        do {
            try request.validate()
        } catch {
            guard MPIEnvironment.launchRank == 0 else { throw ValidationError("\(error)") }
            complain("\(error)")
            throw ExitCode.validationFailure
        }
        return request
    }

    private func publish(_ measurement: Measurement) {
        let line = measurement.json.compactText
        print(line)
        fflush(nil)
        if !measurement.isVerified { complain("\(kernel ?? ""): the answer is wrong") }
        do {
            try MeasurementFile.report(line)
        } catch {
            complain("the measurement is not reported: \(error)")
        }
    }

    private func printList() {
        guard MPIEnvironment.launchRank == 0 else { return }
        for profile in KernelCatalogue.profiles {
            let sizes = profile.form.namedSizes.map(extentsText)
            print("\(profile.name)  \(profile.title)")
            print("    size      \(profile.form.sizeMeaning)")
            print("    named     small \(sizes[0]), medium \(sizes[1]), large \(sizes[2])")
            print("    verified  \(profile.criterion)")
            if KernelCatalogue.runsOnCards(profile.name) { print("    cards     opencl") }
        }
    }

    /// Parses and runs, and speaks of bad input on one rank only.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            // Before MPI has started, the others leave as if all were well: mpirun ends rank 0 as
            // soon as any rank fails, maybe before it has said why.
            if MPIEnvironment.launchRank != 0, !(error is ExitCode) { Glibc.exit(0) }
            exit(withError: error)
        }
    }
}

private func complain(_ text: String) {
    let bytes = Array("xinghe-kernel: \(text)\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}

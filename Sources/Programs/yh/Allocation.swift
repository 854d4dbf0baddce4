import Glibc
import IndexSets
import LocalClient
import Quantities
import SlurmDialect
import WireFormats

/// An allocation that a command got for itself, and gives back.
struct Allocation {
    let job: UInt32
    let environment: JobEnvironment

    /// Asks for nodes and waits until they are given.
    ///
    /// - Throws: `CommandFailure` when they are refused, or the job ended while it waited.
    init(
        _ command: inout SubmitCommand,
        name: String,
        isQuiet: Bool
    ) throws(CommandFailure) {
        try Yh.fillIn(&command, name: name)
        let response: SubmitResponse
        do throws(LocalClientFailure) {
            response = try LocalClient().post(
                "/v1/jobs",
                command.request,
                as: SubmitResponse.self
            )
        } catch {
            guard case .refused(_, let body) = error else {
                throw .error(name, error.description)
            }
            throw command.allocationFailure(body)
        }
        job = response.jobID
        Yh.tell(of: response, name: name, isQuiet: isQuiet || command.isQuiet)
        // Whoever interrupts a command that holds nodes, or waits for them, gives them back.
        ReceivedSignals.watch([SIGINT, SIGTERM, SIGHUP])
        try Self.wait(for: job, name: name, isQuiet: isQuiet || command.isQuiet, command)
        let job = job
        environment = try Yh.ask(name) { client throws(LocalClientFailure) in
            try client.get("/v1/jobs/\(job)/environment", as: JobEnvironment.self)
        }
    }

    private static func wait(
        for job: UInt32,
        name: String,
        isQuiet: Bool,
        _ command: SubmitCommand
    ) throws(CommandFailure) {
        var pause: UInt32 = 10_000
        var hasWaited = false
        while true {
            let list = try Yh.ask(name) { client throws(LocalClientFailure) in
                try client.get("/v1/jobs?ended=1&id=\(job)", as: JobList.self)
            }
            guard let info = list.jobs.first else {
                throw command.allocationFailure(SlurmError.invalidJobID.body())
            }
            if info.state == "RUNNING" { break }
            if JobStates.hasEnded(info.state) {
                if command.request.immediate != nil {
                    throw command.allocationFailure(SlurmError.nodesBusy.body())
                }
                throw .error(name, "Job allocation \(job) has been revoked.")
            }
            if !hasWaited, !isQuiet {
                let closed = ["Partition", "Job's account"]
                if closed.contains(where: { info.reason.hasPrefix($0) }) {
                    Host.print(
                        ["\(name): Requested partition configuration not available now"],
                        to: 2
                    )
                }
                Host.print(["\(name): job \(job) queued and waiting for resources"], to: 2)
            }
            hasWaited = true
            usleep(pause)
            if let number = ReceivedSignals.next?.number {
                var request = CancelRequest()
                request.jobs = [JobSelector(jobID: job)]
                _ = try? LocalClient().post("/v1/cancel", request, as: ActionResponse.self)
                throw .error(
                    name,
                    "Job allocation \(job) has been revoked.",
                    exitCode: ExitStatus.signalled + number
                )
            }
            pause = min(pause * 2, 500_000)
        }
        if hasWaited, !isQuiet {
            Host.print(["\(name): job \(job) has been allocated resources"], to: 2)
        }
    }

    /// Gives it back; one that has ended is gone already.
    func complete(_ end: CompleteRequest) {
        _ = try? LocalClient().post("/v1/jobs/\(job)/complete", end, as: ActionResponse.self)
    }
}

/// The nodes that a job finds in its environment.
enum JobNodes {
    /// The names in a host list; nil when there is none.
    static func expand(_ list: String?) -> [String]? {
        guard let list, let names = try? HostList.expand(list), !names.isEmpty else { return nil }
        return names
    }

    /// The numbers of `2(x3),1`.
    static func counts(_ text: String?) -> [Int] {
        (text ?? "").split(separator: ",").flatMap { part -> [Int] in
            let sides = part.split(separator: "(", maxSplits: 1)
            guard let count = sides.first.flatMap({ Int($0) }), count > 0 else { return [] }
            let times = sides.count > 1 ? Int(sides[1].filter(\.isNumber)) ?? 1 : 1
            return Array(repeating: count, count: min(max(times, 1), 65_536))
        }
    }
}

/// A step of a job of the centre, or of components of one, from its begin to its end. A centre that cannot be
/// asked keeps no step from running.
struct StepTale {
    let id: String
    /// The jobs or components that it is a step of, each with its tasks.
    private var parts: [(job: UInt32, tasks: Range<Int>)] = []

    /// - Parameter job: the job around it; nil for none.
    init?(job: UInt32?, _ tasks: StepTasks) {
        var id: String?
        for (job, own) in tasks.parts(of: job) {
            var request = StepRequest()
            let word = tasks.command.words[0]
            request.number = id.flatMap { UInt32($0) }
            request.name = word.split(separator: "/").last.map(String.init) ?? word
            request.tasks = Int32(clamping: own.count)
            request.cores = Int64(own.count)
            let used = Set(tasks.layout.nodeOfTask[own]).sorted()
            request.nodeList = HostList.compress(used.map { tasks.layout.nodes[$0] })
            request.process = getpid()
            let response = try? LocalClient().post(
                "/v1/jobs/\(job)/steps",
                request,
                as: StepResponse.self
            )
            guard let response else { continue }
            id = id ?? response.id
            parts.append((job, own))
        }
        guard let id else { return nil }
        self.id = id
    }

    /// - Parameter end: that of the whole step, where those of tasks are not known.
    func end(_ end: CompleteRequest, _ tasks: StepTasks) {
        for (job, own) in parts {
            let known = tasks.end(of: own)
            let usage = tasks.usage(of: own)
            var request = StepRequest()
            request.id = id
            request.isCancelled = tasks.isCancelled
            request.exitCode = (known ?? end).exitCode
            request.exitSignal = (known ?? end).exitSignal
            request.processorTime = SimDuration(microseconds: usage.microseconds)
            request.maximumResident = ByteCount(usage.resident << 10)
            _ = try? LocalClient().post("/v1/jobs/\(job)/steps", request, as: StepResponse.self)
        }
    }
}

extension Yh {
    /// `yhalloc`, `salloc`: nodes, and a command or a shell that has them.
    static func allocate(name: String, arguments: [String]) throws(CommandFailure) -> Int32 {
        let command = try AllocateCommand(
            program: name,
            arguments: arguments,
            variable: Host.variable
        )
        if let information = command.information {
            return finish(Help.output(.allocate, information, name: name))
        }
        var wanted = command.allocation
        if let warning = wanted.fitNodesToTasks() {
            Host.print(["\(name): Warning: \(warning)"], to: 2)
        }
        let isQuiet = wanted.isQuiet
        let allocation = try Allocation(&wanted, name: name, isQuiet: isQuiet)
        func say(_ text: String) {
            if !isQuiet { Host.print(["\(name): \(text)"], to: 2) }
        }
        say("Granted job allocation \(allocation.job)")
        guard !command.isWithoutShell else { return 0 }
        let shell = Host.variable("SHELL") ?? "/bin/sh"
        let words = command.words.isEmpty ? [shell] : command.words
        let own = AllocateCommand.variables(allocation.environment.variables)
        let names = Set(own.map { $0.prefix { $0 != "=" } })
        let others = Host.environment().filter { !names.contains($0.prefix { $0 != "=" }) }
        // A shell is left as by whoever goes away from its terminal.
        let signal = command.killSignal ?? (command.words.isEmpty ? SIGHUP : SIGTERM)
        let (end, revocation) = spawn(words, others + own, name, in: allocation.job) { revocation in
            let job = allocation.job
            switch revocation {
            case .timeLimit:
                say("Job \(job) has exceeded its time limit and its allocation has been revoked.")
            case .other: say("Job allocation \(job) has been revoked.")
            }
            return signal
        }
        if revocation == nil {
            allocation.complete(end)
            say("Relinquishing job allocation \(allocation.job)")
            if end.exitCode != 0 || end.exitSignal != 0 {
                say("Job allocation \(allocation.job) has been revoked.")
            }
        }
        return end.exitSignal == 0 ? end.exitCode : ExitStatus.signalled + end.exitSignal
    }

    /// Runs a command in an allocation.
    ///
    /// - Parameter onRevocation: told when the allocation is gone before the command is; gives the signal that
    ///   the command is sent then.
    private static func spawn(
        _ words: [String],
        _ environment: [String],
        _ name: String,
        in job: UInt32,
        _ onRevocation: (JobWatch.End) -> Int32
    ) -> (end: CompleteRequest, revocation: JobWatch.End?) {
        var end = CompleteRequest()
        var watch = JobWatch(job)
        var revocation: JobWatch.End?
        let bell = ReceivedSignals.wakeAtEnds()
        var process: pid_t = 0
        var arguments = words.map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        errno = posix_spawnp(&process, words[0], nil, nil, &arguments, &variables)
        guard errno == 0 else {
            Host.print(
                [
                    "\(name): error: Unable to exec command \"\(words[0])\": \(String(cString: strerror(errno)))"
                ],
                to: 2
            )
            end.exitCode = ExitStatus.notExecuted
            return (end, nil)
        }
        var status: Int32 = 0
        while waitpid(process, &status, WNOHANG) == 0 {
            // A terminal's interrupt is the command's own affair.
            if let number = ReceivedSignals.next?.number, number != SIGINT { kill(process, number) }
            if revocation == nil, let end = watch.end() {
                revocation = end
                kill(process, onRevocation(end))
            }
            var ring = pollfd(fd: bell, events: Int16(POLLIN), revents: 0)
            if poll(&ring, 1, 50) > 0 { ReceivedSignals.hush() }
        }
        end.exitSignal = status & 0x7F
        end.exitCode = end.exitSignal == 0 ? (status >> 8) & 0xFF : 0
        return (end, revocation)
    }
}

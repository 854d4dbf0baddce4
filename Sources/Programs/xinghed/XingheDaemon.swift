import ArgumentParser
import Catalog
import ClusterModel
import Foundation
import HTTPService
import HardwareTopology
import LiveRuntime
import Logging
import Persistence
import Quantities
import Scheduling
import ServiceLifecycle
import UnixSignals
import WireFormats

/// The daemon of a centre.
@main
struct XingheDaemon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xinghed",
        abstract: "Keep an emulated supercomputing centre open.",
        discussion: """
            Usually started by `xinghe up`. It runs in the foreground, logs to standard error and \
            closes the centre on SIGINT, SIGTERM or `xinghe down`: real jobs are cancelled and \
            accounted for, emulated ones go on when the centre is opened again. Killed otherwise, \
            it loses nothing that it acknowledged. SIGHUP opens the log anew and brings the customers of \
            the machine's file into force; SIGUSR1 and SIGUSR2 do nothing.

            A centre of root serves all users of the computer; the centre of any other user serves \
            that user only.
            """,
        version: Version.text
    )

    @OptionGroup var options: CentreOptions

    /// On the first thread, and before there is a second: what sets a daemon apart is a thread's own, and
    /// those that it starts have it from it.
    @MainActor
    static func main() async {
        do {
            var command = try parseAsRoot()
            guard let daemon = command as? XingheDaemon else { return try command.run() }
            do throws(CentreOptions.Problem) {
                try daemon.options.seclude()
            } catch {
                throw fail(error.text)
            }
            try await daemon.run()
        } catch {
            exit(withError: error)
        }
    }

    func validate() throws {
        do throws(OpeningWords.Problem) {
            _ = try options.words()
        } catch {
            throw ValidationError(error.description)
        }
    }

    func run() async throws {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "xinghed")
        do {
            logger.logLevel = try options.level()
            try options.log.map { LogFile(path: $0) }?.open()
            try await serve(logger)
        } catch let error as CentreOptions.Problem {
            throw Self.fail(error.text)
        } catch let error as OpenFailure {
            throw Self.fail(error.description)
        } catch let error as SocketFailure {
            throw Self.fail(error.description)
        } catch let error as TokenFailure {
            throw Self.fail(error.description)
        }
    }

    private static func fail(_ text: String) -> ExitCode {
        FileHandle.standardError.write(Data("xinghed: error: \(text)\n".utf8))
        return .failure
    }

    private func serve(_ logger: Logger) async throws {
        // A client that hangs up must not end the daemon.
        for number in [SIGPIPE, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
        let manager = ServiceManager.takeSocket()
        let settings = try options.settings(logger)
        // The folder is taken before the socket is touched: who has the one has the other. And the
        // centre, which launches jobs, is not opened for a socket that cannot be served.
        let folder = try settings.takeFolder()
        _ = try SocketServer(path: options.socketPath)
        // From here on, since opening may take a while, and this must not end it.
        let hangUps = await UnixSignalsSequence(trapping: .sighup)
        var door: NetworkDoor?
        if let address = try options.listenAddress() {
            let file = options.tokenKey ?? settings.stateFolder + "/jwt.key"
            door = NetworkDoor(address, key: try await TokenKey(file: file))
            if !address.isLoopback {
                logger.warning(
                    """
                    \(address) is served without TLS: whoever is on the way reads tokens; listen on 127.0.0.1 \
                    and let a proxy with TLS come in there
                    """
                )
            }
        }
        let centre = try Centre(settings, in: folder)
        settings.timeMode.note(in: settings.stateFolder)
        let stop = AsyncStream.makeStream(of: Void.self)
        let socket: SocketServer
        do {
            // Somebody may have come while the journal was replayed.
            socket = try SocketServer(path: options.socketPath)
        } catch {
            await centre.abandon()
            throw error
        }
        let service = CentreGlue(centre: centre, logger: logger) { stop.continuation.finish() }
        let application = socket.application(for: service, door: door, logger: quiet(logger)) {
            let status = await centre.status()
            logger.notice(
                "open: \(status.machine), \(status.nodes) nodes, time \(status.timeMode), \(socket.path)"
            )
            ServiceManager.tell("READY=1", at: manager)
        }
        var served: [any Service] = [application]
        if let door {
            served.append(
                door.application(for: service, logger: quiet(logger)) {
                    logger.notice("listening on \(door.address)")
                }
            )
        }
        var services = ServiceGroupConfiguration(
            services: served.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet(logger)
        )
        // Whoever has not sent a whole request by then must not keep real jobs from being ended.
        services.maximumGracefulShutdownDuration = .seconds(5)
        let group = ServiceGroup(configuration: services)
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for await _ in stop.stream {}
                    await group.triggerGracefulShutdown()
                }
                tasks.addTask {
                    for await _ in hangUps { await reload(centre, logger) }
                }
                // Returns once the requests under way are answered, also the one to close.
                try await group.run()
                tasks.cancelAll()
            }
        } catch {
            // Nobody asked to close it. The socket may be somebody else's; a dead one is taken over.
            await centre.abandon()
            throw error
        }
        logger.notice("closing")
        ServiceManager.tell("STOPPING=1", at: manager)
        await centre.close()
        socket.remove()
        logger.notice("closed")
    }

    /// Opens the log anew, and brings the customers of the machine's file into force.
    private func reload(_ centre: Centre, _ logger: Logger) async {
        do {
            try options.log.map { LogFile(path: $0) }?.open()
            guard options.machine != nil else { return logger.notice("SIGHUP: the log is open") }
            let changed = try await centre.takeOver(customersOf: options.loadMachine())
            logger.notice(
                "SIGHUP: the customers are \(changed ? "those of the file now" : "as before")"
            )
        } catch let error as CentreOptions.Problem {
            logger.error("SIGHUP: \(error.text)")
        } catch let error as RequestFailure {
            logger.error("SIGHUP: \(error.body.text)")
        } catch {
            logger.error("SIGHUP: \(error)")
        }
    }

    /// The libraries' own messages are for those who debug them.
    private func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = .critical
        return quiet
    }
}

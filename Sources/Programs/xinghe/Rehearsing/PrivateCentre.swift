import Foundation
import LocalClient
import WireFormats

/// A centre of one's own that lasts as long as this object: a daemon in stepped time, on a state folder
/// that goes with it.
///
/// A class, since its end is an act.
final class PrivateCentre {
    let client: LocalClient
    /// How it was when it had been opened.
    private(set) var opening = CentreStatus()
    private let folder: String
    private let process = Process()
    /// The daemon ends when nobody holds it any more, however this program may end.
    private let life = Pipe()
    private let leftover: Leftover

    /// Opens one, and waits until it answers.
    ///
    /// - Parameters:
    ///   - arguments: further options of `xinghed`.
    ///   - rehearses: whether scripts run; else their jobs are emulated.
    ///   - covered: folders that stay as they are, whatever scripts write below them.
    ///   - patience: how long it, and each of its answers, may take; by default a day, since a day of many
    ///     scripts is one request. Unit: s.
    /// - Throws: what the daemon had to say when it ended at once.
    init(
        _ arguments: [String],
        rehearses: Bool = true,
        covering covered: [String] = [],
        patience: Int = 86_400
    ) throws {
        folder = try Self.makeFolder()
        client = LocalClient(socketPath: folder + "/s", timeoutSeconds: patience)
        let log = folder + "/log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        process.executableURL = URL(fileURLWithPath: Programs.path("xinghed"))
        process.arguments =
            [
                "--state", folder + "/state", "--socket", folder + "/s", "--time", "stepped",
                "--private", folder,
            ]
            + (rehearses ? ["--rehearse"] : []) + covered.flatMap { ["--cover", $0] } + arguments
        // Another daemon that is started meanwhile must not hold it.
        _ = fcntl(life.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        process.standardInput = life.fileHandleForReading
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: log)
        do {
            try process.run()
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            throw Refusal("xinghed: \(error)")
        }
        leftover = Leftover { [pid = process.processIdentifier, folder] in
            Self.end(pid, folder)
        }
        let end = ContinuousClock.now + .seconds(patience)
        while true {
            if let status = try? client.get("/v1/status", as: CentreStatus.self) {
                opening = status
                break
            }
            guard ContinuousClock.now < end else {
                throw Refusal("the private centre was not open after \(patience) s")
            }
            guard process.isRunning else {
                let text = String(
                    decoding: FileManager.default.contents(atPath: log) ?? Data(),
                    as: UTF8.self
                )
                try? FileManager.default.removeItem(atPath: folder)
                let lines = text.split(separator: "\n").filter { $0.hasPrefix("xinghed: error: ") }
                throw Refusal(lines.last.map { String($0.dropFirst(16)) } ?? text)
            }
            usleep(5_000)
        }
    }

    deinit {
        // Not both at once: when a signal is ending the program, this waits for ever.
        leftover.forget()
        Self.end(process.isRunning ? process.processIdentifier : nil, folder)
    }

    /// What scripts say of themselves, by the names that their authors know them by: a centre's own copy is in
    /// a folder of another name each time.
    func naming(scripts names: [UInt32: String], in text: String) -> String {
        let parts = text.components(separatedBy: folder + "/state/jobs/")
        return parts.dropFirst().reduce(parts[0]) { told, part in
            let run = part.prefix { $0.isNumber || $0 == "." }
            let file = "/slurm_script"
            guard part.dropFirst(run.count).hasPrefix(file),
                let name = run.split(separator: ".").first.flatMap({ UInt32($0) }).flatMap({
                    names[$0]
                })
            else { return told + folder + "/state/jobs/" + part }
            return told + name + part.dropFirst(run.count + file.count)
        }
    }

    /// Killed, not closed: nothing of it is to be kept, and its scripts end with it.
    private static func end(_ pid: pid_t?, _ folder: String) {
        if let pid {
            kill(pid, SIGKILL)
            // There until somebody has asked how it ended, which Foundation does.
            for _ in 0..<400 where kill(pid, 0) == 0 { usleep(5_000) }
        }
        // Supervisors that are ending too may write until they have.
        for _ in 0..<400 {
            try? FileManager.default.removeItem(atPath: folder)
            guard FileManager.default.fileExists(atPath: folder) else { return }
            usleep(5_000)
        }
    }

    private static func makeFolder() throws -> String {
        let place = FileManager.default.temporaryDirectory
            .appendingPathComponent("xinghe-rehearsal-XXXXXX").path
        var template = Array(place.utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Refusal("\(place): \(String(cString: strerror(errno)))")
        }
        return String(decoding: template.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
    }
}

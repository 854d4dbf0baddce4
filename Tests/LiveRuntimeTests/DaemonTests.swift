import Foundation
import HTTPService
import JobExecution
import LocalClient
import Quantities
import Synchronization
import TestSupport
import Testing
import WireFormats

@Suite("xinghed", .serialized)
struct DaemonTests {
    @Test("Killed while clients submit, it has every job that it acknowledged, and no number twice")
    func kill9LosesNothing() throws {
        let folder = try ScratchFolder()
        let daemon = try Daemon(folder, ["--time", "x3600"])
        let acknowledged = Mutex<[UInt32]>([])
        for round in 0..<4 {
            let isOver = Atomic<Bool>(false)
            let path = daemon.socket
            let clients = (0..<3).map { client in
                let thread = Thread {
                    let local = LocalClient(socketPath: path)
                    while !isOver.load(ordering: .relaxed) {
                        let request = SmallCentre.request {
                            $0.name = "r\(round)c\(client)"
                            $0.comment = "runtime=100"
                        }
                        guard
                            let id = try? local.post(
                                "/v1/jobs",
                                request,
                                as: SubmitResponse.self
                            ).jobID
                        else { continue }
                        acknowledged.withLock { $0.append(id) }
                    }
                }
                thread.start()
                return thread
            }
            let before = acknowledged.withLock { $0.count }
            #expect(eventually { acknowledged.withLock { $0.count } > before + 60 + 17 * round })
            daemon.kill9()
            isOver.store(true, ordering: .relaxed)
            #expect(eventually { clients.allSatisfy(\.isFinished) })
            try daemon.start()
            let known = try daemon.client.get("/v1/accounting", as: AccountingList.self).records
            let ids = acknowledged.withLock { $0 }
            let missing = Set(ids).subtracting(known.map(\.jobID))
            #expect(missing.isEmpty, "round \(round): lost \(missing.sorted())")
            #expect(Set(ids).count == ids.count, "round \(round): a number was given twice")
            let next = try daemon.submit(SmallCentre.request())
            #expect(next > (known.map(\.jobID).max() ?? 0))
            acknowledged.withLock { $0.append(next) }
        }
    }

    @Test("A second daemon on the folder, and one on the socket, are refused by name")
    func secondDaemon() throws {
        let folder = try ScratchFolder()
        let daemon = try Daemon(folder)
        let (status, text) = try Daemon.failing(folder)
        #expect(status == 1)
        #expect(text.contains("another xinghed (process \(daemon.process.processIdentifier))"))
        let other = try ScratchFolder()
        let (second, message) = try Daemon.failing(other, ["--socket", daemon.socket])
        #expect(second == 1)
        #expect(message.contains("another xinghed listens on \(daemon.socket)"), "\(message)")
        #expect(try daemon.jobs().isEmpty)
    }

    @Test("A daemon whose socket cannot be served leaves the real jobs of its centre alone")
    func unservedSocket() throws {
        let folder = try ScratchFolder()
        let daemon = try Daemon(folder)
        let script =
            "#!/bin/sh\ntouch \(folder.path)/on\nwhile [ ! -e \(folder.path)/go ]; do sleep 0.05; done\n"
        let id = try daemon.submit(SmallCentre.request(script) { $0.partitions = ["host"] })
        #expect(eventually { FileManager.default.fileExists(atPath: folder.path + "/on") })
        daemon.kill9()
        let other = try Daemon(ScratchFolder())
        for socket in [other.socket, "/" + String(repeating: "s", count: 107)] {
            let (status, text) = try Daemon.failing(folder, ["--socket", socket])
            #expect(status == 1, "\(text)")
            #expect(!text.contains("cancelled"), "\(text)")
        }
        #expect(try other.jobs().isEmpty)
        try daemon.start()
        #expect(try daemon.record(id).state == "RUNNING")
        try Data().write(to: URL(fileURLWithPath: folder.path + "/go"))
        #expect(try daemon.ended(id).state == "COMPLETED")
    }

    @Test("A dead daemon's socket is taken over; a file that is no socket is left alone")
    func staleSocket() throws {
        let folder = try ScratchFolder()
        let daemon = try Daemon(folder)
        daemon.kill9()
        #expect(FileManager.default.fileExists(atPath: daemon.socket))
        try daemon.start()
        #expect(try daemon.jobs().isEmpty)
        daemon.process.terminate()
        daemon.process.waitUntilExit()
        #expect(daemon.process.terminationStatus == 0)
        #expect(!FileManager.default.fileExists(atPath: daemon.socket))
        try Data("mine".utf8).write(to: URL(fileURLWithPath: daemon.socket))
        let (status, text) = try Daemon.failing(folder)
        #expect(status == 1)
        #expect(text.contains("exists and is not a socket"), "\(text)")
        #expect(folder.text("s") == "mine")
    }

    @Test(
        "What it cannot open is refused with one line and status 1 or 64",
        arguments: [
            (["--machine", "nosuch"], "nosuch"), (["--time", "fast"], "--time: 'fast'"),
            (["--policy", "magic"], "--policy: 'magic'"), (["--start", "soon"], "--start: 'soon'"),
            (["--start", "2026-11-01"], "--start: real time begins now"),
            (["--machine", "/no/such.yaml"], "/no/such.yaml"),
        ]
    )
    func badArguments(arguments: [String], part: String) throws {
        let (status, text) = try Daemon.failing(ScratchFolder(), arguments)
        #expect(status == 1 || status == 64)
        #expect(text.contains(part), "\(text)")
    }

    @Test("A real job runs on when the daemon is killed, and its exit code is accounted for")
    func realJobSurvives() throws {
        let folder = try ScratchFolder()
        let daemon = try Daemon(folder)
        let script =
            "#!/bin/sh\ntouch \(folder.path)/on\nwhile [ ! -e \(folder.path)/go ]; do sleep 0.05; done\nexit 7\n"
        let request = SmallCentre.request(script) { $0.partitions = ["host"] }
        let running = try daemon.submit(request)
        #expect(eventually { FileManager.default.fileExists(atPath: folder.path + "/on") })
        daemon.kill9()
        try daemon.start()
        #expect(try daemon.record(running).state == "RUNNING")
        daemon.kill9()
        // It ends while no daemon runs.
        try Data().write(to: URL(fileURLWithPath: folder.path + "/go"))
        let status = folder.path + "/state/jobs/\(running).0/status"
        #expect(
            eventually { folder.text("state/jobs/\(running).0/status").contains("ended") },
            "\(status)"
        )
        try daemon.start()
        let record = try daemon.ended(running)
        #expect(record.state == "FAILED")
        #expect(record.exitCode == 7)
        #expect(record.elapsed > .zero)
    }

    @Test("A requeued job begins when its old run is gone, also when the daemon dies meanwhile")
    func requeueSurvives() throws {
        let folder = try ScratchFolder()
        let daemon = try Daemon(folder)
        let script = """
            #!/bin/sh
            trap '' TERM
            cd \(folder.path)
            [ -e pid ] && kill -0 $(cat pid) 2>/dev/null && echo overlap >> log
            echo $$ > pid
            echo on >> log
            [ "$SLURM_RESTART_COUNT" ] && exit 0
            while :; do sleep 0.05; done

            """
        let id = try daemon.submit(SmallCentre.request(script) { $0.partitions = ["host"] })
        #expect(eventually { folder.text("log") == "on\n" })
        _ = try daemon.client.post(
            "/v1/jobs/\(id)/requeue",
            JobActionRequest(),
            as: ActionResponse.self
        )
        daemon.kill9()
        try daemon.start()
        let record = try daemon.ended(id)
        #expect(record.state == "COMPLETED")
        #expect(record.restarts >= 1)
        #expect(folder.text("log") == "on\non\n")
    }

    @Test("Closing cancels real jobs, accounts for them, and leaves no process and no file behind")
    func closing() throws {
        let folder = try ScratchFolder()
        let daemon = try Daemon(folder)
        let script = "#!/bin/sh\nsetsid sleep 321 &\necho $! > \(folder.path)/child\nsleep 321\n"
        let id = try daemon.submit(SmallCentre.request(script) { $0.partitions = ["host"] })
        #expect(eventually { folder.text("child").hasSuffix("\n") })
        let child = try #require(Int32(folder.text("child").dropLast()))
        _ = try daemon.client.post("/v1/shutdown", ActionResponse(), as: ActionResponse.self)
        daemon.process.waitUntilExit()
        #expect(daemon.process.terminationStatus == 0)
        #expect(ProcessIdentity(running: child) == nil)
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/state/jobs")
        #expect(left.isEmpty)
        try daemon.start()
        #expect(try daemon.record(id).state == "CANCELLED")
        // As in Slurm the batch step has the signal, not the job.
        #expect(try daemon.record(id).exitSignal == 0)
        #expect(try daemon.record(id).steps.first?.exitSignal == SIGTERM)
    }

    @Test("A client with half a request keeps no daemon from closing, and submits nothing")
    func halfRequest() throws {
        let folder = try ScratchFolder()
        let daemon = try Daemon(folder)
        let line = SmallCentre.request { $0.isHeld = true }.json.compactText
        let halves = try [
            "Content-Length: 9999\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n999\r\n",
        ]
        .map { ending in
            let half = try RawConnection(daemon.socket)
            half.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(half.receive(until: "ok\n").hasPrefix("HTTP/1.1 200"))
            half.send("POST /v1/jobs/batch HTTP/1.1\r\nHost: x\r\n\(ending)\(line)\n")
            return half
        }
        #expect(try daemon.jobs().isEmpty)
        daemon.process.terminate()
        #expect(eventually(within: 60) { !daemon.process.isRunning })
        #expect(daemon.process.terminationStatus == 0)
        withExtendedLifetime(halves) {}
        try daemon.start()
        #expect(try daemon.jobs().isEmpty)
    }

    @Test("Many submissions go in one request, one a line, and bad lines are named")
    func batch() throws {
        let daemon = try Daemon(ScratchFolder(), ["--time", "stepped"])
        let line = SmallCentre.request { $0.isHeld = true }.json.compactText
        let body = Array(String(repeating: line + "\n", count: 2_000).utf8)
        let answer = try daemon.client.send("POST", "/v1/jobs/batch", body: body)
        let ids = try answer.split(separator: 0x0A).map {
            try SubmitResponse(parsing: Array($0)).jobID
        }
        #expect(ids.count == 2_000)
        #expect(ids == Array(1...2_000))
        do throws(LocalClientFailure) {
            _ = try daemon.client.send("POST", "/v1/jobs/batch", body: Array((line + "\n\n{").utf8))
            Issue.record("a torn line was taken")
        } catch {
            guard case .refused(let status, let body) = error else { throw error }
            #expect(status == 400)
            #expect(body.text.hasPrefix("line 3: "))
        }
    }

    @Test("Malformed requests are refused with what is wrong in them")
    func malformed() throws {
        let daemon = try Daemon(ScratchFolder())
        for (target, body, expected, part) in [
            ("/v1/jobs", "{\"script\": 5}", 400, "\"script\""),
            ("/v1/jobs", "{\n\n]", 400, "line 3"),
            ("/v1/jobs", "{}", 400, "\"script\" is missing"),
            ("/v1/cancel", "[]", 400, "an object expected"),
            ("/v1/nosuch", "{}", 404, "there is no route POST /v1/nosuch"),
        ] {
            do throws(LocalClientFailure) {
                _ = try daemon.client.send("POST", target, body: Array(body.utf8))
                Issue.record("\(body) was taken")
            } catch {
                guard case .refused(let status, let refusal) = error else { throw error }
                #expect(status == expected)
                #expect(refusal.text.contains(part), "\(refusal.text)")
            }
        }
        #expect(try daemon.jobs().isEmpty)
    }

    @Test(
        "Users change their own jobs only; operating is for operators",
        .enabled(if: getuid() == 0)
    )
    func otherUser() throws {
        let folder = try ScratchFolder()
        chmod(folder.path, 0o755)
        let daemon = try Daemon(folder)
        let mine = try daemon.submit(SmallCentre.request { $0.isHeld = true })
        func nobody(_ target: String, _ body: String) throws -> String {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
            process.arguments = [
                "--reuid", "65534", "--regid", "65534", "--clear-groups", "curl", "-s",
                "--unix-socket", daemon.socket, "-d", body, "http://localhost" + target,
            ]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let bytes = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
            process.waitUntilExit()
            return String(decoding: bytes, as: UTF8.self)
        }
        let denied = "Access/permission denied"
        #expect(try nobody("/v1/cancel", "{\"jobs\":[{\"job_id\":\(mine)}]}").contains(denied))
        // Slurm's words about updates of others' jobs, which a release is too.
        let other = "Invalid user id"
        #expect(try nobody("/v1/jobs/\(mine)/release", "{}").contains(other))
        #expect(try nobody("/v1/jobs/\(mine)/update", "{\"name\":\"stolen\"}").contains(other))
        let drain = "{\"nodes\":\"cn0001\",\"state\":\"DRAIN\",\"reason\":\"x\"}"
        #expect(try nobody("/v1/nodes/update", drain).contains(denied))
        #expect(
            try nobody("/v1/partitions/update", "{\"name\":\"TH_NET\",\"state\":\"DOWN\"}")
                .contains(denied)
        )
        #expect(try nobody("/v1/shutdown", "{}").contains(denied))
        #expect(try nobody("/v1/clock/advance", "{\"duration\":1}").contains(denied))
        #expect(try daemon.jobs().first?.state == "PENDING")
        #expect(try daemon.jobs().first?.name == "job")

        // A user's own job runs as that user, whoever it claims to be.
        let script = "#!/bin/sh\\nid -u\\n"
        let theirs = try nobody(
            "/v1/jobs",
            "{\"script\":\"\(script)\",\"user\":\"root\",\"uid\":0,\"partitions\":[\"host\"],"
                + "\"std_out\":\"/tmp/xinghe-nobody-%j.out\",\"environment\":[\"PATH=/usr/bin:/bin\"]}"
        )
        let id = try SubmitResponse(parsing: Array(theirs.utf8)).jobID
        let record = try daemon.ended(id)
        #expect(record.userID == 65_534)
        #expect(record.state == "COMPLETED")
        let output = "/tmp/xinghe-nobody-\(id).out"
        defer { try? FileManager.default.removeItem(atPath: output) }
        let text = FileManager.default.contents(atPath: output).map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(text == "65534\n")
    }
}

import Foundation
import LocalClient
import TestSupport
import Testing
import WireFormats

@testable import HTTPService

@Suite("A centre on the network")
struct NetworkTests {
    @Test("Whoever shows no token, or one that is not good, learns nothing and changes nothing")
    func tokens() throws {
        let centre = try NetworkCentre()
        let parts = centre.token.split(separator: ".").map(String.init)
        let none = Data("{\"alg\":\"none\",\"typ\":\"JWT\"}".utf8).base64EncodedString()
            .replacingOccurrences(of: "=", with: "")
        let turned = String(parts[2].reversed())
        let bad: [[String: String]] = [
            [:],
            ["Authorization": "Bearer"],
            ["Authorization": "Basic \(centre.token)"],
            ["Authorization": "Bearer \(parts[0]).\(parts[1])."],
            ["Authorization": "Bearer \(none).\(parts[1])."],
            ["Authorization": "Bearer \(parts[0]).\(parts[1]).\(turned)"],
            ["Authorization": "Bearer \(centre.token)", "X-SLURM-USER-NAME": "nobody"],
        ]
        for fields in bad {
            for line in ["GET /v1/jobs", "GET /metrics", "GET /v1/events", "POST /v1/cancel"] {
                let answer = try centre.ask(line, fields, body: "{}")
                #expect(answer.status == 401, "\(line) \(fields)")
                #expect(answer.body.contains("\"code\":\"unauthorized\""), "\(answer.body)")
            }
        }
        for fields in [centre.bearer, ["X-SLURM-USER-TOKEN": centre.token]] {
            #expect(try centre.ask("GET /v1/jobs", fields).status == 200)
        }
    }

    @Test("A token ends when its time is over")
    func lifespan() throws {
        let centre = try NetworkCentre()
        var request = TokenRequest()
        request.lifespan = 1
        let short = try centre.daemon.client.post("/v1/token", request, as: TokenResponse.self)
        let fields = ["Authorization": "Bearer \(short.token)"]
        let isOver = eventually { (try? centre.ask("GET /v1/status", fields))?.status == 401 }
        #expect(isOver)
        #expect(try centre.ask("GET /v1/status", fields).body.contains("time is over"))
        for lifespan in [0, -1, Int64.max] {
            request.lifespan = lifespan
            #expect(throws: (any Error).self) {
                try centre.daemon.client.post("/v1/token", request, as: TokenResponse.self)
            }
        }
    }

    @Test(
        "A job that is submitted over the network is its token's user's, and is told to listeners"
    )
    func submission() throws {
        let centre = try NetworkCentre()
        let listener = try RawConnection(port: centre.port)
        listener.send(
            "GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(centre.token)\r\n\r\n"
        )
        #expect(listener.receive(until: ": listening").contains("text/event-stream"))
        let answer = try centre.ask(
            "POST /v1/jobs",
            centre.bearer,
            body: SmallCentre.request().json.compactText
        )
        #expect(answer.status == 200, "\(answer.body)")
        let told = listener.receive(until: "\"job_id\":1,")
        #expect(told.contains("event: job\n"), "\(told)")
        let job = try #require(try centre.daemon.jobs().first)
        #expect(job.userID == getuid())
        // Who listens does not keep the centre open.
        centre.daemon.process.terminate()
        centre.daemon.process.waitUntilExit()
        #expect(centre.daemon.process.terminationStatus == 0)
    }

    @Test(
        "The key is made for its owner alone; one that others may read, or a short one, is refused"
    )
    func keys() throws {
        let centre = try NetworkCentre()
        let made = centre.daemon.folder.path + "/state/jwt.key"
        let facts = try FileManager.default.attributesOfItem(atPath: made)
        #expect(facts[.posixPermissions] as? Int == 0o600)
        #expect(facts[.size] as? Int == 32)
        let folder = try ScratchFolder()
        let file = folder.path + "/key"
        for (text, mode, words) in [
            (String(repeating: "k", count: 40), 0o644, "chmod 600"), ("short", 0o600, "32 bytes"),
        ] {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            chmod(file, mode_t(mode))
            let (status, said) = try Daemon.failing(folder, ["--listen", "0", "--token-key", file])
            #expect(status == 1)
            #expect(said.contains(words), "\(said)")
        }
    }

    @Test(
        "Whoever comes back with a number that there is not is told to read all anew",
        arguments: ["9223372036854775807", "5"]
    )
    func lastEvents(number: String) throws {
        let centre = try NetworkCentre()
        let listener = try RawConnection(port: centre.port)
        listener.send(
            "GET /v1/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: \(number)\r\n"
                + "Authorization: Bearer \(centre.token)\r\n\r\n"
        )
        #expect(listener.receive(until: "event: reset").contains("event: reset"))
        #expect(try centre.ask("GET /v1/status", centre.bearer).status == 200)
    }

    @Test("A centre that does not listen says so when it is asked for a token")
    func closed() throws {
        let daemon = try Daemon(ScratchFolder(), ["--time", "stepped"])
        let failure = #expect(throws: (any Error).self) {
            try daemon.client.post("/v1/token", TokenRequest(), as: TokenResponse.self)
        }
        #expect("\(failure.map { "\($0)" } ?? "")".contains("--listen"))
    }

    @Test(
        "Addresses",
        arguments: [
            ("6820", "127.0.0.1:6820"), (":6820", "127.0.0.1:6820"), ("10.0.0.1:1", "10.0.0.1:1"),
            ("[::1]:6820", "[::1]:6820"), ("node-1.local:0", "node-1.local:0"),
        ]
    )
    func addresses(text: String, meant: String) {
        #expect(ListenAddress(text)?.description == meant)
    }

    @Test("Which addresses only this computer reaches")
    func loopback() {
        for text in ["6820", "127.0.0.1:1", "127.9.8.7:1", "localhost:1", "[::1]:1"] {
            #expect(ListenAddress(text)?.isLoopback == true, "\(text)")
        }
        for text in ["0.0.0.0:1", "192.0.2.7:1", "127.example.org:1", "[::]:1", "127.0.0.1.x.y:1"] {
            #expect(ListenAddress(text)?.isLoopback == false, "\(text)")
        }
    }

    @Test(
        "What is no address",
        arguments: [
            "", ":", "x", "65536", "-1", "+1", "::1:6820", "a b:1", "[]:1", "http://x:1", "１",
        ]
    )
    func wrongAddresses(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test("Metrics are Prometheus's text: each series is announced once and told once")
    func metrics() throws {
        let centre = try NetworkCentre()
        _ = try centre.daemon.submit(SmallCentre.request())
        let answer = try centre.ask("GET /metrics", centre.bearer)
        #expect(answer.head.lowercased().contains("text/plain; version=0.0.4"))
        var announced: Set<Substring> = []
        var told: Set<Substring> = []
        for line in answer.body.split(separator: "\n") {
            if line.hasPrefix("# HELP ") { continue }
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                #expect(announced.insert(words[2]).inserted, "\(line)")
                #expect(["gauge", "counter"].contains(words[3]), "\(line)")
                #expect(
                    (words[3] == "counter") == words[2].hasSuffix("_total")
                        || words[2].hasPrefix("slurm_")
                )
                continue
            }
            let cut = try #require(line.lastIndex(of: " "))
            #expect(Int64(line[line.index(after: cut)...]) != nil, "\(line)")
            #expect(told.insert(line[..<cut]).inserted, "\(line)")
            let name = line.prefix { $0 != "{" && $0 != " " }
            #expect(announced.contains(name), "\(line)")
        }
        #expect(answer.body.contains("\nslurm_queue_running 1\n"))
        #expect(answer.body.contains("slurm_partition_jobs_running{partition="))
    }

    @Test("The page's files are all there, ask for nothing else, and hold no inline script")
    func page() throws {
        let centre = try NetworkCentre()
        let index = try centre.ask("GET /")
        #expect(index.status == 200)
        #expect(index.head.contains("default-src 'none'"))
        var wanted = ["/page/page.css", "/page/main.js"]
        #expect(wanted.allSatisfy(index.body.contains))
        #expect(!index.body.contains("<script>") && !index.body.contains(" style="))
        var seen: Set<String> = []
        while let path = wanted.popLast() {
            guard seen.insert(path).inserted else { continue }
            let file = try centre.ask("GET \(path)")
            #expect(file.status == 200, "\(path)")
            #expect(!file.body.contains("innerHTML") && !file.body.contains("https://"), "\(path)")
            for found in file.body.matches(of: /from "\.\/([a-z]+\.js)"/) {
                wanted.append("/page/\(found.1)")
            }
        }
        #expect(seen.count == 11)
        #expect(try centre.ask("GET /page/../main.js").status != 200)
        #expect(try centre.ask("GET /page/none.js").status == 404)
    }

    @Test("The map has a letter for each node, and blocks that cover them")
    func map() throws {
        let centre = try NetworkCentre()
        let map = try centre.daemon.client.get("/v1/map?names=1", as: CentreMap.self)
        let names = try #require(map.names)
        let blocks = try #require(map.blocks)
        #expect(map.uses.count == names.count)
        #expect(blocks.reduce(0) { $0 + Int($1.count) } == names.count)
        #expect(zip(blocks, blocks.dropFirst()).allSatisfy { $0.first + $0.count == $1.first })
        _ = try centre.daemon.submit(SmallCentre.request())
        let busy = try centre.daemon.client.get("/v1/map", as: CentreMap.self)
        #expect(busy.uses.contains { "ma".contains($0) })
        let census = try centre.daemon.client.get("/v1/census", as: CentreCensus.self)
        #expect(census.nodes.reduce(0) { $0 + $1.count } == Int64(names.count))
        #expect(census.jobs.map(\.state) == ["RUNNING"])
    }
}

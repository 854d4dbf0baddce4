import Foundation
import Testing

/// `xinghe compare` as its users run it.
@Suite("xinghe compare, the program")
struct CompareProgramTests {
    private static func log(_ count: Int) -> String {
        var text = "; MaxProcs: 10\n; Acknowledge: <someone> & others\n; UnixStartTime: 843000000\n"
        for id in 1...count {
            let (size, run) = (1 + id * 7 % 9, 10 + id * 13 % 400)
            text += "\(id) \(id * 20) -1 \(run) \(size) -1 -1 \(size) \(run + 60) "
            text += "-1 1 \(id % 5) 1 -1 -1 -1 -1 -1\n"
        }
        return text
    }

    private func traces(_ arguments: [String], input: String) throws -> [[String: Any]] {
        let run = try xinghe(["compare", "-", "--json"] + arguments, input: input)
        try #require(run.status == 0, "\(run.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        return try #require((object as? [String: Any])?["traces"] as? [[String: Any]])
    }

    @Test("Digests and intervals do not depend on the number of threads")
    func threads() throws {
        let policies = ["--policy", "easy,fcfs,sjf,conservative", "--seeds", "1,2"]
        func facts(_ jobs: String) throws -> [String] {
            let cells = try traces(policies + ["--jobs", jobs], input: Self.log(80))
                .flatMap { $0["cells"] as? [[String: Any]] ?? [] }
            return cells.map { cell in
                ["policy", "seed", "digest", "wait_mean_s", "wait_s_difference_low"]
                    .map { "\(cell[$0] ?? "?")" }.joined(separator: " ")
            }
        }
        let alone = try facts("1")
        #expect(alone.count == 8)
        #expect(try facts("2") == alone)
        #expect(try facts("7") == alone)
        #expect(Set(alone.map { $0.split(separator: " ")[2] }).count > 4)
    }

    @Test("A cell is what a replay alone gives")
    func sameAsReplay() throws {
        let cells = try traces(["--policy", "fcfs,easy"], input: Self.log(50))
            .flatMap { $0["cells"] as? [[String: Any]] ?? [] }
        let alone = try xinghe(["replay", "-", "--policy", "easy", "--json"], input: Self.log(50))
        let digest = try #require(cells.last?["digest"] as? String)
        #expect(alone.output.contains("\"\(digest)\""))
    }

    @Test(
        "Parts of a grid, put together, are the whole, whatever their number",
        arguments: [1, 3, 9]
    )
    func parts(count: Int) throws {
        let folder = try Folder()
        let log = try folder.write("a log.swf", Self.log(60))
        let arguments = ["compare", log, "--policy", "easy,fcfs,sjf", "--seeds", "1,2"]
        let whole = try xinghe(arguments + ["--json"])
        try #require(whole.status == 0, "\(whole.errors)")
        var files: [String] = []
        for index in 1...count {
            let part = ["--shard", "\(index)/\(count)", "--shard-out", folder.path("")]
            let run = try xinghe(arguments + part)
            try #require(run.status == 0, "\(run.errors)")
            files.append(folder.path("part-\(index)-of-\(count).json"))
        }
        func plain(_ run: Run) -> [Substring] {
            run.output.split(separator: "\n").filter { !$0.contains("\"cpu_s\"") }
        }
        let merged = try xinghe(["merge"] + files.reversed())
        #expect(merged.status == 0, "\(merged.errors)")
        #expect(plain(merged) == plain(whole))
        guard count == 3 else { return }
        let cut = try xinghe(["merge", files[0], files[2]])
        #expect(cut.status == 1)
        #expect(cut.errors.contains("part 2 of 3: xinghe compare"), "\(cut.errors)")
        let place = "--shard 2/3 --shard-out \(folder.path(""))"
        #expect(cut.errors.contains(place), "\(cut.errors)")
        // A log with a blank in its name is one word for the shell that makes the part again.
        #expect(cut.errors.contains("'\(log)'"), "\(cut.errors)")
    }

    @Test("Seeds shake submissions, and the table says how far the means lie apart")
    func seeds() throws {
        let arguments = ["compare", "-", "--policy", "easy,fcfs", "--seeds", "1,2,3"]
        let run = try xinghe(arguments + ["--shake", "300"], input: Self.log(60))
        #expect(run.status == 0)
        #expect(run.output.contains("submissions shaken by ±300 s"))
        #expect(run.output.contains("over the seeds: mean [least, most]"))
        let cells = try traces(["--policy", "easy", "--seeds", "1,2,3"], input: Self.log(60))
            .flatMap { $0["cells"] as? [[String: Any]] ?? [] }
        #expect(Set(cells.compactMap { $0["digest"] as? String }).count == 3)
        #expect(cells.compactMap { $0["seed"] as? Int } == [1, 2, 3])
    }

    @Test("CSV has one row a cell and as many fields as its header")
    func csv() throws {
        let run = try xinghe(
            ["compare", "-", "--policy", "easy,fcfs", "--csv"],
            input: Self.log(20)
        )
        let rows = run.output.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows.count == 3)
        #expect(Set(rows.map(\.count)).count == 1)
        #expect(rows[0].prefix(4) == ["trace", "machine", "seed", "policy"])
        #expect(rows.map { $0[3] } == ["policy", "easy", "fcfs"])
    }

    @Test("The page needs nothing from outside, and draws each policy")
    func page() throws {
        let folder = try Folder()
        let log = try folder.write("log.swf", Self.log(120))
        let page = folder.path("page.html")
        let run = try xinghe(
            ["compare", log, "--policy", "easy,fcfs", "--report", page, "--trim", "5%"]
        )
        #expect(run.status == 0, "\(run.errors)")
        let html = try String(contentsOfFile: page, encoding: .utf8)
        for banned in ["<script", "src=", "href=", "url(", "@import", "NaN", "nan\""] {
            #expect(!html.contains(banned), "\(banned)")
        }
        // The only addresses are the names of the SVG namespace.
        let addresses = html.components(separatedBy: "http").count - 1
        #expect(addresses == html.components(separatedBy: "http://www.w3.org/2000/svg").count - 1)
        #expect(html.contains("&lt;someone&gt; &amp; others"))
        #expect(html.contains("Utilisation, easy"))
        #expect(html.contains("Utilisation, fcfs"))
        #expect(html.contains("fcfs: mean wait"))
        #expect(html.components(separatedBy: "<svg").count - 1 == 9)
        #expect(try folder.names() == ["log.swf", "page.html"])
    }

    @Test("The page is in the language that was asked for")
    func chinesePage() throws {
        let folder = try Folder()
        let log = try folder.write("log.swf", Self.log(120) + "not a row\n")
        func page(_ options: [String]) throws -> String {
            let page = folder.path("page.html")
            let arguments = ["compare", log, "--policy", "easy,fcfs", "--report", page]
            let run = try xinghe(arguments + options)
            #expect(run.status == 0, "\(run.errors)")
            return try String(contentsOfFile: page, encoding: .utf8)
        }
        let chinese = try page(["--fair-starts", "--lang", "zh"])
        let parts = [
            "调度策略比较", "利用率，easy", "fcfs：平均等待", "各项指标的含义", "略去：1 行，格式错误", "公平启动",
            "95 % 区间", "<title>作业 1：",
        ]
        for words in parts {
            #expect(chinese.contains(words), "\(words)")
        }
        // Names, numbers and what is wrong in a row of the log alone are left of the English page.
        let text = chinese.replacing(/<style>(?s:.*?)<\/style>/, with: "")
            .replacing(/<[^>]*>/, with: "\n").split(separator: "\n")
        let sentences = text.filter {
            !$0.contains("第") && $0.contains(/[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}/)
        }
        #expect(sentences == [])
        #expect(chinese.contains("10 个处理器") && !chinese.contains("10 processors"))
        let failing = ["--failures", "shape=1,scale=10min,repair=1min"]
        let failures = try page(failing + ["--lang", "zh"])
        for words in ["节点<br>故障", "中断的<br>运行", "白做<br>机时", "可用<br>%"] {
            #expect(failures.contains(words) && !chinese.contains(words), "\(words)")
        }
        #expect(try page(failing + ["--lang", "en"]).contains("runs<br>cut short"))
        let english = try page(["--fair-starts", "--lang", "en"])
        for words in ["Utilisation", "mean wait", "What the measures mean", "left out: 1 row"] {
            #expect(english.contains(words), "\(words)")
            #expect(!chinese.contains(words), "\(words)")
        }
    }

    @Test(
        "Bad options are refused with what is wrong",
        arguments: [
            (["--jobs", "0"], "0 is not a number of replays"),
            (["--seeds", "1,x"], "'1,x' is no list of different numbers"),
            (["--seeds", "1,1"], "'1,1' is no list of different numbers"),
            (["--policy", "easy,easy"], "names a policy twice"),
            (["--policy", "easy,bogus"], "'bogus' is not known"),
            (["--policy", ","], "--policy: ',' has an empty part"),
            (["--policy", "easy,,fcfs"], "--policy: 'easy,,fcfs' has an empty part"),
            (["--shake", "-1"], "--shake: -1 is not in"),
            (["--policy", "easy,external"], "say which program decides, with --external"),
            (["--external", "cat"], "no policy is external"),
            (["--report", "/nonexistent/page.html"], "/nonexistent/page.html: cannot be written"),
            (["--report", "/"], "/: is a folder"),
            (["--json", "--csv"], "one of them only"),
            (["/nonexistent.swf"], "/nonexistent.swf: open"),
            (["--processors", "999999999999"], "999999999999 processors are more than"),
        ]
    )
    func refusals(arguments: [String], message: String) throws {
        let run = try xinghe(["compare", "-"] + arguments, input: Self.log(5))
        #expect(run.status != 0)
        #expect(run.errors.contains(message), "\(run.errors)")
        #expect(run.output.isEmpty)
    }

    @Test("On shared nodes the default policies are the same")
    func sharedNodes() throws {
        let run = try xinghe(["compare", "-", "--nodes", "4x3", "--csv"], input: Self.log(20))
        #expect(run.status == 0, "\(run.errors)")
        let policies = run.output.split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        // The title of the machine has a comma, and so quotes.
        #expect(policies.count == 4)
        #expect(run.output.contains(",conservative,"))
    }

    @Test("A log whose times add up to ages is refused, not computed")
    func ages() throws {
        var text = "; MaxProcs: 1\n"
        for id in 1...1_000 {
            text += "\(id) 0 -1 9000000000 1 -1 -1 1 9000000000 -1 1 1 1 -1 -1 -1 -1 -1\n"
        }
        let run = try xinghe(["replay", "-"], input: text)
        #expect(run.status == 1)
        #expect(run.errors.contains("add up to more than 100,000 years"), "\(run.errors)")
    }

    @Test(
        "Compressed logs are read from files and standard input; what is cut off is refused",
        arguments: [("gzip -c", "gzip"), ("xz -c", "xz"), ("zstd -qc", "zstd")]
    )
    func compressed(command: String, name: String) throws {
        let folder = try Folder()
        let log = try folder.write("log.swf", Self.log(200))
        let plain = try xinghe(["replay", log, "--json"])
        func digest(_ run: Run) -> String? {
            run.output.split(separator: "\n").first { $0.contains("digest") }.map { String($0) }
        }
        let packed = try Data(shell("\(command) \(log)"))
        try #require(packed.count > 100, "is \(name) installed?")
        let file = folder.path("log.packed")
        try packed.write(to: URL(fileURLWithPath: file))
        #expect(digest(plain) != nil)
        #expect(digest(try xinghe(["replay", file, "--json"])) == digest(plain))
        #expect(digest(try xinghe(["replay", "-", "--json"], input: packed)) == digest(plain))
        try packed.dropLast(30).write(to: URL(fileURLWithPath: file))
        let cut = try xinghe(["replay", file])
        #expect(cut.status == 1)
        #expect(cut.errors.contains("log.packed: the \(name) data"), "\(cut.errors)")
        guard name == "gzip" else { return }
        try (packed + Data(count: 512)).write(to: URL(fileURLWithPath: file))
        #expect(digest(try xinghe(["replay", file, "--json"])) == digest(plain))
    }
}

/// What a command of the shell prints.
private func shell(_ command: String) throws -> Data {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return data
}

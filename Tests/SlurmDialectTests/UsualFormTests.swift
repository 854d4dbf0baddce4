import Quantities
import Testing

@testable import WireFormats

/// Documents in the usual form are read without a tree. The tree is the plain twin: with it everything is read.
@Suite("Reading without a tree")
struct UsualFormTests {
    /// Numbers from a seed.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private func submission() -> SubmitRequest {
        var request = SubmitRequest()
        request.script = "#!/bin/bash\nsrun \"a\" \\ 天河\n"
        request.environment = ["A=1\n2", ""]
        request.name = "name"
        request.partitions = ["a", "b"]
        request.timeLimit = SimDuration(seconds: 60)
        request.gres = [GresRequest(name: "gpu", count: 2)]
        request.dependencies = [DependencyRequest(kind: "after", jobID: 3)]
        var array = ArrayRequest()
        array.ranges = [ArrayRequest.Range(first: 1, last: 4)]
        request.array = array
        return request
    }

    /// Texts that a document is broken with.
    private static let pieces = [
        "", " ", "\n", ",", ":", "{", "}", "[", "]", "\"", "\\", "null", "true", "-", "0", "1e3",
        "1.0", "\\n",
        "\\u0000", "\\u007f", "\u{7F}", "\"name\":\"b\",", "\"unknown\":[{}],", "\u{1}", "河",
    ]

    private func broken(_ bytes: [UInt8], _ numbers: inout Numbers) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...2, using: &numbers) {
            let start = Int.random(in: 0...bytes.count, using: &numbers)
            let end = min(bytes.count, start + Int.random(in: 0...3, using: &numbers))
            let piece = Self.pieces.randomElement(using: &numbers) ?? ""
            bytes.replaceSubrange(start..<end, with: piece.utf8)
        }
        return bytes
    }

    private func outcome<Value>(
        _ read: () throws(JSONValue.Malformed) -> Value
    ) -> Result<Value, JSONValue.Malformed> {
        Result { () throws(JSONValue.Malformed) in try read() }
    }

    @Test(
        "What is read without a tree is what the tree gives",
        arguments: 0..<4_000 as Range<UInt64>
    )
    func twin(seed: UInt64) throws {
        var numbers = Numbers(state: seed)
        var request = submission()
        if seed % 3 == 0 { request.idempotencyKey = "key" }
        let bytes = broken(Array(request.compactText(withoutNulls: 2).utf8), &numbers)
        let text = String(decoding: bytes, as: UTF8.self)
        let fast = outcome { () throws(JSONValue.Malformed) in try SubmitRequest(parsing: bytes) }
        let plain = outcome { () throws(JSONValue.Malformed) in
            try SubmitRequest(json: JSONValue(parsing: bytes))
        }
        #expect(fast == plain, "seed \(seed): \(text)")
        let strict = outcome { () throws(JSONValue.Malformed) in
            try SubmitRequest(requesting: bytes)
        }
        let plainStrict = outcome { () throws(JSONValue.Malformed) in
            let json = try JSONValue(parsing: bytes)
            try RequestForm(SubmitRequest.self).check(json)
            return try SubmitRequest(json: json)
        }
        #expect(strict == plainStrict, "seed \(seed): \(text)")
    }

    @Test("Answers and requests as they are written are in the usual form")
    func usual() {
        var job = JobInfo()
        job.name = "a"
        let list = JobList(now: .epoch, jobs: [job, JobInfo()])
        #expect(JSONReader.usual(JobList.self, in: list.compactBytes) == list)
        let request = submission()
        #expect(
            JSONReader.usual(SubmitRequest.self, in: request.compactBytes, isRequest: true)
                == request
        )
        let reversed = JSONValue.object((request.json.members ?? []).reversed()).compactBytes
        #expect(JSONReader.usual(SubmitRequest.self, in: reversed) == nil)
    }
}

@Suite("Reading some members of a record")
struct PartialReadingTests {
    private func record() -> AccountingRecord {
        var record = AccountingRecord()
        record.jobID = 7
        record.name = "a \"b\" \\ 天河 {[,"
        record.replay = "{\"a\":[1,\"\\\\\"]}"
        record.comment = "]}"
        record.submitLine = "x\n"
        record.charge = -5
        record.nodeList = "cn[1-4]"
        record.steps = [StepRecord(), StepRecord()]
        record.steps[1].name = "\\\""
        return record
    }

    @Test("Each member is read alone, and all others passed over")
    func eachMember() throws {
        let whole = record()
        let bytes = whole.compactBytes
        let names = AccountingRecord.memberNames
        for name in names {
            let selection = names.map { $0 == name }
            let part = try #require(
                JSONReader.usual(AccountingRecord.self, in: bytes, selecting: selection)
            )
            #expect(part.json[name] == whole.json[name], "\(name)")
            let initial = AccountingRecord().json
            for other in names where other != name && initial[other] != nil {
                #expect(part.json[other] == initial[other], "\(name), \(other)")
            }
        }
        let all = [Bool](repeating: true, count: names.count)
        #expect(JSONReader.usual(AccountingRecord.self, in: bytes, selecting: all) == whole)
    }

    @Test("Of a damaged record nothing is read, or what is wanted stands in it as it was")
    func damaged() {
        let bytes = record().compactBytes
        let selection = AccountingRecord.selection(of: ["job_id", "name"])
        for place in bytes.indices {
            var damaged = bytes
            for byte in [UInt8(ascii: "\""), UInt8(ascii: "}"), UInt8(ascii: "\\"), 0x20, 0xFF] {
                damaged[place] = byte
                let part = try? AccountingRecord(parsing: damaged, selecting: selection)
                if let part, let whole = try? AccountingRecord(parsing: damaged) {
                    #expect(part.jobID == whole.jobID && part.name == whole.name, "\(place)")
                }
            }
            let cut = Array(bytes[..<place])
            #expect((try? AccountingRecord(parsing: cut, selecting: selection)) == nil)
        }
    }
}

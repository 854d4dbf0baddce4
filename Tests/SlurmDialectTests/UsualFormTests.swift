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

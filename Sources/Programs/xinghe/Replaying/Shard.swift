import ArgumentParser
import Foundation
import WireFormats

/// One of several processes that share the cells of a grid out among them.
struct Shard: Hashable, Sendable {
    /// From 1.
    let index: Int
    let count: Int

    /// Reads `3/8`, or with `auto` what mpirun, srun or a job array says of this process.
    ///
    /// - Throws: `ValidationError` for another text.
    init(_ text: String) throws {
        if text == "auto" {
            let environment = ProcessInfo.processInfo.environment
            let found = Self.sources.lazy.compactMap { Self.read($0, environment) }.first
            guard let found else {
                throw ValidationError(
                    "--shard auto: neither mpirun nor srun nor a job array started this process"
                )
            }
            self = found
            return
        }
        let sides = text.split(separator: "/", omittingEmptySubsequences: false)
        guard sides.count == 2, let index = Int(sides[0]), let count = Int(sides[1]),
            (1...100_000).contains(count), (1...count).contains(index)
        else { throw ValidationError("--shard: '\(text)' is not like 3/8") }
        self.init(index: index, count: count)
    }

    private init(index: Int, count: Int) {
        self.index = index
        self.count = count
    }

    /// Where a number, how many there are, and the first of them stand in the environment; ranks begin
    /// at 0.
    private static let sources: [(index: String, count: String, first: String?)] = [
        ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", nil), ("PMI_RANK", "PMI_SIZE", nil),
        ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"),
        ("SLURM_PROCID", "SLURM_NTASKS", nil),
    ]

    private static func read(
        _ source: (index: String, count: String, first: String?),
        _ environment: [String: String]
    ) -> Shard? {
        guard let index = environment[source.index].flatMap({ Int32($0) }).map(Int.init),
            let count = environment[source.count].flatMap({ Int($0) }),
            (1...100_000).contains(count)
        else { return nil }
        let first =
            source.first.flatMap { environment[$0] }.flatMap { Int32($0) }.map(Int.init) ?? 0
        guard (first..<(first + count)).contains(index) else { return nil }
        return Shard(index: index - first + 1, count: count)
    }

    /// Whether a cell is this process's.
    func owns(_ number: Int) -> Bool { number % count == index - 1 }

    /// What its part is called.
    var fileName: String { "part-\(index)-of-\(count).json" }

    /// Which part of a result it is.
    func member(_ numbers: [Int]) -> JSONValue.Member {
        .init(
            "part",
            [
                "index": .integer(Int64(index)), "of": .integer(Int64(count)),
                "cells": .array(numbers.map { .integer(Int64($0)) }),
            ]
        )
    }
}

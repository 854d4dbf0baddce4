import Determinism
import Prediction
import Testing

@testable import ComputeKernels

@Suite("Dealing out work and cores")
struct PlacementTests {
    @Test("Shares cover an extent once, in order, and differ by at most one")
    func sharesCover() {
        for extent in 0...40 {
            for parts in 1...12 {
                let shares = (0..<parts).map { share(of: extent, part: $0, parts: parts) }
                #expect(shares.flatMap(Array.init) == Array(0..<extent))
                let lengths = shares.map(\.count)
                #expect((lengths.max() ?? 0) - (lengths.min() ?? 0) <= 1)
            }
        }
    }

    @Test("Threads share a loop once, in order, in whole steps, even more threads than steps")
    func threadsSplit() {
        for threads in 1...9 {
            let team = ThreadTeam(count: threads)
            defer { team.end() }
            for extent in 0...40 {
                for step in 1...5 {
                    var parts = [Range<Int>](repeating: 0..<0, count: threads)
                    parts.withUnsafeMutableBufferPointer { parts in
                        // SAFETY: each thread writes its own element.
                        nonisolated(unsafe) let parts = parts
                        team.split(extent, step: step) { parts[$0] = $1 }
                    }
                    let claim = "\(extent) by \(step) over \(threads): \(parts)"
                    #expect(parts.flatMap(Array.init) == Array(0..<extent), "\(claim)")
                    let starts = parts.filter { !$0.isEmpty }.map(\.lowerBound)
                    #expect(starts.allSatisfy { $0 % step == 0 }, "\(claim)")
                }
            }
        }
    }

    @Test("A grid of processes has each rank at one place and cuts the longest axis first")
    func processGrid() {
        for ranks in 1...24 {
            let grid = ProcessGrid(ranks: ranks, shape: [30, 40, 50])
            #expect(grid.extents.reduce(1, *) == ranks)
            for rank in 0..<ranks { #expect(grid.rank(at: grid.place(of: rank)) == rank) }
        }
        #expect(ProcessGrid(ranks: 2, shape: [8, 8, 32]).extents == [1, 1, 2])
        #expect(ProcessGrid(ranks: 2, shape: [32, 8, 8]).extents == [2, 1, 1])
        #expect(ProcessGrid(ranks: 8, shape: [16, 16, 16]).extents == [2, 2, 2])
        #expect(ProcessGrid(ranks: 4, shape: [4, 1, 1]).extents == [4, 1, 1])
    }

    @Test("Each rank gets cores of its own within what it was given, or nobody gets any")
    func coresAreDealt() {
        #expect(RankPlacement.deal([[0, 1], [0, 1]], count: 1) == [[0], [1]])
        #expect(
            RankPlacement.deal([[0, 1, 2, 3], [0, 1, 2, 3]], count: 2) == [[0, 1], [2, 3]]
        )
        #expect(RankPlacement.deal([[1], [0]], count: 1) == [[1], [0]])
        #expect(RankPlacement.deal([[0, 1], [0]], count: 1) == [[1], [0]])
        #expect(RankPlacement.deal([[0], [0]], count: 1) == nil)
        #expect(RankPlacement.deal([[0, 1], [0, 1], [0, 1]], count: 1) == nil)
        #expect(RankPlacement.deal([[0, 1]], count: 3) == nil)
        #expect(RankPlacement.deal([[]], count: 1) == nil)
        #expect(RankPlacement.deal([[0, 1], [0, 2], [0, 2]], count: 1) == [[1], [2], [0]])
        #expect(RankPlacement.deal([[0, 1, 2], [0, 3, 4], [1, 3, 4]], count: 2) == nil)
    }

    @Test("Cores are dealt out whenever there is a way", arguments: 0..<200 as Range<UInt64>)
    func coresAreDealtWhereTheyCan(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let (ranks, cores, count) = (random.draw(1...4), random.draw(1...6), random.draw(1...2))
        let masks = (0..<ranks).map { _ in (0..<cores).filter { _ in random.draw(0...1) == 1 } }
        /// Tries everything.
        func canServe(_ rank: Int, _ needed: Int, _ taken: Set<Int>) -> Bool {
            if rank == ranks { return true }
            if needed == 0 { return canServe(rank + 1, count, taken) }
            return masks[rank].contains {
                !taken.contains($0) && canServe(rank, needed - 1, taken.union([$0]))
            }
        }
        let claim = "seed \(seed): \(masks), \(count) each"
        guard let dealt = RankPlacement.deal(masks, count: count) else {
            #expect(!canServe(0, count, []), "\(claim)")
            return
        }
        #expect(dealt.allSatisfy { $0.count == count }, "\(claim)")
        #expect(Set(dealt.joined()).count == ranks * count, "\(claim)")
        #expect(zip(dealt, masks).allSatisfy { Set($0).isSubset(of: $1) }, "\(claim)")
    }

    @Test("Block-cyclic parts hold each index once and know where")
    func blockCyclic() {
        for extent in [1, 7, 32, 100] {
            for (block, parts) in [(1, 1), (3, 2), (8, 3), (50, 4)] {
                var seen: [Int] = []
                for part in 0..<parts {
                    let axis = BlockCyclic(extent: extent, block: block, part: part, parts: parts)
                    let held = (0..<axis.count).map(axis.global)
                    #expect(held.allSatisfy { axis.owner(of: $0) == part })
                    for index in 0...extent {
                        #expect(axis.count(below: index) == held.count { $0 < index })
                    }
                    seen += held
                }
                #expect(seen.sorted() == Array(0..<extent))
            }
        }
    }

    @Test("Numbers are written as ranges")
    func ranges() {
        #expect(rangesText([0, 1, 2, 5, 7, 8]) == "0-2,5,7-8")
        #expect(rangesText([]) == "")
    }

    @Test("A size is a name, one extent for all axes, or one for each")
    func sizes() throws {
        let form = KernelForm.cg
        #expect(try form.shape(of: "small") == [32, 32, 32])
        #expect(try form.shape(of: "7") == [7, 7, 7])
        #expect(try form.shape(of: "7x8x9") == [7, 8, 9])
        for text in [
            "", "x", "7x8", "7x8x9x10", "-1", "0", "7x", "1e3", "huge", "9999999999999999",
        ] {
            #expect(throws: KernelRefusal.self, "\(text)") {
                try form.shape(of: text)
            }
        }
    }
}

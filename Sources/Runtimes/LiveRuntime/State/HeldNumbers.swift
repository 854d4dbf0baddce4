/// Cores or cards of the host by number: which are free, and which job holds which.
///
/// The emulator counts them; which ones they are is decided here, the lowest free ones first.
struct HeldNumbers {
    /// How many there are.
    let count: Int
    private var free: Set<Int>
    private var held: [UInt32: [Int]] = [:]

    /// The numbers from 0 on, all free.
    init(count: Int) {
        self.count = count
        free = Set(0..<count)
    }

    /// How many are free.
    var freeCount: Int { free.count }

    /// Gives a job so many; nil when there are not so many free.
    mutating func take(_ count: Int, for id: UInt32) -> [Int]? {
        guard count <= free.count else { return nil }
        let taken = Array(free.sorted().prefix(count))
        hold(taken, for: id)
        return taken
    }

    /// Gives a job these, which it was found to have.
    mutating func hold(_ numbers: [Int], for id: UInt32) {
        free.subtract(numbers)
        held[id, default: []] += numbers
    }

    /// Takes back what a job has.
    mutating func release(_ id: UInt32) {
        free.formUnion(held.removeValue(forKey: id) ?? [])
    }
}

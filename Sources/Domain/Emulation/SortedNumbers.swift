/// Job numbers in ascending order.
///
/// Adding the highest and taking out the lowest are O(1) amortised, which is what queues do; elsewhere
/// the shorter side is moved.
struct SortedNumbers: Sendable, Codable {
    private var numbers: ContiguousArray<UInt32> = []
    /// Places before this one are empty.
    private var head = 0

    var isEmpty: Bool { head == numbers.count }
    var first: UInt32? { isEmpty ? nil : numbers[head] }
    var all: ArraySlice<UInt32> { numbers[head...] }

    /// The first place whose number is not below `number`.
    private func place(of number: UInt32) -> Int {
        var low = head
        var high = numbers.count
        while low < high {
            let middle = (low + high) / 2
            if numbers[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Puts a number in, unless it is there.
    mutating func insert(_ number: UInt32) {
        let place = place(of: number)
        if place < numbers.count, numbers[place] == number { return }
        if head > 0, place - head < numbers.count - place {
            for index in head..<place { numbers[index - 1] = numbers[index] }
            head -= 1
            numbers[place - 1] = number
        } else {
            numbers.insert(number, at: place)
        }
    }

    /// Takes a number out, if it is there.
    mutating func remove(_ number: UInt32) {
        let place = place(of: number)
        guard place < numbers.count, numbers[place] == number else { return }
        if place - head < numbers.count - place - 1 {
            for index in (head..<place).reversed() { numbers[index + 1] = numbers[index] }
            head += 1
        } else {
            numbers.remove(at: place)
        }
        if head > 32, head > numbers.count / 2 {
            numbers.removeFirst(head)
            head = 0
        }
    }
}

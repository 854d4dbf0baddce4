/// Reads what `--size` says.
///
/// - Returns: The extents of the problem, as many as the kernel has dimensions. What is
///   missing is the kernel's default; where it has none, one number stands for all extents alike.
/// - Throws: `KernelFailure.malformedSize`.
func problemShape(_ text: String, for profile: KernelProfile) throws(KernelFailure) -> [Int] {
    let names = ["small", "medium", "large"]
    if let index = names.firstIndex(of: text) { return profile.namedSizes[index] }
    let parts = text.split(separator: "x", omittingEmptySubsequences: false)
    // A bound far above any real problem keeps products of extents inside Double's integers.
    let extents = parts.compactMap { Int($0) }.filter { $0 > 0 && $0 <= 1 << 40 }
    if extents.count == parts.count {
        if extents.count == profile.dimensions { return extents }
        if extents.count + profile.omittedExtents.count == profile.dimensions {
            return extents + profile.omittedExtents
        }
        if let only = extents.first, extents.count == 1, profile.omittedExtents.isEmpty {
            return [Int](repeating: only, count: profile.dimensions)
        }
    }
    throw .malformedSize(text, kernel: profile.name, meaning: profile.sizeMeaning)
}

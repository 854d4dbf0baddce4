/// One number, or several that are computed alike: a loop body written once for this protocol
/// serves the vectors of a row and the few numbers left over at its end.
protocol NumericLane {
    /// Numbers in a value.
    static var width: Int { get }
    static func load(_ pointer: UnsafePointer<Double>) -> Self
    func store(_ pointer: UnsafeMutablePointer<Double>)
    static func + (left: Self, right: Self) -> Self
    static func - (left: Self, right: Self) -> Self
    static func * (left: Self, right: Self) -> Self
    static func / (left: Self, right: Self) -> Self
    static func * (left: Double, right: Self) -> Self
}

extension Double: NumericLane {
    static var width: Int { 1 }

    @inline(__always)
    static func load(_ pointer: UnsafePointer<Double>) -> Double { pointer.pointee }

    @inline(__always)
    func store(_ pointer: UnsafeMutablePointer<Double>) { pointer.pointee = self }
}

extension SIMD8: NumericLane where Scalar == Double {
    static var width: Int { 8 }

    @inline(__always)
    static func load(_ pointer: UnsafePointer<Double>) -> SIMD8<Double> {
        UnsafeRawPointer(pointer).loadUnaligned(as: SIMD8<Double>.self)
    }

    @inline(__always)
    func store(_ pointer: UnsafeMutablePointer<Double>) {
        UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: SIMD8<Double>.self)
    }
}

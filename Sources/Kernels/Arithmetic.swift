import CMachine

/// How one register's worth of elements is multiplied and added: the only thing a stencil kernel knows of a dtype.
///
/// Every conformance adds one product at a time, in the order the kernel visits them, and either always or never fuses
/// it (by ISA). So a lane's value does not depend on the vector's width, and any tile may compute any output.
@usableFromInline
protocol Arithmetic {
    associatedtype Vector
    associatedtype Weight
    associatedtype Accumulator
    /// Elements in a vector (a complex element counts once).
    static var lanes: Int { get }
    /// Bytes of one element, in memory and in the packed filter.
    static var elementBytes: Int { get }
    static var zero: Accumulator { get }
    static func load(_ source: UnsafeRawPointer) -> Vector
    /// One filter element on all lanes.
    static func weight(_ source: UnsafeRawPointer) -> Weight
    /// Adds elements as they are.
    static func add(_ sum: inout Accumulator, _ x: Vector)
    static func multiplyAdd(_ sum: inout Accumulator, _ x: Vector, _ w: Weight)
    static func store(_ sum: Accumulator, _ destination: UnsafeMutableRawPointer)
}

extension Arithmetic {
    @inline(__always) static var vectorBytes: Int { lanes &* elementBytes }
}

/// An arithmetic whose weights may differ from lane to lane.
protocol LaneArithmetic: Arithmetic {
    /// Bytes of a vector of packed weights.
    static var laneWeightBytes: Int { get }
    static func laneWeight(_ source: UnsafeRawPointer) -> Weight
}

extension LaneArithmetic where Weight == Vector {
    @inline(__always) static var laneWeightBytes: Int { vectorBytes }
    @inline(__always) static func laneWeight(_ source: UnsafeRawPointer) -> Vector { load(source) }
}

/// float32 and float64.
enum RealArithmetic<V: SIMD & BitwiseCopyable>: LaneArithmetic where V.Scalar: FloatingPoint & BitwiseCopyable {
    @inline(__always) static var lanes: Int { V.scalarCount }
    @inline(__always) static var elementBytes: Int { MemoryLayout<V.Scalar>.size }
    @inline(__always) static var zero: V { V(repeating: 0) }
    @inline(__always) static func load(_ source: UnsafeRawPointer) -> V { source.loadUnaligned(as: V.self) }
    @inline(__always) static func weight(_ source: UnsafeRawPointer) -> V {
        V(repeating: source.loadUnaligned(as: V.Scalar.self))
    }
    @inline(__always) static func add(_ sum: inout V, _ x: V) { sum += x }
    @inline(__always) static func multiplyAdd(_ sum: inout V, _ x: V, _ w: V) {
        // Without the instruction, addProduct would call fmaf for every lane.
        if SC_HAS_FMA != 0 { sum.addProduct(x, w) } else { sum += x * w }
    }
    @inline(__always) static func store(_ sum: V, _ destination: UnsafeMutableRawPointer) {
        destination.storeBytes(of: sum, as: V.self)
    }
}

/// One float32 or float64 at a time, for columns that are fewer than the narrowest vector.
enum RealScalarArithmetic<T: FloatingPoint & BitwiseCopyable>: Arithmetic {
    @inline(__always) static var lanes: Int { 1 }
    @inline(__always) static var elementBytes: Int { MemoryLayout<T>.size }
    @inline(__always) static var zero: T { 0 }
    @inline(__always) static func load(_ source: UnsafeRawPointer) -> T { source.loadUnaligned(as: T.self) }
    @inline(__always) static func weight(_ source: UnsafeRawPointer) -> T { source.loadUnaligned(as: T.self) }
    @inline(__always) static func add(_ sum: inout T, _ x: T) { sum += x }
    @inline(__always) static func multiplyAdd(_ sum: inout T, _ x: T, _ w: T) {
        if SC_HAS_FMA != 0 { sum.addProduct(x, w) } else { sum += x * w }
    }
    @inline(__always) static func store(_ sum: T, _ destination: UnsafeMutableRawPointer) {
        destination.storeBytes(of: sum, as: T.self)
    }
}

/// Integers modulo 2^n, as NumPy's; signed and unsigned alike.
enum IntegerArithmetic<V: SIMD & BitwiseCopyable>: LaneArithmetic where V.Scalar: FixedWidthInteger & BitwiseCopyable {
    @inline(__always) static var lanes: Int { V.scalarCount }
    @inline(__always) static var elementBytes: Int { MemoryLayout<V.Scalar>.size }
    @inline(__always) static var zero: V { V(repeating: 0) }
    @inline(__always) static func load(_ source: UnsafeRawPointer) -> V { source.loadUnaligned(as: V.self) }
    @inline(__always) static func weight(_ source: UnsafeRawPointer) -> V {
        V(repeating: source.loadUnaligned(as: V.Scalar.self))
    }
    @inline(__always) static func add(_ sum: inout V, _ x: V) { sum &+= x }
    @inline(__always) static func multiplyAdd(_ sum: inout V, _ x: V, _ w: V) { sum &+= x &* w }
    @inline(__always) static func store(_ sum: V, _ destination: UnsafeMutableRawPointer) {
        destination.storeBytes(of: sum, as: V.self)
    }
}

enum IntegerScalarArithmetic<T: FixedWidthInteger & BitwiseCopyable>: Arithmetic {
    @inline(__always) static var lanes: Int { 1 }
    @inline(__always) static var elementBytes: Int { MemoryLayout<T>.size }
    @inline(__always) static var zero: T { 0 }
    @inline(__always) static func load(_ source: UnsafeRawPointer) -> T { source.loadUnaligned(as: T.self) }
    @inline(__always) static func weight(_ source: UnsafeRawPointer) -> T { source.loadUnaligned(as: T.self) }
    @inline(__always) static func add(_ sum: inout T, _ x: T) { sum &+= x }
    @inline(__always) static func multiplyAdd(_ sum: inout T, _ x: T, _ w: T) { sum &+= x &* w }
    @inline(__always) static func store(_ sum: T, _ destination: UnsafeMutableRawPointer) {
        destination.storeBytes(of: sum, as: T.self)
    }
}

/// Vectors of 8- and 16-bit lanes, whose operations come from C (CMachine/vector.h says why).
protocol NarrowLanes: LaneArithmetic where Weight == Vector, Accumulator == Vector, Vector: SIMD & BitwiseCopyable {
    associatedtype Scalar: FixedWidthInteger & BitwiseCopyable
    static func splat(_ value: Scalar) -> Vector
}

extension NarrowLanes {
    @inline(__always) static var lanes: Int { MemoryLayout<Vector>.size / MemoryLayout<Scalar>.size }
    @inline(__always) static var elementBytes: Int { MemoryLayout<Scalar>.size }
    @inline(__always) static var zero: Vector { splat(0) }
    @inline(__always) static func load(_ source: UnsafeRawPointer) -> Vector { source.loadUnaligned(as: Vector.self) }
    @inline(__always) static func weight(_ source: UnsafeRawPointer) -> Vector {
        splat(source.loadUnaligned(as: Scalar.self))
    }
    @inline(__always) static func store(_ sum: Vector, _ destination: UnsafeMutableRawPointer) {
        destination.storeBytes(of: sum, as: Vector.self)
    }
}

enum Word16Arithmetic: NarrowLanes {
    @inline(__always) static func splat(_ value: UInt16) -> sc_u16v { sc_u16v_splat(value) }
    @inline(__always) static func add(_ sum: inout sc_u16v, _ x: sc_u16v) { sum = sc_u16v_add(sum, x) }
    @inline(__always) static func multiplyAdd(_ sum: inout sc_u16v, _ x: sc_u16v, _ w: sc_u16v) {
        sum = sc_u16v_multiply_add(sum, x, w)
    }
}

enum HalfWord16Arithmetic: NarrowLanes {
    @inline(__always) static func splat(_ value: UInt16) -> sc_u16h { sc_u16h_splat(value) }
    @inline(__always) static func add(_ sum: inout sc_u16h, _ x: sc_u16h) { sum = sc_u16h_add(sum, x) }
    @inline(__always) static func multiplyAdd(_ sum: inout sc_u16h, _ x: sc_u16h, _ w: sc_u16h) {
        sum = sc_u16h_multiply_add(sum, x, w)
    }
}

/// bool: OR of ANDs. Filter elements are packed as 0 or 0xFF, so that any non-zero byte counts as true.
enum BooleanArithmetic: NarrowLanes {
    @inline(__always) static func splat(_ value: UInt8) -> sc_u8v { sc_u8v_splat(value) }
    @inline(__always) static func add(_ sum: inout sc_u8v, _ x: sc_u8v) { sum = sc_u8v_or(sum, x) }
    @inline(__always) static func multiplyAdd(_ sum: inout sc_u8v, _ x: sc_u8v, _ w: sc_u8v) {
        sum = sc_u8v_or_and(sum, x, w)
    }
    @inline(__always) static func store(_ sum: sc_u8v, _ destination: UnsafeMutableRawPointer) {
        destination.storeBytes(of: sc_u8v_at_most_one(sum), as: sc_u8v.self)
    }
}

enum HalfBooleanArithmetic: NarrowLanes {
    @inline(__always) static func splat(_ value: UInt8) -> sc_u8h { sc_u8h_splat(value) }
    @inline(__always) static func add(_ sum: inout sc_u8h, _ x: sc_u8h) { sum = sc_u8h_or(sum, x) }
    @inline(__always) static func multiplyAdd(_ sum: inout sc_u8h, _ x: sc_u8h, _ w: sc_u8h) {
        sum = sc_u8h_or_and(sum, x, w)
    }
    @inline(__always) static func store(_ sum: sc_u8h, _ destination: UnsafeMutableRawPointer) {
        destination.storeBytes(of: sc_u8h_at_most_one(sum), as: sc_u8h.self)
    }
}

enum BooleanScalarArithmetic: Arithmetic {
    @inline(__always) static var lanes: Int { 1 }
    @inline(__always) static var elementBytes: Int { 1 }
    @inline(__always) static var zero: UInt8 { 0 }
    @inline(__always) static func load(_ source: UnsafeRawPointer) -> UInt8 { source.load(as: UInt8.self) }
    @inline(__always) static func weight(_ source: UnsafeRawPointer) -> UInt8 { source.load(as: UInt8.self) }
    @inline(__always) static func add(_ sum: inout UInt8, _ x: UInt8) { sum |= x }
    @inline(__always) static func multiplyAdd(_ sum: inout UInt8, _ x: UInt8, _ w: UInt8) { sum |= x & w }
    @inline(__always) static func store(_ sum: UInt8, _ destination: UnsafeMutableRawPointer) {
        destination.storeBytes(of: min(sum, 1), as: UInt8.self)
    }
}

/// complex64 and complex128 as they lie in memory, real and imaginary parts alternating.
///
/// The products with the weight's real and imaginary part are summed apart, two multiply-adds a vector and no shuffle
/// in the loop; `store` crosses them: re = sum(xr wr) - sum(xi wi), im = sum(xi wr) + sum(xr wi).
enum ComplexArithmetic<V: SIMD & BitwiseCopyable>: LaneArithmetic where V.Scalar: FloatingPoint & BitwiseCopyable {
    struct Parts {
        var real: V
        var imaginary: V
    }
    @inline(__always) static var lanes: Int { V.scalarCount / 2 }
    @inline(__always) static var elementBytes: Int { 2 &* MemoryLayout<V.Scalar>.size }
    @inline(__always) static var zero: Parts { Parts(real: V(repeating: 0), imaginary: V(repeating: 0)) }
    @inline(__always) static func load(_ source: UnsafeRawPointer) -> V { source.loadUnaligned(as: V.self) }
    @inline(__always) static func weight(_ source: UnsafeRawPointer) -> Parts {
        Parts(
            real: V(repeating: source.loadUnaligned(as: V.Scalar.self)),
            imaginary: V(
                repeating: source.loadUnaligned(fromByteOffset: MemoryLayout<V.Scalar>.size, as: V.Scalar.self)))
    }
    /// Real parts, each twice, in one vector, imaginary ones in the next.
    @inline(__always) static var laneWeightBytes: Int { 2 &* vectorBytes }
    @inline(__always) static func laneWeight(_ source: UnsafeRawPointer) -> Parts {
        Parts(real: load(source), imaginary: load(source + vectorBytes))
    }
    @inline(__always) static func add(_ sum: inout Parts, _ x: V) { sum.real += x }
    @inline(__always) static func multiplyAdd(_ sum: inout Parts, _ x: V, _ w: Parts) {
        if SC_HAS_FMA != 0 {
            sum.real.addProduct(x, w.real)
            sum.imaginary.addProduct(x, w.imaginary)
        } else {
            sum.real += x * w.real
            sum.imaginary += x * w.imaginary
        }
    }
    @inline(__always) static func store(_ sum: Parts, _ destination: UnsafeMutableRawPointer) {
        var crossed = sum.real
        for lane in 0..<lanes {
            crossed[2 &* lane] -= sum.imaginary[2 &* lane &+ 1]
            crossed[2 &* lane &+ 1] += sum.imaginary[2 &* lane]
        }
        destination.storeBytes(of: crossed, as: V.self)
    }
}

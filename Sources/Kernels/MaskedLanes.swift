import CMachine

/// Vectors of an arithmetic of which lanes may be left out: lane i is there if bit i of a mask is set.
protocol MaskedLanes {
    associatedtype Whole: Arithmetic where Whole.Vector == Whole.Accumulator, Whole.Weight == Whole.Vector
    typealias Vector = Whole.Vector
    /// The lanes that are there, zeros for the others.
    static func load(_ source: UnsafeRawPointer, _ mask: UInt64) -> Vector
    /// Every second element; the mask counts all of them. Where it names those of one vector alone, so does the other.
    static func loadEverySecond(_ source: UnsafeRawPointer, _ mask: UInt64) -> Vector
    static func loadEverySecondOfOne(_ source: UnsafeRawPointer, _ mask: UInt64) -> Vector
    static func multiplyAdd(_ sum: inout Vector, _ x: Vector, _ w: Vector)
    static func store(_ x: Vector, _ destination: UnsafeMutableRawPointer, _ mask: UInt64)
}

enum MaskedFloat32: MaskedLanes {
    typealias Whole = RealArithmetic<sc_f32v>
    @inline(__always) static func load(_ source: UnsafeRawPointer, _ mask: UInt64) -> sc_f32v {
        sc_f32v_load(source, mask)
    }
    @inline(__always) static func loadEverySecond(_ source: UnsafeRawPointer, _ mask: UInt64) -> sc_f32v {
        sc_f32v_load_every_second(source, mask)
    }
    @inline(__always) static func loadEverySecondOfOne(_ source: UnsafeRawPointer, _ mask: UInt64) -> sc_f32v {
        sc_f32v_load_every_second_of_one(source, mask)
    }
    @inline(__always) static func multiplyAdd(_ sum: inout sc_f32v, _ x: sc_f32v, _ w: sc_f32v) {
        sum = sc_f32v_multiply_add(sum, x, w)
    }
    @inline(__always) static func store(_ x: sc_f32v, _ destination: UnsafeMutableRawPointer, _ mask: UInt64) {
        sc_f32v_store(destination, x, mask)
    }
}

enum MaskedFloat64: MaskedLanes {
    typealias Whole = RealArithmetic<sc_f64v>
    @inline(__always) static func load(_ source: UnsafeRawPointer, _ mask: UInt64) -> sc_f64v {
        sc_f64v_load(source, mask)
    }
    @inline(__always) static func loadEverySecond(_ source: UnsafeRawPointer, _ mask: UInt64) -> sc_f64v {
        sc_f64v_load_every_second(source, mask)
    }
    @inline(__always) static func loadEverySecondOfOne(_ source: UnsafeRawPointer, _ mask: UInt64) -> sc_f64v {
        sc_f64v_load_every_second_of_one(source, mask)
    }
    @inline(__always) static func multiplyAdd(_ sum: inout sc_f64v, _ x: sc_f64v, _ w: sc_f64v) {
        sum = sc_f64v_multiply_add(sum, x, w)
    }
    @inline(__always) static func store(_ x: sc_f64v, _ destination: UnsafeMutableRawPointer, _ mask: UInt64) {
        sc_f64v_store(destination, x, mask)
    }
}

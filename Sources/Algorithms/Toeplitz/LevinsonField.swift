import CMachine

/// Numbers that the Levinson recursion runs in. Vectors lie in *planes*: all real parts, then all imaginary ones.
protocol LevinsonField {
    associatedtype Number
    static var planes: Int { get }
    static var zero: Number { get }
    static var one: Number { get }
    static func isZero(_ a: Number) -> Bool
    static func isTiny(_ a: Number) -> Bool
    static func subtract(_ a: Number, _ b: Number) -> Number
    static func multiply(_ a: Number, _ b: Number) -> Number
    static func divide(_ a: Number, by b: Number) -> Number
    /// An element in the caller's memory, of any alignment.
    static func read(_ source: UnsafeRawPointer) -> Number
    static func write(_ a: Number, _ destination: UnsafeMutableRawPointer)
    /// An element of a vector in planes, `plane` apart.
    static func get(_ vector: UnsafePointer<Double>, plane: Int) -> Number
    static func set(_ vector: UnsafeMutablePointer<Double>, plane: Int, _ a: Number)

    /// f' = f - forward g and g' = g - backward f; the sums of column times f' and of row times g'.
    static func updatePredictors(
        _ pass: LevinsonPass, forward: Number, backward: Number
    ) -> (column: Number, row: Number)
    /// x' = x + factor g; the sum of column times x'.
    static func updateSolution(_ pass: LevinsonPass, _ x: UnsafeMutablePointer<Double>, factor: Number) -> Number
}

/// Vectors of one step, at their elements of index 0. All may be read, and f, g and x written, in whole vectors past
/// `count`, where f, g and x are zeros and stay so.
struct LevinsonPass {
    var f: UnsafeMutablePointer<Double>
    var g: UnsafeMutablePointer<Double>
    var column: UnsafePointer<Double>
    var row: UnsafePointer<Double>
    var count: Int
    /// Elements between the planes of a complex vector.
    var plane: Int
}

typealias LevinsonVector = sc_f64v
var levinsonLanes: Int { LevinsonVector.scalarCount }

@inline(__always)
private func load(_ source: UnsafePointer<Double>) -> LevinsonVector {
    UnsafeRawPointer(source).loadUnaligned(as: LevinsonVector.self)
}

@inline(__always)
private func load(_ source: UnsafeMutablePointer<Double>) -> LevinsonVector { load(UnsafePointer(source)) }

@inline(__always)
private func store(_ v: LevinsonVector, _ destination: UnsafeMutablePointer<Double>) {
    UnsafeMutableRawPointer(destination).storeBytes(of: v, as: LevinsonVector.self)
}

@inline(__always)
private func add(_ sum: inout LevinsonVector, _ a: LevinsonVector, _ b: LevinsonVector) {
    sum = sc_f64v_multiply_add(sum, a, b)
}

// MARK: - Real

enum LevinsonReal: LevinsonField {
    static var planes: Int { 1 }
    static var zero: Double { 0 }
    static var one: Double { 1 }
    static func isZero(_ a: Double) -> Bool { a == 0 }
    static func isTiny(_ a: Double) -> Bool { a.magnitude < 1e-250 }
    static func subtract(_ a: Double, _ b: Double) -> Double { a - b }
    static func multiply(_ a: Double, _ b: Double) -> Double { a * b }
    static func divide(_ a: Double, by b: Double) -> Double { a / b }
    static func read(_ source: UnsafeRawPointer) -> Double { source.loadUnaligned(as: Double.self) }
    static func write(_ a: Double, _ destination: UnsafeMutableRawPointer) {
        destination.storeBytes(of: a, as: Double.self)
    }
    static func get(_ vector: UnsafePointer<Double>, plane: Int) -> Double { vector.pointee }
    static func set(_ vector: UnsafeMutablePointer<Double>, plane: Int, _ a: Double) { vector.pointee = a }

    static func updatePredictors(
        _ pass: LevinsonPass, forward: Double, backward: Double
    ) -> (column: Double, row: Double) {
        let minusForward = LevinsonVector(repeating: 0 - forward)
        let minusBackward = LevinsonVector(repeating: 0 - backward)
        // Two sums each: one would wait for itself.
        var sums = (LevinsonVector.zero, LevinsonVector.zero, LevinsonVector.zero, LevinsonVector.zero)
        @inline(__always)
        func step(_ i: Int, _ columnSum: inout LevinsonVector, _ rowSum: inout LevinsonVector) {
            let (f, g) = (load(pass.f + i), load(pass.g + i))
            var (newF, newG) = (f, g)
            add(&newF, minusForward, g)
            add(&newG, minusBackward, f)
            store(newF, pass.f + i)
            store(newG, pass.g + i)
            add(&columnSum, load(pass.column + i), newF)
            add(&rowSum, load(pass.row + i), newG)
        }
        var i = 0
        while i &+ levinsonLanes < pass.count {
            step(i, &sums.0, &sums.1)
            step(i &+ levinsonLanes, &sums.2, &sums.3)
            i &+= 2 &* levinsonLanes
        }
        if i < pass.count { step(i, &sums.0, &sums.1) }
        return ((sums.0 + sums.2).sum(), (sums.1 + sums.3).sum())
    }

    static func updateSolution(
        _ pass: LevinsonPass, _ x: UnsafeMutablePointer<Double>, factor: Double
    ) -> Double {
        let factor = LevinsonVector(repeating: factor)
        var sums = (LevinsonVector.zero, LevinsonVector.zero)
        @inline(__always)
        func step(_ i: Int, _ sum: inout LevinsonVector) {
            var new = load(x + i)
            add(&new, factor, load(pass.g + i))
            store(new, x + i)
            add(&sum, load(pass.column + i), new)
        }
        var i = 0
        while i &+ levinsonLanes < pass.count {
            step(i, &sums.0)
            step(i &+ levinsonLanes, &sums.1)
            i &+= 2 &* levinsonLanes
        }
        if i < pass.count { step(i, &sums.0) }
        return (sums.0 + sums.1).sum()
    }
}

// MARK: - Complex

enum LevinsonComplex: LevinsonField {
    typealias Number = SIMD2<Double>

    static var planes: Int { 2 }
    static var zero: Number { Number(0, 0) }
    static var one: Number { Number(1, 0) }
    static func isZero(_ a: Number) -> Bool { a.x == 0 && a.y == 0 }
    static func isTiny(_ a: Number) -> Bool { max(a.x.magnitude, a.y.magnitude) < 1e-250 }
    static func subtract(_ a: Number, _ b: Number) -> Number { a - b }
    static func multiply(_ a: Number, _ b: Number) -> Number {
        Number(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x)
    }
    /// By the larger part, so that no square overflows (R. L. Smith 1962, Algorithm 116).
    static func divide(_ a: Number, by b: Number) -> Number {
        if b.x.magnitude >= b.y.magnitude {
            let ratio = b.y / b.x
            let scale = b.x + b.y * ratio
            return Number((a.x + a.y * ratio) / scale, (a.y - a.x * ratio) / scale)
        }
        let ratio = b.x / b.y
        let scale = b.x * ratio + b.y
        return Number((a.x * ratio + a.y) / scale, (a.y * ratio - a.x) / scale)
    }
    static func read(_ source: UnsafeRawPointer) -> Number {
        Number(
            source.loadUnaligned(as: Double.self),
            source.loadUnaligned(fromByteOffset: MemoryLayout<Double>.size, as: Double.self))
    }
    static func write(_ a: Number, _ destination: UnsafeMutableRawPointer) {
        destination.storeBytes(of: a.x, as: Double.self)
        destination.storeBytes(of: a.y, toByteOffset: MemoryLayout<Double>.size, as: Double.self)
    }
    static func get(_ vector: UnsafePointer<Double>, plane: Int) -> Number { Number(vector[0], vector[plane]) }
    static func set(_ vector: UnsafeMutablePointer<Double>, plane: Int, _ a: Number) {
        vector[0] = a.x
        vector[plane] = a.y
    }

    private struct Vectors {
        var real = LevinsonVector.zero
        var imaginary = LevinsonVector.zero

        @inline(__always)
        init() {}

        @inline(__always)
        init(_ source: UnsafePointer<Double>, _ plane: Int) {
            real = load(source)
            imaginary = load(source + plane)
        }

        @inline(__always)
        init(repeating a: Number) {
            real = LevinsonVector(repeating: a.x)
            imaginary = LevinsonVector(repeating: a.y)
        }

        @inline(__always)
        mutating func add(_ a: Vectors, _ b: Vectors) {
            real = sc_f64v_multiply_add(real, a.real, b.real)
            imaginary = sc_f64v_multiply_add(imaginary, a.real, b.imaginary)
            real = sc_f64v_multiply_add(real, 0 - a.imaginary, b.imaginary)
            imaginary = sc_f64v_multiply_add(imaginary, a.imaginary, b.real)
        }

        @inline(__always)
        func store(_ destination: UnsafeMutablePointer<Double>, _ plane: Int) {
            Algorithms.store(real, destination)
            Algorithms.store(imaginary, destination + plane)
        }

        @inline(__always)
        func sum() -> Number { Number(real.sum(), imaginary.sum()) }
    }

    static func updatePredictors(
        _ pass: LevinsonPass, forward: Number, backward: Number
    ) -> (column: Number, row: Number) {
        let minusForward = Vectors(repeating: zero - forward)
        let minusBackward = Vectors(repeating: zero - backward)
        var (columnSum, rowSum) = (Vectors(), Vectors())
        var i = 0
        while i < pass.count {
            let (f, g) = (Vectors(pass.f + i, pass.plane), Vectors(pass.g + i, pass.plane))
            var (newF, newG) = (f, g)
            newF.add(minusForward, g)
            newG.add(minusBackward, f)
            newF.store(pass.f + i, pass.plane)
            newG.store(pass.g + i, pass.plane)
            columnSum.add(Vectors(pass.column + i, pass.plane), newF)
            rowSum.add(Vectors(pass.row + i, pass.plane), newG)
            i &+= levinsonLanes
        }
        return (columnSum.sum(), rowSum.sum())
    }

    static func updateSolution(
        _ pass: LevinsonPass, _ x: UnsafeMutablePointer<Double>, factor: Number
    ) -> Number {
        let factor = Vectors(repeating: factor)
        var sum = Vectors()
        var i = 0
        while i < pass.count {
            var new = Vectors(x + i, pass.plane)
            new.add(factor, Vectors(pass.g + i, pass.plane))
            new.store(x + i, pass.plane)
            sum.add(Vectors(pass.column + i, pass.plane), new)
            i &+= levinsonLanes
        }
        return sum.sum()
    }
}

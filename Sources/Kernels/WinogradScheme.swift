import CMachine

/// Winograd's minimal filtering F(m, 3) in one dimension: m outputs of a filter of 3 taps by m + 2 products.
///
///     outputs = A^T [(G filter) * (B^T input)]
///
/// Toom and Cook's construction: the polynomials are evaluated at m + 1 points and infinity. Winograd, "Arithmetic
/// complexity of computations" (1980); Lavin and Gray, "Fast algorithms for convolutional neural networks" (2016).
protocol WinogradScheme {
    /// m, and m + 2.
    static var outputs: Int { get }
    static var points: Int { get }
    /// B^T: the first `points` entries.
    static func input<V: WinogradVector>(_ x: InlineArray<6, V>) -> InlineArray<6, V>
    /// G.
    static func filter<V: WinogradVector>(_ w: InlineArray<3, V>) -> InlineArray<6, V>
    /// A^T: the first `outputs` entries.
    static func output<V: WinogradVector>(_ s: InlineArray<6, V>) -> InlineArray<4, V>
}

/// A full register of what is transformed.
protocol WinogradVector: SIMD, BitwiseCopyable where Scalar: BinaryFloatingPoint {
    /// a + b * c, fused where the ISA has the instruction.
    static func multiplyAdd(_ a: Self, _ b: Self, _ c: Self) -> Self
}

extension sc_f32v: WinogradVector {
    @inline(__always)
    static func multiplyAdd(_ a: sc_f32v, _ b: sc_f32v, _ c: sc_f32v) -> sc_f32v { sc_f32v_multiply_add(a, b, c) }
}

extension sc_f64v: WinogradVector {
    @inline(__always)
    static func multiplyAdd(_ a: sc_f64v, _ b: sc_f64v, _ c: sc_f64v) -> sc_f64v { sc_f64v_multiply_add(a, b, c) }
}

@inline(__always)
private func multiplyAdd<V: WinogradVector>(_ a: V, _ b: V, _ c: V) -> V { V.multiplyAdd(a, b, c) }

@inline(__always)
private func constant<V: WinogradVector>(_ value: Double) -> V {
    V(repeating: V.Scalar(value))
}

/// F(2, 3) at 0, 1, -1: 4 products for 6. Its error in float32 is no larger than direct summation's.
enum Winograd2: WinogradScheme {
    @inline(__always) static var outputs: Int { 2 }
    @inline(__always) static var points: Int { 4 }

    @inline(__always)
    static func input<V: WinogradVector>(_ x: InlineArray<6, V>) -> InlineArray<6, V> {
        [x[0] - x[2], x[1] + x[2], x[2] - x[1], x[3] - x[1], x[0], x[0]]
    }

    @inline(__always)
    static func filter<V: WinogradVector>(_ w: InlineArray<3, V>) -> InlineArray<6, V> {
        let half: V = constant(0.5)
        let sum = w[0] + w[2]
        return [w[0], (sum + w[1]) * half, (sum - w[1]) * half, w[2], w[0], w[0]]
    }

    @inline(__always)
    static func output<V: WinogradVector>(_ s: InlineArray<6, V>) -> InlineArray<4, V> {
        [s[0] + (s[1] + s[2]), (s[1] - s[2]) + s[3], s[0], s[0]]
    }
}

/// F(4, 3) at 0, +-3/4, +-5/4: 6 products for 12. Points so near to one keep the error in float32 within twice that of
/// direct summation, where 0, +-1, +-2 make it 7 times that.
enum Winograd4: WinogradScheme {
    @inline(__always) static var outputs: Int { 4 }
    @inline(__always) static var points: Int { 6 }

    fileprivate static var a: Double { 0.75 }
    fileprivate static var b: Double { 1.25 }

    /// With N(x) = x (x^2 - a^2) (x^2 - b^2), row p of B^T has the coefficients of N(x) / (x - p), the last those of N.
    @inline(__always)
    static func input<V: WinogradVector>(_ x: InlineArray<6, V>) -> InlineArray<6, V> {
        let (product, sum): (V, V) = (constant(a * a * b * b), constant(-(a * a + b * b)))
        let (minusA2, minusB2): (V, V) = (constant(-a * a), constant(-b * b))
        let (plusA, plusB): (V, V) = (constant(a), constant(b))
        let evenA = multiplyAdd(x[4], minusB2, x[2])
        let oddA = multiplyAdd(x[3], minusB2, x[1])
        let evenB = multiplyAdd(x[4], minusA2, x[2])
        let oddB = multiplyAdd(x[3], minusA2, x[1])
        return [
            multiplyAdd(multiplyAdd(x[4], sum, x[2]), product, x[0]),
            multiplyAdd(evenA, plusA, oddA),
            multiplyAdd(evenA, 0 - plusA, oddA),
            multiplyAdd(evenB, plusB, oddB),
            multiplyAdd(evenB, 0 - plusB, oddB),
            multiplyAdd(multiplyAdd(x[5], sum, x[3]), product, x[1]),
        ]
    }

    /// Row p of G is (1, p, p^2) / N'(p), the last (0, 0, 1).
    @inline(__always)
    static func filter<V: WinogradVector>(_ w: InlineArray<3, V>) -> InlineArray<6, V> {
        let evenA: V = multiplyAdd(w[0], constant(a * a), w[2])
        let evenB: V = multiplyAdd(w[0], constant(b * b), w[2])
        let (scaleA, scaleB): (V, V) = (
            constant(1 / (2 * a * a * (a * a - b * b))), constant(1 / (2 * b * b * (b * b - a * a)))
        )
        let (oddA, oddB): (V, V) = (w[1] * constant(a), w[1] * constant(b))
        return [
            w[0] * constant(1 / (a * a * b * b)), (evenA + oddA) * scaleA, (evenA - oddA) * scaleA,
            (evenB + oddB) * scaleB, (evenB - oddB) * scaleB, w[2],
        ]
    }

    /// Column p of A^T is (1, p, p^2, p^3), the last (0, 0, 0, 1).
    @inline(__always)
    static func output<V: WinogradVector>(_ s: InlineArray<6, V>) -> InlineArray<4, V> {
        let (sumA, differenceA) = (s[1] + s[2], s[1] - s[2])
        let (sumB, differenceB) = (s[3] + s[4], s[3] - s[4])
        return [
            s[0] + (sumA + sumB),
            multiplyAdd(differenceA * constant(a), constant(b), differenceB),
            multiplyAdd(sumA * constant(a * a), constant(b * b), sumB),
            multiplyAdd(multiplyAdd(s[5], constant(a * a * a), differenceA), constant(b * b * b), differenceB),
        ]
    }
}

/// The transposes of F(4, 3)'s transforms, which make F(3, 4) of it, the gradient of the filter: 3 taps, each a sum over 4
/// outputs, by 6 products.
///
///     taps = G^T [(A gradient) * (B^T input)]
extension Winograd4 {
    /// A: row p has (1, p, p^2, p^3), the last (0, 0, 0, 1).
    @inline(__always)
    static func gradient<V: WinogradVector>(_ g: InlineArray<4, V>) -> InlineArray<6, V> {
        let evenA = multiplyAdd(g[0], constant(a * a), g[2])
        let oddA = multiplyAdd(g[1], constant(a * a), g[3]) * constant(a)
        let evenB = multiplyAdd(g[0], constant(b * b), g[2])
        let oddB = multiplyAdd(g[1], constant(b * b), g[3]) * constant(b)
        return [g[0], evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, g[3]]
    }

    /// G^T: column p has (1, p, p^2) / N'(p), the last (0, 0, 1).
    @inline(__always)
    static func taps<V: WinogradVector>(_ s: InlineArray<6, V>) -> InlineArray<3, V> {
        let (scaleA, scaleB): (V, V) = (
            constant(1 / (2 * a * a * (a * a - b * b))), constant(1 / (2 * b * b * (b * b - a * a)))
        )
        let (sumA, differenceA) = ((s[1] + s[2]) * scaleA, (s[1] - s[2]) * scaleA)
        let (sumB, differenceB) = ((s[3] + s[4]) * scaleB, (s[3] - s[4]) * scaleB)
        return [
            multiplyAdd(sumA + sumB, s[0], constant(1 / (a * a * b * b))),
            multiplyAdd(differenceA * constant(a), differenceB, constant(b)),
            multiplyAdd(multiplyAdd(s[5], sumA, constant(a * a)), sumB, constant(b * b)),
        ]
    }
}

import CMachine
import Foundations

/// How the tiles of a contraction multiply.
package enum PanelProducts: Sendable {
    /// One depth after the other.
    case elements(ArithmeticKind)
    /// Two depths at a time: signed 16-bit integers in 32-bit words.
    case pairs
    /// Four depths at a time: bytes in 32-bit words, unsigned ones of one side and signed ones of the other.
    case quads(lanesAreUnsigned: Bool)

    /// Depths in a word.
    package var depths: Int {
        switch self {
        case .elements: 1
        case .pairs: 2
        case .quads: 4
        }
    }
}

/// Words of several small integers each, whose products are added to one sum of 32 bits, modulo 2^32.
protocol DotArithmetic: Arithmetic where Vector == sc_u32v, Weight == sc_u32v, Accumulator == sc_u32v {}

extension DotArithmetic {
    @inline(__always) static var lanes: Int { sc_u32v.scalarCount }
    @inline(__always) static var elementBytes: Int { 4 }
    @inline(__always) static var zero: sc_u32v { sc_u32v(repeating: 0) }
    @inline(__always) static func load(_ source: UnsafeRawPointer) -> sc_u32v {
        source.loadUnaligned(as: sc_u32v.self)
    }
    @inline(__always) static func weight(_ source: UnsafeRawPointer) -> sc_u32v {
        sc_u32v(repeating: source.loadUnaligned(as: UInt32.self))
    }
    @inline(__always) static func add(_ sum: inout sc_u32v, _ x: sc_u32v) { sum &+= x }
    @inline(__always) static func store(_ sum: sc_u32v, _ destination: UnsafeMutableRawPointer) {
        destination.storeBytes(of: sum, as: sc_u32v.self)
    }
}

enum PairArithmetic: DotArithmetic {
    @inline(__always) static func multiplyAdd(_ sum: inout sc_u32v, _ x: sc_u32v, _ w: sc_u32v) {
        sum = sc_add_pairs(sum, x, w)
    }
}

enum UnsignedQuadArithmetic: DotArithmetic {
    @inline(__always) static func multiplyAdd(_ sum: inout sc_u32v, _ x: sc_u32v, _ w: sc_u32v) {
        sum = sc_add_quads(sum, x, w)
    }
}

enum SignedQuadArithmetic: DotArithmetic {
    @inline(__always) static func multiplyAdd(_ sum: inout sc_u32v, _ x: sc_u32v, _ w: sc_u32v) {
        sum = sc_add_quads(sum, w, x)
    }
}

/// What a word of four unsigned 128s adds to the sums of signed bytes, subtracted: what sums must start from where the
/// unsigned side's bytes were signed ones, 128 more each.
///
/// `count` words of one row.
package func quadCorrection(ofRow words: UnsafeRawPointer, count: Int) -> UInt32 {
    typealias Quads = SignedQuadArithmetic
    let weight = sc_u32v(repeating: 0x8080_8080)
    var sums = Quads.zero
    var word = 0
    while word &+ Quads.lanes <= count {
        Quads.multiplyAdd(&sums, Quads.load(words + 4 &* word), weight)
        word &+= Quads.lanes
    }
    var rest = sc_u32v(repeating: 0)
    for i in 0..<count &- word { rest[i] = words.load(fromByteOffset: 4 &* (word &+ i), as: UInt32.self) }
    Quads.multiplyAdd(&sums, rest, weight)
    return 0 &- sums.wrappedSum()
}

/// And of lanes, for each one: `count` rows of `width` words, whole vectors.
package func quadCorrections(
    ofLanes words: UnsafeRawPointer, count: Int, width: Int, to corrections: UnsafeMutableRawPointer
) {
    typealias Quads = SignedQuadArithmetic
    let weight = sc_u32v(repeating: 0x8080_8080)
    for j in 0..<width / Quads.lanes {
        var sum = Quads.zero
        for i in 0..<count {
            Quads.multiplyAdd(&sum, Quads.load(words + (4 &* i &* width &+ j &* Quads.vectorBytes)), weight)
        }
        Quads.store(Quads.zero &- sum, corrections + j &* Quads.vectorBytes)
    }
}

/// Whether the ISA has a use for each kind of word.
package var hasPairs: Bool { SC_HAS_PAIRS != 0 }
package var hasQuads: Bool { SC_HAS_QUADS != 0 }

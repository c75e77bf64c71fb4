/// What lies outside an axis; raw values as in swiftconv.h.
@frozen
package enum Boundary: Int32, Sendable {
    case fill = 0
    case wrap = 1
    case symmetric = 2
    case reflect = 3
    case edge = 4

    /// By value: the witness that other modules would call is looked up by the language's runtime, whose locks do not
    /// survive a fork.
    @inlinable
    package static func == (a: Self, b: Self) -> Bool {
        unsafeBitCast(a, to: UInt8.self) == unsafeBitCast(b, to: UInt8.self)
    }

    @inlinable
    package static func != (a: Self, b: Self) -> Bool { !(a == b) }

    /// The index inside `0..<extent` that stands for `index`, or -1 where the fill value does. Wrapping and mirroring
    /// repeat as often as needed; an axis of one sample is constant under every mapping.
    package func map(_ index: Int, extent: Int) -> Int {
        if index >= 0 && index < extent { return index }
        switch self {
        case .fill: return -1
        case .edge: return index < 0 ? 0 : extent &- 1
        case .wrap: return floorModulo(index, extent)
        case .symmetric:
            // Period 2n: d c b a | a b c d | d c b a. 2n fits: extents are bounded by memory.
            let i = floorModulo(index, 2 &* extent)
            return i < extent ? i : 2 &* extent &- 1 &- i
        case .reflect:
            if extent == 1 { return 0 }
            let period = 2 &* extent &- 2
            let i = floorModulo(index, period)
            return i < extent ? i : period &- i
        }
    }
}

private func floorModulo(_ a: Int, _ n: Int) -> Int {
    let r = a % n
    return r < 0 ? r &+ n : r
}

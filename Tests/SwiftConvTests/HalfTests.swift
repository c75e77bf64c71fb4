import CMachine
import Testing

/// float16 and bfloat16 against their definitions, all 65536 patterns of each.
struct HalfTests {
    struct Format: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let exponentBits: Int
        let widen: @Sendable (UInt16) -> Float
        let narrow: @Sendable (Float) -> UInt16
        var fractionBits: Int { 15 - exponentBits }
        var infinity: UInt16 { UInt16(((1 << exponentBits) - 1) << fractionBits) }

        /// sign * fraction * 2^exponent
        func value(_ bits: UInt16) -> Double {
            let bias = (1 << (exponentBits - 1)) - 1
            let exponent = Int(bits & 0x7FFF) >> fractionBits
            let fraction = Int(bits) & ((1 << fractionBits) - 1)
            let sign: Double = bits >> 15 == 0 ? 1 : -1
            if exponent == (1 << exponentBits) - 1 { return fraction == 0 ? sign * .infinity : .nan }
            let whole = exponent == 0 ? fraction : fraction + 1 << fractionBits
            return sign
                * Double(sign: .plus, exponent: max(exponent, 1) - bias - fractionBits, significand: Double(whole))
        }
    }

    static let formats = [
        Format(
            testDescription: "float16", exponentBits: 5, widen: { sc_float_from_half($0) },
            narrow: { sc_half_from_float($0) }),
        Format(
            testDescription: "bfloat16", exponentBits: 8, widen: { sc_float_from_bfloat($0) },
            narrow: { sc_bfloat_from_float($0) }),
    ]

    @Test(arguments: formats)
    func widensEveryPattern(format: Format) {
        let wrong = (0...UInt16.max).filter { bits in
            let (actual, expected) = (format.widen(bits), format.value(bits))
            return !(Double(actual) == expected && (actual.sign == .minus) == (bits >> 15 == 1))
                && !(actual.isNaN && expected.isNaN)
        }
        #expect(wrong.isEmpty)
    }

    @Test(arguments: formats)
    func narrowsBackEveryPattern(format: Format) {
        let wrong = (0...UInt16.max).filter { bits in
            let back = format.narrow(format.widen(bits))
            return format.value(bits).isNaN ? !format.value(back).isNaN : back != bits
        }
        #expect(wrong.isEmpty)
    }

    /// Between each pair of neighbours, subnormal ones and the largest with infinity included: the midpoint goes to
    /// the even one, and its own neighbours among the floats to the nearer one.
    @Test(arguments: formats)
    func roundsToNearestEven(format: Format) {
        var wrong: [UInt16] = []
        for bits in 0..<format.infinity {
            let below = Float(format.value(bits))
            // Beyond the largest number lies what would be the next one.
            let above =
                bits + 1 == format.infinity ? 2 * Double(below) - format.value(bits - 1) : format.value(bits + 1)
            let middle = Float((Double(below) + above) / 2)
            let even = bits % 2 == 0 ? bits : bits + 1
            for (sign, signBit) in [(1 as Float, 0 as UInt16), (-1, 0x8000)] {
                let expected = [bits, even, bits + 1].map { $0 | signBit }
                // A midpoint of float's own subnormals would not be one; half of bfloat16's are 2^15 of them apart.
                let actual = [middle.nextDown, middle, middle.nextUp].map { format.narrow(sign * $0) }
                if actual != expected { wrong.append(bits | signBit) }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test(arguments: formats)
    func overflowsAndKeepsNaN(format: Format) {
        #expect(format.narrow(.infinity) == format.infinity)
        #expect(format.narrow(-.infinity) == format.infinity | 0x8000)
        #expect(format.narrow(.greatestFiniteMagnitude) == format.infinity)
        #expect(format.narrow(-.greatestFiniteMagnitude) == format.infinity | 0x8000)
        #expect(format.narrow(0) == 0 && format.narrow(-0.0) == 0x8000)
        #expect(format.narrow(.leastNonzeroMagnitude) == 0 && format.narrow(-.leastNonzeroMagnitude) == 0x8000)
        for pattern in [0x7F80_0001, 0x7F80_FFFF, 0x7F81_0000, 0x7FBF_FFFF, 0x7FC0_0000, 0x7FFF_FFFF] as [UInt32] {
            #expect(format.value(format.narrow(Float(bitPattern: pattern))).isNaN)
            #expect(format.value(format.narrow(Float(bitPattern: pattern | 0x8000_0000))).isNaN)
        }
    }
}

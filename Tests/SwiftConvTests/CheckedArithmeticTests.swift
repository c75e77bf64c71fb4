import CSwiftConv
import Foundations
import Testing

struct CheckedArithmeticTests {
    private let failure = Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_DILATION, axis: 1, value: 7)

    private func overflows(_ body: () throws(Failure) -> Int) -> Bool {
        do throws(Failure) {
            _ = try body()
            return false
        } catch { return error.status == Int32(SC_SIZE_OVERFLOW) && error.axis == 1 && error.value == 7 }
    }

    @Test func addsUpToTheLimit() throws {
        #expect(try Checked.add(Int.max - 1, 1, or: failure) == Int.max)
        #expect(try Checked.add(Int.min + 1, -1, or: failure) == Int.min)
        #expect(overflows { () throws(Failure) in try Checked.add(Int.max, 1, or: failure) })
        #expect(overflows { () throws(Failure) in try Checked.add(Int.min, -1, or: failure) })
    }

    @Test func multipliesUpToTheLimit() throws {
        #expect(try Checked.multiply(1 << 31, 1 << 31, or: failure) == 1 << 62)
        #expect(try Checked.multiply(Int.max, 0, or: failure) == 0)
        #expect(overflows { () throws(Failure) in try Checked.multiply(1 << 32, 1 << 31, or: failure) })
        #expect(overflows { () throws(Failure) in try Checked.multiply(Int.min, -1, or: failure) })
    }

    @Test func dividesRoundingDownAndUp() {
        for a in -20...20 {
            for b in 1...7 {
                let exact = Double(a) / Double(b)
                #expect(floorDivide(a, b) == Int(exact.rounded(.down)), "\(a) / \(b)")
                if a >= 0 { #expect(ceilingDivide(a, b) == Int(exact.rounded(.up)), "\(a) / \(b)") }
            }
        }
        #expect(floorDivide(Int.min, 1) == Int.min)
        #expect(ceilingDivide(Int.max, 2) == 1 << 62)
    }

    @Test func findsGreatestCommonDivisors() {
        for a in 1...24 {
            for b in 1...24 {
                let divisors = (1...24).filter { a % $0 == 0 && b % $0 == 0 }
                #expect(greatestCommonDivisor(a, b) == divisors.max(), "\(a), \(b)")
            }
        }
        #expect(greatestCommonDivisor(Int.max, Int.max - 1) == 1)
    }

    @Test func saturatesSizes() {
        #expect(saturatingAdd(Int.max, 1) == Int.max)
        #expect(saturatingAdd(Int.max - 1, 1) == Int.max)
        #expect(saturatingMultiply(1 << 40, 1 << 40) == Int.max)
        #expect(saturatingMultiply(1 << 40, 0) == 0)
        #expect(saturatingMultiply(3, 5) == 15)
    }

    @Test func roundsToCacheLines() {
        #expect([0, 1, 63, 64, 65].map(roundToCacheLine) == [0, 64, 64, 64, 128])
        #expect(roundToCacheLine(Int.max) == Int.max)
        #expect(roundToCacheLine(Int.max - 64) >= Int.max - 64)
    }
}

import CSwiftConv
import Foundations
import Testing

struct ElementTypeTests {
    static let table: [(ElementType, code: Int, bytes: Int, swap: Int)] = [
        (.bool, SC_BOOL, 1, 1), (.int8, SC_INT8, 1, 1), (.int16, SC_INT16, 2, 2), (.int32, SC_INT32, 4, 4),
        (.int64, SC_INT64, 8, 8), (.uint8, SC_UINT8, 1, 1), (.uint16, SC_UINT16, 2, 2), (.uint32, SC_UINT32, 4, 4),
        (.uint64, SC_UINT64, 8, 8), (.float16, SC_FLOAT16, 2, 2), (.bfloat16, SC_BFLOAT16, 2, 2),
        (.float32, SC_FLOAT32, 4, 4), (.float64, SC_FLOAT64, 8, 8), (.complex64, SC_COMPLEX64, 8, 4),
        (.complex128, SC_COMPLEX128, 16, 8),
    ]

    @Test func agreesWithTheHeader() {
        #expect(Self.table.map(\.0) == ElementType.allCases)
        for (type, code, bytes, swap) in Self.table {
            #expect(type.rawValue == Int32(code) && type.byteCount == bytes && type.swapUnit == swap, "\(type)")
        }
        #expect(ElementType(rawValue: -1) == nil && ElementType(rawValue: 15) == nil)
    }

    @Test func knowsKindsAndArithmetics() {
        for type in ElementType.allCases {
            #expect(type.isFloating == (type.rawValue >= Int32(SC_FLOAT16)), "\(type)")
            #expect(type.isComplex == (type == .complex64 || type == .complex128), "\(type)")
            // What kernels read and write in place has the arithmetic's size.
            if type.isComputedInPlace { #expect(type.byteCount == type.arithmetic.byteCount, "\(type)") }
            #expect(type.byteCount <= type.arithmetic.byteCount, "\(type)")
        }
    }

    @Test func tensorsIgnoreStridesThatAreNeverTaken() {
        let extents: [Int64] = [1, 0, 2]
        let strides: [Int64] = [.max, .min, -24]
        var byte: UInt8 = 0
        withUnsafeMutablePointer(to: &byte) { byte in
            let tensor = Tensor(
                data: byte, type: .complex64, byteswapped: true, rank: 3, extents: extents, strides: strides)
            #expect((0..<3).map(tensor.stride) == [0, 0, -24])
            #expect((0..<3).map(tensor.extent) == [1, 0, 2])
            #expect(tensor.swapUnit == 4)
        }
    }
}

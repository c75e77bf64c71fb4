import CMachine
import CSwiftConv
import Foundations

/// How a test array's elements lie in memory.
enum Layout: CaseIterable {
    case c, fortran, firstAxisInnermost, reversed, everySecond, gappedRows, broadcastFirst, broadcastLast, misaligned
    case byteswapped, reversedFortran, channelsLast

    /// The layouts that an output may have: no element twice.
    static let writable = allCases.filter { $0 != .broadcastFirst && $0 != .broadcastLast }
}

/// A strided array with its memory, guard pages beside it.
final class TestArray: @unchecked Sendable {
    let type: ElementType
    let shape: [Int]
    /// In bytes.
    let strides: [Int]
    let byteswapped: Bool
    let memory: GuardedMemory
    let data: UnsafeMutableRawPointer
    private let lists: UnsafeMutablePointer<Int64>

    init(_ type: ElementType, _ shape: [Int], _ layout: Layout = .c, guarding: GuardedMemory.Guard = .end) {
        self.type = type
        self.shape = shape
        strides = layout.strides(shape, element: type.byteCount)
        byteswapped = layout == .byteswapped
        var (lowest, highest) = (0, shape.contains(0) ? 0 : type.byteCount)
        for (extent, stride) in zip(shape, strides) where extent > 1 {
            if stride < 0 { lowest += (extent - 1) * stride } else { highest += (extent - 1) * stride }
        }
        if shape.contains(0) { (lowest, highest) = (0, 0) }
        memory = GuardedMemory(
            byteCount: highest - lowest, guarding: guarding, shift: layout == .misaligned ? 1 : 0)
        data = memory.base - lowest
        lists = TestArray.lists(shape, strides)
    }

    /// A view of another array's elements.
    init(_ other: TestArray, data: UnsafeMutableRawPointer, shape: [Int], strides: [Int]) {
        type = other.type
        byteswapped = other.byteswapped
        memory = other.memory
        self.shape = shape
        self.strides = strides
        self.data = data
        lists = TestArray.lists(shape, strides)
    }

    deinit { lists.deallocate() }

    private static func lists(_ shape: [Int], _ strides: [Int]) -> UnsafeMutablePointer<Int64> {
        let lists = UnsafeMutablePointer<Int64>.allocate(capacity: 2 * shape.count + 1)
        for i in shape.indices {
            lists[i] = Int64(shape[i])
            lists[shape.count + i] = Int64(strides[i])
        }
        return lists
    }

    /// The part `range` of an axis.
    func slice(axis: Int, _ range: Range<Int>) -> TestArray {
        var shape = shape
        shape[axis] = range.count
        return TestArray(self, data: data + range.lowerBound * strides[axis], shape: shape, strides: strides)
    }

    /// The last two axes exchanged.
    var transposed: TestArray {
        let (last, before) = (shape.count - 1, shape.count - 2)
        var (shape, strides) = (shape, strides)
        shape.swapAt(before, last)
        strides.swapAt(before, last)
        return TestArray(self, data: data, shape: shape, strides: strides)
    }

    var descriptor: sc_tensor {
        sc_tensor(
            data: data, shape: lists, strides: lists + shape.count, ndim: Int32(shape.count), dtype: type.rawValue,
            byteswapped: byteswapped ? 1 : 0, reserved: 0)
    }

    var tensor: Tensor {
        Tensor(
            data: data, type: type, byteswapped: byteswapped, rank: shape.count, extents: lists,
            strides: lists + shape.count)
    }
}

extension Layout {
    fileprivate func strides(_ shape: [Int], element: Int) -> [Int] {
        let axes = Array(shape.indices)
        let inwards: [Int] =
            switch self {
            case .fortran, .reversedFortran: axes.reversed()
            case .firstAxisInnermost: Array(axes.dropFirst()) + axes.prefix(1)
            // (N, C, H, W) lies as (N, H, W, C).
            case .channelsLast: Array(axes.prefix(1)) + axes.dropFirst(2) + axes.dropFirst().prefix(1)
            default: axes
            }
        var strides = shape
        var stride = element
        for axis in inwards.reversed() {
            let step =
                switch self {
                case .reversed, .reversedFortran: -1
                case .everySecond: 2
                case .broadcastFirst: axis == 0 ? 0 : 1
                case .broadcastLast: axis == axes.last ? 0 : 1
                default: 1
                }
            strides[axis] = stride * step
            if step != 0 { stride *= abs(step) * max(shape[axis], 1) }
            if self == .gappedRows && axis == axes.last { stride += 3 * element }
        }
        return strides
    }
}

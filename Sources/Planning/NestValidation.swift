import Algorithms
import CSwiftConv
import Foundations

/// A loop nest as the caller describes it, checked and copied to lists that may be rewritten, during `body`. Everything
/// that could overflow below is looked at here; that memory is where strides say is the caller's word.
package func withLoopNest(
    _ contraction: sc_contraction, out: sc_factor?, _ body: (LoopNest) throws(Failure) -> Bool
) throws(Failure) -> Bool {
    let factorCount = Int(contraction.factor_count)
    let indexCount = Int(contraction.index_count)
    let outputCount = Int(contraction.output_count)
    let windowCount = Int(contraction.window_count)
    if factorCount < 1 || factorCount > Int(SC_MAX_FACTORS) {
        throw Failure(
            SC_RANK, argument: SC_ARG_OPERANDS, value: factorCount, expected: Int(SC_MAX_FACTORS))
    }
    if indexCount < 0 || indexCount > Int(SC_MAX_INDICES) || outputCount < 0 || outputCount > indexCount {
        throw Failure(
            SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_OPERANDS, value: indexCount, expected: Int(SC_MAX_INDICES))
    }
    if windowCount < 0 || windowCount > indexCount || contraction.factors == nil
        || (indexCount > 0 && contraction.extents == nil) || (windowCount > 0 && contraction.windows == nil)
    {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_OPERANDS)
    }
    guard let resultType = ElementType(rawValue: contraction.result_dtype) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_DTYPE, value: Int(contraction.result_dtype))
    }
    guard let boundary = Boundary(rawValue: contraction.boundary) else {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_BOUNDARY, value: Int(contraction.boundary))
    }
    // Extents, and strides of every factor, of the output and of every window.
    let lists = factorCount + windowCount + 2
    return try withUnsafeTemporaryAllocation(of: Int.self, capacity: lists * indexCount + 1) {
        (numbers) throws(Failure) -> Bool in
        try withUnsafeTemporaryAllocation(of: NestFactor.self, capacity: factorCount) {
            (factors) throws(Failure) -> Bool in
            try withUnsafeTemporaryAllocation(of: NestWindow.self, capacity: windowCount + 1) {
                (windows) throws(Failure) -> Bool in
                // None is empty.
                var next = numbers.baseAddress.unsafelyUnwrapped
                func list(_ source: UnsafePointer<Int64>?, count: Int) -> UnsafeMutablePointer<Int> {
                    for i in 0..<indexCount { next[i] = i < count ? source.map { Int($0[i]) } ?? 0 : 0 }
                    defer { next += indexCount }
                    return next
                }
                let extents = list(contraction.extents, count: indexCount)
                var isEmpty = false
                for i in 0..<indexCount {
                    if extents[i] < 0 {
                        throw Failure(SC_NEGATIVE, argument: SC_ARG_OPERANDS, axis: i, value: extents[i])
                    }
                    if extents[i] == 0 { isEmpty = true }
                }
                let factorList = factors.baseAddress.unsafelyUnwrapped
                for f in 0..<factorCount {
                    let given = contraction.factors[f]
                    let strides = list(given.strides, count: indexCount)
                    let factor = try decode(given, strides, argument: SC_ARG_OPERANDS, axis: f)
                    try checkReach(strides, extents, indexCount, argument: SC_ARG_OPERANDS, axis: f)
                    (factorList + f).initialize(to: factor)
                }
                let outStrides = list(out?.strides, count: outputCount)
                if out == nil {
                    try setDenseStrides(
                        outStrides, extents, outputCount, isEmpty: isEmpty, element: resultType.byteCount)
                }
                let output =
                    try out.map { (out) throws(Failure) in
                        try decode(out, outStrides, argument: SC_ARG_OUT, axis: -1)
                    }
                    ?? NestFactor(
                        data: factorList[0].data, type: resultType, swapUnit: 1, strides: outStrides)
                try checkReach(outStrides, extents, indexCount, argument: SC_ARG_OUT, axis: -1)
                let windowList = windows.baseAddress.unsafelyUnwrapped
                for w in 0..<windowCount {
                    let given = contraction.windows[w]
                    var window = NestWindow(steps: list(given.steps, count: indexCount))
                    window.factor = Int(given.factor)
                    window.extent = Int(given.extent)
                    window.stride = Int(given.stride)
                    window.padding = Int(given.padding)
                    try check(window, factorList, factorCount, extents, indexCount, number: w, isEmpty: isEmpty)
                    (windowList + w).initialize(to: window)
                }
                return try body(
                    LoopNest(
                        factors: factorList, factorCount: factorCount, output: output, extents: extents,
                        indexCount: indexCount, outputCount: outputCount, resultType: resultType, boundary: boundary,
                        windows: windowList, windowCount: windowCount))
            }
        }
    }
}

private func decode(
    _ factor: sc_factor, _ strides: UnsafeMutablePointer<Int>, argument: Int, axis: Int
) throws(Failure) -> NestFactor {
    guard let type = ElementType(rawValue: factor.dtype) else {
        throw Failure(SC_DTYPE, argument: argument, axis: axis, value: Int(factor.dtype))
    }
    // Explanations touch no data.
    let data = factor.data ?? UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped
    return NestFactor(
        data: data, type: type, swapUnit: factor.byteswapped != 0 ? type.swapUnit : 1, strides: strides)
}

/// How far elements lie from the first one fits by a wide margin, so that sums of such distances fit too.
private func checkReach(
    _ strides: UnsafePointer<Int>, _ extents: UnsafePointer<Int>, _ count: Int, argument: Int, axis: Int
) throws(Failure) {
    var reach = 0
    for i in 0..<count where extents[i] > 0 {
        let size = strides[i].magnitude > UInt(Int.max) ? Int.max : Int(strides[i].magnitude)
        reach = saturatingAdd(reach, saturatingMultiply(size, extents[i]))
    }
    if reach > Int.max / 8 {
        throw Failure(SC_SIZE_OVERFLOW, argument: argument, axis: axis, value: reach)
    }
}

private func check(
    _ window: NestWindow, _ factors: UnsafePointer<NestFactor>, _ factorCount: Int, _ extents: UnsafePointer<Int>,
    _ indexCount: Int, number: Int, isEmpty: Bool
) throws(Failure) {
    if window.factor < 0 || window.factor >= factorCount || window.extent < 0 || (window.extent == 0 && !isEmpty) {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_OPERANDS, axis: number, value: window.factor)
    }
    for i in 0..<indexCount where window.steps[i] != 0 && factors[window.factor].strides[i] != 0 {
        throw Failure(SC_BAD_ENUM, argument: SC_ARG_OPERANDS, axis: number, value: i)
    }
    try checkReach(window.steps, extents, indexCount, argument: SC_ARG_PADDING, axis: number)
    let size = window.stride == Int.min ? Int.max : abs(window.stride)
    if window.padding.magnitude > UInt(Int.max / 8) || saturatingMultiply(size, window.extent) > Int.max / 8 {
        throw Failure(SC_SIZE_OVERFLOW, argument: SC_ARG_PADDING, axis: number, value: window.padding)
    }
}

private func setDenseStrides(
    _ strides: UnsafeMutablePointer<Int>, _ extents: UnsafePointer<Int>, _ count: Int, isEmpty: Bool, element: Int
) throws(Failure) {
    var step = element
    for i in (0..<count).reversed() {
        strides[i] = isEmpty ? 0 : step
        step = saturatingMultiply(step, extents[i])
    }
}

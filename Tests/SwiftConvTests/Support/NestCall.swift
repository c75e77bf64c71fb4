import CSwiftConv
import Foundations

/// A contraction over named indices, by letters: "pq,pqbmn->bmn". A letter that a factor has twice is a diagonal.
final class NestCall {
    struct Window {
        var factor: Int
        var extent: Int
        /// Memory stride of the axis, in bytes.
        var stride: Int
        var padding: Int
        var steps: [Character: Int]
    }

    let factors: [TestArray]
    private let letters: [[Character]]
    let outputLetters: [Character]
    let indices: [Character]
    let extents: [Int]
    var resultType: ElementType
    var boundary = SC_BOUNDARY_FILL
    var threads = 1
    var windows: [Window] = []

    /// A window's letters stand in no factor's: their extents are given.
    init(_ subscripts: String, _ factors: [TestArray], result: ElementType? = nil, windowed: [Character: Int] = [:]) {
        let sides = subscripts.split(separator: ">", omittingEmptySubsequences: false)
        letters = sides[0].dropLast().split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
        outputLetters = Array(sides[1])
        self.factors = factors
        resultType = result ?? factors[0].type
        var known = windowed
        for (names, factor) in zip(letters, factors) {
            for (name, extent) in zip(names, factor.shape) { known[name] = extent }
        }
        let output = outputLetters
        indices = output + known.keys.filter { !output.contains($0) }.sorted()
        extents = indices.map { known[$0]! }
    }

    var outShape: [Int] { outputLetters.map { extents[indices.firstIndex(of: $0)!] } }

    private func strides(_ names: [Character], _ array: TestArray) -> [Int64] {
        indices.map { index in
            zip(names, array.strides).reduce(0) { $0 + ($1.0 == index ? Int64($1.1) : 0) }
        }
    }

    func withDescriptor<R>(
        _ method: Int, out: TestArray?, _ body: (inout sc_contraction, inout sc_factor) -> R
    ) -> R {
        let lists =
            zip(letters, factors).map(strides) + windows.map { window in indices.map { Int64(window.steps[$0] ?? 0) } }
        let storage = (lists + [extents.map(Int64.init), out.map { strides(outputLetters, $0) } ?? []]).map { list in
            let memory = UnsafeMutablePointer<Int64>.allocate(capacity: list.count + 1)
            memory.initialize(from: list, count: list.count)
            return memory
        }
        defer { storage.forEach { $0.deallocate() } }
        func factor(_ array: TestArray, _ strides: UnsafeMutablePointer<Int64>) -> sc_factor {
            sc_factor(
                data: array.data, strides: strides, dtype: array.type.rawValue, byteswapped: array.byteswapped ? 1 : 0)
        }
        let descriptors = factors.indices.map { factor(factors[$0], storage[$0]) }
        let windowList = windows.indices.map { w in
            sc_window(
                factor: Int32(windows[w].factor), reserved: 0, extent: Int64(windows[w].extent),
                stride: Int64(windows[w].stride), padding: Int64(windows[w].padding), steps: storage[factors.count + w])
        }
        var output = out.map { factor($0, storage[storage.count - 1]) } ?? sc_factor()
        return descriptors.withUnsafeBufferPointer { descriptors in
            windowList.withUnsafeBufferPointer { windowList in
                var contraction = sc_contraction(
                    factor_count: Int32(factors.count), index_count: Int32(indices.count),
                    output_count: Int32(outputLetters.count), method: Int32(method), result_dtype: resultType.rawValue,
                    threads: Int32(threads), boundary: Int32(boundary), window_count: Int32(windows.count),
                    extents: storage[storage.count - 2], factors: descriptors.baseAddress,
                    windows: windowList.baseAddress)
                return body(&contraction, &output)
            }
        }
    }

    func run(_ method: Int, to out: TestArray, _ control: sc_control? = nil) -> Int {
        withDescriptor(method, out: out) { contraction, output in
            var error = sc_error()
            guard var control else { return Int(CSwiftConv.sc_contract_run(&contraction, &output, nil, &error)) }
            return Int(CSwiftConv.sc_contract_run(&contraction, &output, &control, &error))
        }
    }

    /// The name of the algorithm that would run, nil where it is refused.
    func algorithm(_ method: Int = SC_CONTRACT_AUTO) -> String? {
        let out = TestArray(resultType, outShape)
        return withDescriptor(method, out: out) { contraction, output in
            var explanation = sc_explanation()
            var error = sc_error()
            let status = CSwiftConv.sc_contract_explain(&contraction, &output, &explanation, &error)
            return Int(status) == SC_OK ? String(cString: explanation.algorithm) : nil
        }
    }

    /// What a method makes of it, nil where it cannot.
    func output(_ method: Int, _ layout: Layout = .c, type: ElementType? = nil) -> TestArray? {
        let out = TestArray(type ?? resultType, outShape, layout)
        let status = run(method, to: out)
        if status == SC_METHOD { return nil }
        return status == SC_OK && out.canariesAreAlive ? out : nil
    }
}

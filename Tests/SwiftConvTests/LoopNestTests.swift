import CSwiftConv
import Foundations
import Testing

/// Contractions over named indices: every algorithm against the oracle, on values whose sums are exact.
struct LoopNestTests {
    private static let methods = [SC_CONTRACT_AUTO, SC_CONTRACT_NEST, SC_CONTRACT_GEMM, SC_CONTRACT_DIRECT]

    /// Where a method's result differs from the oracle's; nil where none does.
    private func fault(_ call: NestCall, _ layout: Layout = .c, type: ElementType? = nil) -> String? {
        guard let expected = call.output(SC_CONTRACT_REFERENCE, type: type) else { return "no reference" }
        for method in LoopNestTests.methods {
            let isNamed = method != SC_CONTRACT_AUTO
            guard let found = call.output(method, layout, type: type) else {
                if isNamed && call.algorithm(method) == nil { continue }
                return "method \(method) failed"
            }
            // Of floats numbers, not bits: a sum that begins with a product may be minus zero.
            let isEqual =
                expected.type.isFloating ? found.numbers == expected.numbers : found.contents == expected.contents
            if !isEqual { return "method \(method), \(call.algorithm(method) ?? "-")" }
        }
        return nil
    }

    /// Two factors whose indices are rows, columns, depths and a batch in any order; extents around vectors and tiles.
    @Test(arguments: ElementType.allCases)
    func products(type: ElementType) {
        var generator = SeededGenerator(1200 + Int(type.rawValue))
        for _ in 0..<120 {
            let batch = generator.pick(["", "", "b", "bc"])
            let rows = generator.pick(["", "m", "mo"])
            let columns = generator.pick(["n", "n", "np"])
            let depth = generator.pick(["k", "k", "kl", ""])
            func shuffled(_ letters: String) -> String { String(letters.shuffled(using: &generator)) }
            var extents: [Character: Int] = [:]
            for letter in batch + rows + columns + depth {
                extents[letter] = generator.pick([1, 2, 3, 5, 7, 16, 17, 33])
            }
            let names = [shuffled(batch + rows + depth), shuffled(batch + columns + depth)]
            let factors = names.map { names in
                TestArray(type, names.map { extents[$0]! }, generator.pick(Layout.allCases))
                    .filled(.small, &generator)
            }
            let call = NestCall("\(names[0]),\(names[1])->\(shuffled(batch + rows + columns))", factors)
            call.threads = generator.pick([1, 2])
            if extents.values.reduce(1, *) > 300_000 { continue }
            if let fault = fault(call, generator.pick(Layout.writable)) {
                Issue.record("\(fault): \(names) \(extents)")
                return
            }
        }
    }

    /// One to four factors that share indices as it comes, of mixed dtypes, with diagonals and extents of 0.
    @Test func anyNest() {
        var generator = SeededGenerator(1230)
        let types = ElementType.allCases
        for round in 0..<500 {
            var extents: [Character: Int] = [:]
            for letter in "abcde" { extents[letter] = generator.pick([0, 1, 2, 3, 5, 9, 16, 21]) }
            if round % 8 != 0 { extents = extents.mapValues { max($0, 1) } }
            let type = generator.pick(types)
            let names = (0..<generator.pick([1, 2, 2, 3, 4])).map { _ in
                String((0..<generator.pick([0, 1, 2, 3])).map { _ in generator.pick(Array("abcde")) })
            }
            let used = Set(names.joined())
            if used.map({ extents[$0]! }).reduce(1, *) > 200_000 { continue }
            let output = String("abcde".filter { used.contains($0) && generator.pick([true, false]) })
            let factors = names.map { names in
                // Of each letter that stands twice the extent is the same.
                TestArray(
                    type.isComplex || generator.pick([true, true, false]) ? type : generator.pick([.bool, .int8]),
                    names.map { extents[$0]! }, generator.pick(Layout.allCases)
                ).filled(.small, &generator)
            }
            let call = NestCall(
                names.joined(separator: ",") + "->" + String(output.shuffled(using: &generator)), factors)
            call.resultType = type
            call.threads = generator.pick([1, 3])
            if let fault = fault(call, generator.pick(Layout.writable)) {
                Issue.record("\(fault): \(names) -> \(output) \(extents) \(type)")
                return
            }
        }
    }

    /// Rows in numbers around those of a tile, of lines around vectors: added, added up, multiplied, turned.
    @Test(arguments: [
        "bij,bjk->bik", "bij,bij->bi", "bij,bj->bi", "bij->ijb", "bij,bji->", "bij,bji->ij", "bij,bji->bij", "bij->ji",
        "ijb->ib", "ib,jb->bji", "bij,j->bij", "i,bj->bij",
    ])
    func tilesOfRows(subscripts: String) {
        var generator = SeededGenerator(1240)
        for type in ElementType.allCases {
            for (batch, line) in [(1, 70), (15, 16), (16, 15), (63, 3), (65, 4), (127, 2), (257, 5), (3, 1025)] {
                let extents: [Character: Int] = ["b": batch, "i": generator.pick([1, 2, 4, 17]), "j": line, "k": line]
                if subscripts.contains("k") && line > 100 { continue }
                let factors = subscripts.split(separator: "-")[0].split(separator: ",").map { names in
                    TestArray(type, names.map { extents[$0]! }, generator.pick(Layout.allCases))
                        .filled(.small, &generator)
                }
                let call = NestCall(subscripts, factors)
                call.threads = generator.pick([1, 2])
                if let fault = fault(call, generator.pick(Layout.writable)) {
                    Issue.record("\(fault): \(type) \(extents)")
                    return
                }
            }
        }
    }

    /// Sums long enough for parts, outputs few enough, on one thread and several.
    @Test(arguments: ["ki,kj->ij", "ik,jk->ij", "kil,klj->ji", "kil->", "k,k->", "kil->il", "ikl->i", "ki,k,k->i"])
    func longSums(subscripts: String) {
        var generator = SeededGenerator(1250)
        for type in [ElementType.float32, .float16, .int8, .uint64, .bool, .complex64] {
            let extents: [Character: Int] = ["k": 40_001, "i": 5, "j": 13, "l": 2]
            let sides = subscripts.split(separator: "-")
            let factors = sides[0].split(separator: ",").map { names in
                // Most of them zero: the sums of 16-bit floats are exact too.
                let array = TestArray(type, names.map { extents[$0]! })
                array.set(
                    (0..<array.count * (type.isComplex ? 1 : 1)).map { _ in
                        Int.random(in: 0..<40, using: &generator) == 0 ? 1 : 0
                    })
                return array
            }
            let call = NestCall(subscripts, factors)
            var found: [[UInt8]] = []
            for threads in [1, 2, 4] {
                call.threads = threads
                if let fault = fault(call) {
                    Issue.record("\(fault): \(type), \(threads) threads")
                    return
                }
                found.append(call.output(SC_CONTRACT_AUTO)?.contents ?? [])
            }
            #expect(found.allSatisfy { $0 == found[0] })
        }
    }

    /// Sums that round have the same bits whatever the number of threads and of other outputs along a batch.
    @Test func sameBits() {
        var generator = SeededGenerator(1260)
        for subscripts in [
            "bi,bj->bij", "bki,bkj->bij", "bkm,bkn->bmn", "bki->bi", "bk,bk->b", "bik,k->bi", "bki,bk->bi",
            "bki,bik->b", "bki,bik->bi", "bij,bi->b", "bim,bjm->bij",
        ] {
            let extents: [Character: Int] = ["b": 9, "k": 70_000, "i": 3, "j": 4, "m": 8, "n": 9]
            let names = subscripts.dropLast(
                subscripts.count - subscripts.firstIndex(of: "-")!.utf16Offset(in: subscripts)
            )
            .split(separator: ",")
            let factors = names.map { names in
                TestArray(.float32, names.map { extents[$0]! }).filled(.rounding, &generator)
            }
            let call = NestCall(subscripts, factors)
            guard let whole = call.output(SC_CONTRACT_AUTO)?.contents else {
                Issue.record("failed")
                return
            }
            call.threads = 3
            #expect(call.output(SC_CONTRACT_AUTO)?.contents == whole)
            let part = zip(names, factors).map { names, factor in
                names.first == "b" ? factor.slice(axis: 0, 4..<5) : factor
            }
            let one = NestCall(subscripts, part).output(SC_CONTRACT_AUTO)?.contents
            let size = whole.count / 9
            #expect(one == Array(whole[4 * size..<5 * size]), "\(subscripts)")
        }
    }

    /// A strided view of windows is known for the convolution that it is, in any order of its axes.
    @Test func knowsConvolutions() {
        var generator = SeededGenerator(1270)
        for type in [ElementType.float32, .int16, .complex64, .bool] {
            for (step, dilation) in [(1, 1), (2, 1), (1, 2), (3, 2)] {
                let image = TestArray(type, [2, 3, 20, 19]).filled(.small, &generator)
                let (s, taps) = (image.strides, [3, 4])
                func outputs(_ extent: Int, _ taps: Int) -> Int { (extent - dilation * (taps - 1) - 1) / step + 1 }
                // n c y x i j
                let view = TestArray(
                    image, data: image.data,
                    shape: [2, 3, outputs(20, taps[0]), outputs(19, taps[1])] + taps,
                    strides: [s[0], s[1], s[2] * step, s[3] * step, s[2] * dilation, s[3] * dilation])
                let filter = TestArray(type, [5, 3] + taps).filled(.small, &generator)
                let single = TestArray(filter, data: filter.data, shape: taps, strides: Array(filter.strides.suffix(2)))
                for call in [
                    NestCall("ncyxij,ocij->noyx", [view, filter]), NestCall("ocij,ncyxij->yonx", [filter, view]),
                    NestCall("ncyxij,ij->ncyx", [view, single]), NestCall("ij,ncyxij->xync", [single, view]),
                ] {
                    if let fault = fault(call) {
                        Issue.record("\(fault): \(type), step \(step), dilation \(dilation)")
                        return
                    }
                    #expect(call.algorithm(SC_CONTRACT_DIRECT) == "stencil")
                    #expect(call.algorithm() != "loop nest")
                }
            }
        }
        // Neighbouring rows of a matrix that do not overlap are no windows.
        let (a, b) = (TestArray(.float32, [64, 64]), TestArray(.float32, [64, 64]))
        #expect(NestCall("ik,kj->ij", [a, b]).algorithm(SC_CONTRACT_DIRECT) == nil)
    }

    /// Windows beyond an axis's ends, under every boundary.
    @Test(arguments: [SC_BOUNDARY_FILL, SC_BOUNDARY_WRAP, SC_BOUNDARY_SYMMETRIC, SC_BOUNDARY_REFLECT, SC_BOUNDARY_EDGE])
    func padding(boundary: Int) {
        var generator = SeededGenerator(1280)
        for type in [ElementType.float32, .int8, .float16] {
            for (step, dilation, padding) in [(1, 1, 1), (2, 1, 2), (1, 2, 4), (2, 3, 0)] {
                let image = TestArray(type, [3, 12]).filled(.small, &generator)
                let filter = TestArray(type, [3, 4]).filled(.small, &generator)
                let rows = TestArray(image, data: image.data, shape: [3], strides: [image.strides[0]])
                let outputs = (12 + 2 * padding - dilation * 3 - 1) / step + 1
                let call = NestCall("c,ci->y", [rows, filter], windowed: ["y": outputs])
                call.boundary = boundary
                call.windows = [
                    NestCall.Window(
                        factor: 0, extent: 12, stride: image.strides[1], padding: padding,
                        steps: ["y": step, "i": dilation])
                ]
                if let fault = fault(call) {
                    Issue.record("\(fault): \(type), step \(step), dilation \(dilation), padding \(padding)")
                    return
                }
            }
        }
    }

    /// Windows of one output or one tap, and such as the filter moves with.
    @Test func unusualWindows() {
        var generator = SeededGenerator(1285)
        for (taps, outputs, padding) in [(1, 14, 1), (12, 1, 0), (14, 1, 1), (5, 1, 1), (3, 12, 1)] {
            for names in ["c,ci->y", "c,cy->i", "c,ciy->cy", "c,ciy->yi"] {
                let image = TestArray(.float32, [3, 12]).filled(.small, &generator)
                let letters = names.drop { $0 != "," }.dropFirst().prefix { $0 != "-" }
                let filter = TestArray(.float32, letters.map { ["c": 3, "i": taps, "y": outputs][$0]! })
                    .filled(.small, &generator)
                let rows = TestArray(image, data: image.data, shape: [3], strides: [image.strides[0]])
                let call = NestCall(names, [rows, filter], windowed: ["y": outputs, "i": taps])
                call.windows = [
                    NestCall.Window(
                        factor: 0, extent: 12, stride: image.strides[1], padding: padding, steps: ["y": 1, "i": 1])
                ]
                if let fault = fault(call) { Issue.record("\(fault): \(names), \(taps) taps, \(outputs) outputs") }
            }
        }
    }

    @Test func convertsResults() {
        var generator = SeededGenerator(1290)
        for (type, result, out) in [
            (ElementType.int8, ElementType.int32, ElementType.int32), (.float16, .float16, .float32),
            (.float32, .float64, .float16), (.int16, .float32, .float64), (.bool, .uint8, .int64),
        ] {
            for subscripts in ["ik,kj->ij", "ij,ij->ij", "ij,j->i", "ij->ji"] {
                let factors = [TestArray(type, [18, 18]), TestArray(type, [18, 18])]
                let count = subscripts.contains(",") ? 2 : 1
                let list = factors.prefix(count).map { $0.filled(.small, &generator) }
                let shaped =
                    subscripts == "ij,j->i" ? [list[0], TestArray(type, [18]).filled(.small, &generator)] : list
                let call = NestCall(subscripts, shaped, result: result)
                if let fault = fault(call, type: out) { Issue.record("\(fault): \(subscripts), \(type) to \(out)") }
            }
        }
    }

    @Test func interrupts() {
        for (subscripts, shapes) in [
            ("ij,jk->ik", [[1500, 1500], [1500, 1500]]), ("ij,ij->", [[9000, 9000], [9000, 9000]]),
        ] {
            let factors = shapes.map { shape in
                // One row of memory for all: of these sizes nothing need be written.
                let line = TestArray(.float64, [shape[1]])
                line.contents = [UInt8](repeating: 0, count: 8 * shape[1])
                return TestArray(line, data: line.data, shape: shape, strides: [0, 8])
            }
            let call = NestCall(subscripts, factors)
            let out = TestArray(.float64, call.outShape)
            let (status, polls) = interruptedAtSecondPoll { call.run(SC_CONTRACT_AUTO, to: out, $0) }
            #expect(status == SC_INTERRUPTED || polls < 2, "\(subscripts): \(status) after \(polls)")
        }
    }

    /// Descriptors that nobody should pass.
    @Test func hostile() {
        let call = NestCall("ij,jk->ik", [TestArray(.float32, [3, 4]), TestArray(.float32, [4, 5])])
        let out = TestArray(.float32, [3, 5])
        func expectRefused(
            _ status: Int, at location: SourceLocation = #_sourceLocation, _ change: (inout sc_contraction) -> Void
        ) {
            call.withDescriptor(SC_CONTRACT_AUTO, out: out) { contraction, output in
                change(&contraction)
                var error = sc_error()
                #expect(
                    Int(CSwiftConv.sc_contract_run(&contraction, &output, nil, &error)) == status,
                    sourceLocation: location)
                var explanation = sc_explanation()
                #expect(
                    Int(CSwiftConv.sc_contract_explain(&contraction, &output, &explanation, nil)) == status,
                    sourceLocation: location)
            }
        }
        expectRefused(SC_RANK) { $0.factor_count = 0 }
        expectRefused(SC_RANK) { $0.factor_count = 65 }
        expectRefused(SC_TOO_MANY_DIMENSIONS) { $0.index_count = 65 }
        expectRefused(SC_TOO_MANY_DIMENSIONS) { $0.index_count = -1 }
        expectRefused(SC_TOO_MANY_DIMENSIONS) { $0.output_count = 4 }
        expectRefused(SC_BAD_ENUM) { $0.factors = nil }
        expectRefused(SC_BAD_ENUM) { $0.extents = nil }
        expectRefused(SC_BAD_ENUM) { $0.window_count = 1 }
        expectRefused(SC_BAD_ENUM) { $0.result_dtype = 99 }
        expectRefused(SC_BAD_ENUM) { $0.method = 9 }
        expectRefused(SC_BAD_ENUM) { $0.boundary = 9 }
        expectRefused(SC_NOT_POSITIVE) { $0.threads = -2 }
        expectRefused(SC_METHOD) { $0.method = Int32(SC_CONTRACT_DIRECT) }
        let negative: [Int64] = [3, -4, 5]
        let huge: [Int64] = [3, 1 << 61, 5]
        negative.withUnsafeBufferPointer { list in expectRefused(SC_NEGATIVE) { $0.extents = list.baseAddress } }
        huge.withUnsafeBufferPointer { list in expectRefused(SC_SIZE_OVERFLOW) { $0.extents = list.baseAddress } }
    }
}

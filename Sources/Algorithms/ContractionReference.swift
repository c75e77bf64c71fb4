import Foundations
import Kernels

/// The oracle of contractions: one output at a time, one product at a time, straight from the definition. Nobody optimises
/// this.
package enum ContractionReference {
    package static func run(_ problem: ContractionProblem, control: Control) throws(Failure) -> Bool {
        var problem = problem
        return withUnsafeMutablePointer(to: &problem) { problem in
            ThreadPool.run(
                tasks: problem.pointee.outputCount, grain: 64, threads: 1, control: control, context: problem
            ) { context, _, first, end in
                let problem = context.assumingMemoryBound(to: ContractionProblem.self)
                for index in first..<end { problem.pointee.computeOutput(index) }
            }
        }
    }
}

extension ContractionProblem {
    fileprivate func computeOutput(_ number: Int) {
        let outer = batchCount + rowCount + columnCount
        var output = unravel(number, indices, outer)
        var sum = SumOfProducts(arithmetic)
        if let bias { sum.add(read(bias + offset(output, outer, \.biasStride), biasType, biasSwapUnit), one) }
        for tap in 0..<depthExtent {
            let taps = unravel(tap, depth, depthCount)
            for i in 0..<depthCount { output[outer + i] = taps[i] }
            guard let x = readInput(output, outer + depthCount) else { continue }
            let w = read(filter + offset(output, outer + depthCount, \.filterStride), filterType, filterSwapUnit)
            sum.add(x, w)
        }
        write(sum.result, at: offset(output, outer, \.outputStride))
    }

    private func unravel(_ number: Int, _ list: UnsafePointer<ContractionIndex>, _ count: Int) -> InlineArray<80, Int> {
        var rest = number
        var values = InlineArray<80, Int>(repeating: 0)
        for i in (0..<count).reversed() {
            values[i] = rest % list[i].extent
            rest /= list[i].extent
        }
        return values
    }

    private func offset(
        _ values: InlineArray<80, Int>, _ count: Int, _ stride: KeyPath<ContractionIndex, Int>
    ) -> Int {
        var offset = 0
        for i in 0..<count { offset += values[i] * indices[i][keyPath: stride] }
        return offset
    }

    /// The input under a tap, or nil in padding of zeros.
    private func readInput(_ values: InlineArray<80, Int>, _ count: Int) -> SIMD2<UInt64>? {
        var offset = 0
        for i in 0..<count where indices[i].window < 0 { offset += values[i] * indices[i].inputStride }
        for w in 0..<windowCount {
            var coordinate = 0 - windows[w].padding
            for i in 0..<count where indices[i].window == w { coordinate += values[i] * indices[i].step }
            let mapped = boundary.map(coordinate, extent: windows[w].extent)
            if mapped < 0 { return nil }
            offset += mapped * windows[w].inputStride
        }
        return read(input + offset, inputType, inputSwapUnit)
    }

    private func read(_ source: UnsafeRawPointer, _ type: ElementType, _ swapUnit: Int) -> SIMD2<UInt64> {
        let reader = ElementReader(type: type, swapUnit: swapUnit, arithmetic)
        var stage = SIMD2<UInt64>.zero
        var value = SIMD2<UInt64>.zero
        withUnsafeMutableBytes(of: &stage) { stage in
            withUnsafeMutableBytes(of: &value) { value in
                reader.read(
                    source, stride: type.byteCount, count: 1, to: value.baseAddress.unsafelyUnwrapped,
                    stage: stage.baseAddress.unsafelyUnwrapped)
            }
        }
        return value
    }

    private func write(_ value: SIMD2<UInt64>, at offset: Int) {
        let writer = ElementWriter(result: resultType, output: outputType, swapUnit: outputSwapUnit)
        var value = value
        var stages = SIMD4<UInt64>.zero
        withUnsafeMutableBytes(of: &value) { value in
            withUnsafeMutableBytes(of: &stages) { stages in
                let (values, first) = (value.baseAddress.unsafelyUnwrapped, stages.baseAddress.unsafelyUnwrapped)
                if let clamp { applyClamp(clamp.lowest, clamp.highest, resultType, values, count: 1) }
                writer.write(
                    values, count: 1, to: output + offset, stride: outputType.byteCount, stages: first, first + 16)
            }
        }
    }

    /// One, as the arithmetic holds it.
    private var one: SIMD2<UInt64> {
        var value = SIMD2<UInt64>.zero
        var bool: UInt8 = 1
        withUnsafeMutableBytes(of: &value) { value in
            convert(&bool, .bool, to: arithmetic, value.baseAddress.unsafelyUnwrapped, count: 1)
        }
        return value
    }
}

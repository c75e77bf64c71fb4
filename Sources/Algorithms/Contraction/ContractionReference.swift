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
        let (columnExtent, rowExtent) = (columns.extent, rows.extent)
        let place = Place(
            batch: number / columnExtent / rowExtent, row: number / columnExtent % rowExtent,
            column: number % columnExtent)
        var sum = SumOfProducts(arithmetic)
        if epilogue.bias != nil { sum.add(epilogue.bias(at: offset(place, .bias), arithmetic), arithmetic.one) }
        for tap in 0..<depth.extent {
            guard let x = readInput(place, tap) else { continue }
            let w = filter + offset(place, .filter) + depth.offset(tap, .filter)
            sum.add(x, read(w, filterType, filterSwapUnit))
        }
        write(sum.result, at: offset(place, .output))
    }

    private struct Place {
        let batch: Int
        let row: Int
        let column: Int
    }

    private func offset(_ place: Place, _ operand: ContractionIndex.Operand) -> Int {
        batch.offset(place.batch, operand) + rows.offset(place.row, operand) + columns.offset(place.column, operand)
    }

    /// The input under a tap, or nil in padding of zeros.
    private func readInput(_ place: Place, _ tap: Int) -> SIMD2<UInt64>? {
        var position = batch.offset(place.batch, .input)
        var coordinates = InlineArray<32, Int>(repeating: 0)
        for (list, number) in [(columns, place.column), (depth, tap)] {
            var rest = number
            for i in (0..<list.count).reversed() {
                let value = rest % list[i].extent
                rest /= list[i].extent
                if list[i].window < 0 {
                    position += value * list[i].inputStride
                } else {
                    coordinates[list[i].window] += value * list[i].step
                }
            }
        }
        for w in 0..<windowCount {
            let mapped = boundary.map(coordinates[w] - windows[w].padding, extent: windows[w].extent)
            if mapped < 0 { return nil }
            position += mapped * windows[w].inputStride
        }
        return read(input + position, inputType, inputSwapUnit)
    }

    private func read(_ source: UnsafeRawPointer, _ type: ElementType, _ swapUnit: Int) -> SIMD2<UInt64> {
        ElementReader(type: type, swapUnit: swapUnit, arithmetic).element(at: source)
    }

    private func write(_ value: SIMD2<UInt64>, at offset: Int) {
        var value = value
        withUnsafeMutableBytes(of: &value) {
            epilogue.limit($0.baseAddress.unsafelyUnwrapped, count: 1, resultType)
        }
        ElementWriter(result: resultType, output: outputType, swapUnit: outputSwapUnit)
            .write(element: value, to: output + offset)
    }
}

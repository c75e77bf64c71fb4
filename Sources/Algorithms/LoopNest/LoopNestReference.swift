import Foundations
import Kernels

/// The oracle of loop nests: one output at a time, one product at a time, straight from the definition. Nobody optimises
/// this.
package enum LoopNestReference {
    package static func run(_ nest: LoopNest, control: Control) throws(Failure) -> Bool {
        var nest = nest
        return withUnsafeMutablePointer(to: &nest) { nest in
            ThreadPool.run(
                tasks: nest.pointee.outputExtent, grain: 64, threads: 1, control: control, context: nest
            ) { context, _, first, end in
                let nest = context.assumingMemoryBound(to: LoopNest.self)
                for number in first..<end { nest.pointee.computeOutput(number) }
            }
        }
    }
}

extension LoopNest {
    fileprivate func computeOutput(_ number: Int) {
        let element = arithmetic.byteCount
        var sum = SIMD2<UInt64>.zero
        for depth in 0..<depth {
            guard let product = product(number, depth) else { continue }
            withUnsafeMutableBytes(of: &sum) {
                addToRows(
                    arithmetic, product, $0.baseAddress.unsafelyUnwrapped, rowStride: element, rows: 1, count: 1)
            }
        }
        ElementWriter(result: resultType, output: output.type, swapUnit: output.swapUnit)
            .write(element: sum, to: output.data + offset(number, 0..<outputCount, output.strides))
    }

    /// The product of all factors, or nil where one is padding of zeros.
    private func product(_ number: Int, _ depth: Int) -> SIMD2<UInt64>? {
        var product = SIMD2<UInt64>.zero
        for f in 0..<factorCount {
            guard let x = read(f, number, depth) else { return nil }
            if f == 0 {
                product = x
                if factorCount == 1, case .boolean = arithmetic { product[0] = x[0] == 0 ? 0 : 1 }
            } else {
                var sum = SumOfProducts(arithmetic)
                sum.add(product, x)
                product = sum.result
            }
        }
        return product
    }

    private func read(_ f: Int, _ number: Int, _ depth: Int) -> SIMD2<UInt64>? {
        let factor = factors[f]
        var offset =
            offset(number, 0..<outputCount, factor.strides) &+ offset(depth, outputCount..<indexCount, factor.strides)
        for w in 0..<windowCount where windows[w].factor == f {
            let window = windows[w]
            let coordinate =
                self.offset(number, 0..<outputCount, window.steps)
                &+ self.offset(depth, outputCount..<indexCount, window.steps) &- window.padding
            let inside = boundary.map(coordinate, extent: window.extent)
            if inside < 0 { return nil }
            offset &+= inside &* window.stride
        }
        return ElementReader(type: factor.type, swapUnit: factor.swapUnit, arithmetic)
            .element(at: factor.data + offset)
    }
}

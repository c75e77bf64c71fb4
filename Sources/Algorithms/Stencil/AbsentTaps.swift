import Foundations
import Kernels

extension StencilRun {
    /// Outputs at the border of a zero-filled input under a filter that holds infinities or NaN: taps outside the input
    /// are left out of the sum, as in NumPy, where multiplying them by the padding's zero would make NaN. One output at a
    /// time, in the kernels' order of summation; such filters are rare and borders thin.
    func runAbsentTaps(_ place: Place, _ rows: Range<Int>, _ columns: Range<Int>) {
        for r in rows {
            for c in columns {
                for number in 0..<plan.pointee.repeated.outExtent {
                    runAbsentTaps(place, row: r, column: c, number: number)
                }
            }
        }
    }

    private func runAbsentTaps(_ place: Place, row r: Int, column c: Int, number: Int) {
        var sum = SumOfProducts(plan.pointee.arithmetic)
        let row = plan.pointee.row
        let column = plan.pointee.column
        let element = plan.pointee.element
        let weights = place.weights(tables, number)
        var value = SIMD2<UInt64>.zero
        for p in 0..<plan.pointee.planes {
            guard let plane = locate(place, plane: p) else { continue }
            for t in 0..<column.filterExtent {
                let x = column.step &* c &- column.padding &+ column.dilation &* t
                if x < 0 || x >= column.inExtent { continue }
                for k in 0..<row.filterExtent {
                    let y = place.firstInputRow &+ plan.pointee.rowStep &* r &+ plan.pointee.rowTap &* k
                    if y < 0 || y >= row.inExtent { continue }
                    withUnsafeMutableBytes(of: &value) { value in
                        plan.pointee.reader.read(
                            plane + (y &* row.inStride &+ x &* column.inStride), stride: column.inStride, count: 1,
                            to: value.baseAddress.unsafelyUnwrapped,
                            stage: scratch + plan.pointee.scratch.firstStage)
                    }
                    let w = ((p &* column.filterExtent &+ t) &* row.filterExtent &+ k) &* element
                    sum.add(value, weights + w)
                }
            }
        }
        let target =
            place.output
            + (r &* plan.pointee.rowPhases &* row.outStride &+ c &* column.outStride
                &+ number &* plan.pointee.repeated.outStride)
        var result = sum.result
        withUnsafeMutableBytes(of: &result) { result in
            runEpilogue(place, number, result.baseAddress.unsafelyUnwrapped, rowStride: 0, rows: 1, count: 1)
            plan.pointee.writer.write(
                result.baseAddress.unsafelyUnwrapped, count: 1, to: target, stride: column.outStride,
                stages: scratch + plan.pointee.scratch.firstStage, scratch + plan.pointee.scratch.secondStage)
        }
    }

    private func locate(_ place: Place, plane: Int) -> UnsafeRawPointer? {
        var index = plane
        var offset = 0
        var i = plan.pointee.outerCount &- 1
        while i >= plan.pointee.batchCount {
            let axis = plan.pointee.outer[i]
            let distance = index % axis.filterExtent &* axis.dilation
            let sample = place.firstIndex(i) &+ distance
            if sample < 0 || sample >= axis.inExtent { return nil }
            offset &+= distance &* axis.inStride
            index /= axis.filterExtent
            i &-= 1
        }
        return place.input + offset
    }
}

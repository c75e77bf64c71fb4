import Foundations
import Kernels

/// Sums on their way to the array.
extension SumRun {
    func average() {
        let (scalar, count) = (plan.pointee.scalar, plan.pointee.divisorCount)
        for first in Swift.stride(from: 0, to: plan.pointee.blockElements, by: count) {
            let sums = sums + first &* plan.pointee.element
            if plan.pointee.problem.weights != nil {
                divide(sums, by: divisors, count: count &* plan.pointee.parts, scalar)
            } else {
                Kernels.average(
                    sums, by: divisors, inverses: inverses, count: count &* plan.pointee.parts, scalar)
            }
        }
    }

    /// Where divisors are numbers of elements.
    var inverses: UnsafeMutableRawPointer { divisors + plan.pointee.divisorCount &* plan.pointee.element }

    /// Rounds a block's sums and copies them to where they belong.
    func write() {
        if !plan.pointee.writer.isPlain { round() }
        var to = plan.pointee.problem.array
        for i in 0..<plan.pointee.problem.rank { to += firsts[i] &* plan.pointee.axes[i].axis.stride }
        let axis = plan.pointee.axes + plan.pointee.run.axis
        let phases = axis.pointee.phases
        let columns = counts[plan.pointee.run.axis] / phases
        let rest = counts[plan.pointee.run.axis] &- columns &* phases
        copy(sums, to, columns: columns, phases: phases)
        // Phases of which the last column has but some.
        copy(
            sums + columns &* outStride(axis.pointee.sumStride), to + columns &* phases &* axis.pointee.axis.stride,
            columns: 1, phases: rest)
    }

    /// In place, where each element takes as much room as in the array.
    private func round() {
        let problem = plan.pointee.problem
        let size = problem.arrayType.byteCount
        let (rounded, first, second) = (
            stages, stages + SumScratch.stageBytes, stages + 2 &* SumScratch.stageBytes
        )
        var done = 0
        while done < plan.pointee.blockElements {
            let part = min(SumScratch.stageElements, plan.pointee.blockElements &- done)
            plan.pointee.writer.write(
                sums + done &* plan.pointee.element, count: part, to: rounded, stride: size, stages: first, second)
            (sums + done &* size).copyMemory(from: rounded, byteCount: part &* size)
            done &+= part
        }
    }

    /// A stride among sums that have been rounded.
    private func outStride(_ stride: Int) -> Int {
        stride / plan.pointee.element &* plan.pointee.problem.arrayType.byteCount
    }

    /// So many columns of the run's axis and phases of each, and all of the other axes.
    private func copy(_ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer, columns: Int, phases: Int) {
        if columns == 0 || phases == 0 { return }
        let runAxis = plan.pointee.run.axis
        var count = 0
        for i in 0..<plan.pointee.problem.rank where i != runAxis {
            let axis = plan.pointee.axes + i
            insert(counts[i], axis.pointee.axis.stride, axis.pointee.sumStride, &count)
        }
        let axis = plan.pointee.axes + runAxis
        let stride = axis.pointee.axis.stride
        insert(columns, axis.pointee.phases &* stride, axis.pointee.sumStride, &count)
        insert(phases, stride, axis.pointee.phaseStride, &count)
        merge(&count)
        let size = plan.pointee.problem.arrayType.byteCount
        if count == 0 {
            writeLoops[0] = CopyLoop(extent: 1, destination: size, source: size)
            count = 1
        }
        let box = CopyBox(writeLoops, count: count, element: size, swaps: false, streams: false, scratch: boxScratch)
        for l in 0..<count { box.counts[l] = writeLoops[l].extent }
        box.copy(source, destination)
    }

    /// Keeps the loops in the order of the array's memory, largest stride first.
    private func insert(_ extent: Int, _ destination: Int, _ source: Int, _ count: inout Int) {
        if extent == 1 { return }
        var place = count
        while place > 0 && writeLoops[place &- 1].destination.magnitude < destination.magnitude {
            writeLoops[place] = writeLoops[place &- 1]
            place &-= 1
        }
        writeLoops[place] = CopyLoop(extent: extent, destination: destination, source: outStride(source))
        count &+= 1
    }

    /// Loops that one stride walks both in scratch and in the array become one.
    private func merge(_ count: inout Int) {
        var l = count &- 1
        while l > 0 {
            let (outer, inner) = (writeLoops[l &- 1], writeLoops[l])
            if outer.destination == inner.destination &* inner.extent && outer.source == inner.source &* inner.extent {
                writeLoops[l &- 1] = inner
                writeLoops[l &- 1].extent = inner.extent &* outer.extent
                count &-= 1
                for later in l..<count { writeLoops[later] = writeLoops[later &+ 1] }
            }
            l &-= 1
        }
    }
}

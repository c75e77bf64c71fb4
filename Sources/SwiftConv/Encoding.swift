import Algorithms
import CSwiftConv
import Foundations

/// Swift values to what swiftconv.h says.

func report(
    to error: UnsafeMutablePointer<sc_error>?, _ body: () throws(Failure) -> sc_status
) -> sc_status {
    do throws(Failure) {
        return try body()
    } catch let failure {
        error?.pointee = sc_error(
            argument: failure.argument, axis: Int32(truncatingIfNeeded: failure.axis), value: Int64(failure.value),
            lowest: Int64(failure.lowest), expected: Int64(failure.expected))
        return failure.status
    }
}

func encode(_ found: Explanation) -> sc_explanation {
    func text(_ string: StaticString) -> UnsafePointer<CChar> {
        UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
    }
    return sc_explanation(
        algorithm: text(found.algorithm), kernel: text(found.kernel), input: text(found.input),
        output: text(found.output), vector_axis: Int64(found.vectorAxis), vector_lanes: Int64(found.vectorLanes),
        tile_rows: Int64(found.tileRows), tile_columns: Int64(found.tileColumns),
        block_rows: Int64(found.blockRows), block_columns: Int64(found.blockColumns),
        workspace_bytes: Int64(found.workspaceBytes), tasks: Int64(found.tasks), threads: Int64(found.threads))
}

func decode(_ control: UnsafePointer<sc_control>?) -> Control {
    control.map { Control(interrupted: $0.pointee.interrupted, context: $0.pointee.context) } ?? .none
}

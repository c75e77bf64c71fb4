import Algorithms
import CSwiftConv
import Foundations
import Planning

// The C functions of swiftconv.h's section on matrices.

@_cdecl("sc_sliding_axes")
public func sc_sliding_axes(
    _ a: UnsafePointer<sc_tensor>, _ v: UnsafePointer<sc_tensor>, _ options: UnsafePointer<sc_sliding>,
    _ axes: UnsafeMutablePointer<sc_matrix_axis>, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let a = try decode(a.pointee, argument: SC_ARG_A)
        let v = try decode(v.pointee, argument: SC_ARG_V)
        let options = try decode(options.pointee)
        if a.rank != options.windowRank {
            throw Failure(SC_WINDOW_RANK, argument: SC_ARG_V, value: options.windowRank, expected: a.rank)
        }
        _ = try withAxes(rank: a.rank) { (found) throws(Failure) in
            _ = try validate(a, v, out: nil, options, into: found)
            for i in 0..<a.rank {
                axes[i] = sc_matrix_axis(
                    samples: Int64(found[i].inExtent), outputs: Int64(found[i].outExtent),
                    taps: Int64(found[i].filterExtent), step: Int64(found[i].step),
                    dilation: Int64(found[i].dilation), padding: Int64(found[i].padding))
            }
            return true
        }
        return sc_status(SC_OK)
    }
}

@_cdecl("sc_matrix_count")
public func sc_matrix_count(
    _ matrix: UnsafePointer<sc_matrix>, _ size: UnsafeMutablePointer<sc_matrix_size>,
    _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    run(matrix.pointee, nil, error) { (matrix, _) throws(Failure) in
        let found = try Matrices.size(matrix)
        size.pointee = sc_matrix_size(
            lines: Int64(found.lines), crossed: Int64(found.crossed), entries: Int64(found.entries),
            blocks: Int64(found.blocks))
        return true
    }
}

@_cdecl("sc_matrix_compressed")
public func sc_matrix_compressed(
    _ matrix: UnsafePointer<sc_matrix>, _ kernel: UnsafePointer<sc_tensor>, _ pointers: UnsafePointer<sc_tensor>,
    _ indices: UnsafePointer<sc_tensor>, _ lineNumbers: UnsafePointer<sc_tensor>?, _ data: UnsafePointer<sc_tensor>,
    _ control: UnsafePointer<sc_control>?, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    run(matrix.pointee, kernel, error) { (matrix, threads) throws(Failure) in
        let lines = try lineNumbers.map { (lines) throws(Failure) in
            try decode(lines.pointee, argument: SC_ARG_LINES, needsData: true)
        }
        let target = try matrix.compressed(
            pointers: try decode(pointers.pointee, argument: SC_ARG_POINTERS, needsData: true),
            indices: try decode(indices.pointee, argument: SC_ARG_INDICES, needsData: true), lines: lines,
            data: try decode(data.pointee, argument: SC_ARG_DATA, needsData: true))
        return try Matrices.write(matrix, to: target, threads: threads, control: decode(control))
    }
}

@_cdecl("sc_matrix_dense")
public func sc_matrix_dense(
    _ matrix: UnsafePointer<sc_matrix>, _ kernel: UnsafePointer<sc_tensor>, _ out: UnsafePointer<sc_tensor>,
    _ control: UnsafePointer<sc_control>?, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    run(matrix.pointee, kernel, error) { (matrix, threads) throws(Failure) in
        let target = try matrix.dense(try decode(out.pointee, argument: SC_ARG_OUT, needsData: true))
        return try Matrices.write(matrix, to: target, threads: threads, control: decode(control))
    }
}

@_cdecl("sc_matrix_blocks")
public func sc_matrix_blocks(
    _ matrix: UnsafePointer<sc_matrix>, _ kernel: UnsafePointer<sc_tensor>, _ pointers: UnsafePointer<sc_tensor>,
    _ indices: UnsafePointer<sc_tensor>, _ data: UnsafePointer<sc_tensor>, _ control: UnsafePointer<sc_control>?,
    _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    run(matrix.pointee, kernel, error) { (matrix, threads) throws(Failure) in
        let target = try matrix.blocks(
            pointers: try decode(pointers.pointee, argument: SC_ARG_POINTERS, needsData: true),
            indices: try decode(indices.pointee, argument: SC_ARG_INDICES, needsData: true),
            data: try decode(data.pointee, argument: SC_ARG_DATA, needsData: true))
        return try Matrices.write(matrix, blocks: target, threads: threads, control: decode(control))
    }
}

/// Calls `body` with the validated matrix, its kernel too where one is given, and the number of threads.
private func run(
    _ given: sc_matrix, _ kernel: UnsafePointer<sc_tensor>?, _ error: UnsafeMutablePointer<sc_error>?,
    _ body: (ConvolutionMatrix, Int) throws(Failure) -> Bool
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let rank = Int(given.axis_count)
        if rank < 1 || rank > maximumRank - 2 {
            throw Failure(SC_TOO_MANY_DIMENSIONS, argument: SC_ARG_KERNEL, value: rank, expected: maximumRank - 2)
        }
        let threads = try decodeThreads(given.threads)
        let finished = try withUnsafeTemporaryAllocation(of: SlidingAxis.self, capacity: rank) {
            (axes) throws(Failure) -> Bool in
            var matrix = try validate(given, axes.baseAddress.unsafelyUnwrapped)
            if let kernel {
                try matrix.setKernel(try decode(kernel.pointee, argument: SC_ARG_KERNEL, needsData: true))
            }
            return try body(matrix, threads)
        }
        return sc_status(finished ? SC_OK : SC_INTERRUPTED)
    }
}

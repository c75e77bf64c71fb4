import Algorithms
import CSwiftConv
import Foundations
import Planning

// The C functions of swiftconv.h's section on patches.

@_cdecl("sc_patches_shape")
public func sc_patches_shape(
    _ x: UnsafePointer<sc_tensor>, _ options: UnsafePointer<sc_patches>, _ shape: UnsafeMutablePointer<Int64>,
    _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let options = try decode(options.pointee)
        let x = try decode(x.pointee, argument: SC_ARG_INPUT)
        _ = try withPatchAxes(rank: x.rank) { (axes) throws(Failure) in
            try validate(x, options, into: axes)
            for i in 0..<x.rank { shape[i] = Int64(axes[i].windows) }
            for w in 0..<options.windowRank { shape[x.rank + w] = Int64(options.window(w, default: 1)) }
            return true
        }
        return sc_status(SC_OK)
    }
}

@_cdecl("sc_patches_gather")
public func sc_patches_gather(
    _ x: UnsafePointer<sc_tensor>, _ patches: UnsafePointer<sc_tensor>, _ options: UnsafePointer<sc_patches>,
    _ control: UnsafePointer<sc_control>?, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let options = try decode(options.pointee)
        let x = try decode(x.pointee, argument: SC_ARG_INPUT, needsData: true)
        let patches = try decode(patches.pointee, argument: SC_ARG_OUT, needsData: true)
        let finished = try withPatchAxes(rank: x.rank) { (axes) throws(Failure) in
            let problem = try validate(gather: x, into: patches, options, axes)
            return try Patches.gather(problem, threads: options.threads, control: decode(control))
        }
        return sc_status(finished ? SC_OK : SC_INTERRUPTED)
    }
}

@_cdecl("sc_patches_scatter")
public func sc_patches_scatter(
    _ patches: UnsafePointer<sc_tensor>, _ x: UnsafePointer<sc_tensor>, _ options: UnsafePointer<sc_patches>,
    _ control: UnsafePointer<sc_control>?, _ error: UnsafeMutablePointer<sc_error>?
) -> sc_status {
    report(to: error) { () throws(Failure) in
        let options = try decode(options.pointee)
        let patches = try decode(patches.pointee, argument: SC_ARG_PATCHES, needsData: true)
        let x = try decode(x.pointee, argument: SC_ARG_OUT, needsData: true)
        let finished = try withPatchAxes(rank: x.rank) { (axes) throws(Failure) in
            let problem = try validate(scatter: patches, into: x, options, axes)
            return try Patches.scatter(problem, threads: options.threads, control: decode(control))
        }
        return sc_status(finished ? SC_OK : SC_INTERRUPTED)
    }
}

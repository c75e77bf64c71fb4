import CMachine
import CSwiftConv
import Foundations

// What callers ask of the library as a whole.

@_cdecl("sc_abi_version")
public func sc_abi_version() -> Int32 { SC_ABI_VERSION }

@_cdecl("sc_isa")
public func sc_isa() -> UnsafePointer<CChar>? { sc_vector_isa_name() }

@_cdecl("sc_get_num_threads")
public func sc_get_num_threads() -> Int32 { Int32(truncatingIfNeeded: ThreadCount.current) }

@_cdecl("sc_set_num_threads")
public func sc_set_num_threads(_ count: Int32) -> Int32 {
    let old = ThreadCount.current
    if count >= 0 { ThreadCount.set(Int(count)) }
    return Int32(truncatingIfNeeded: old)
}

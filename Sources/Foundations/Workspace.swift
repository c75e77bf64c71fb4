#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Scratch memory that may not be had: `allocate` of the standard library would end the process.
package struct Workspace: ~Copyable {
    package let base: UnsafeMutableRawPointer
    package let byteCount: Int

    /// `byteCount` bytes on a cache-line boundary, not initialised.
    package init(byteCount: Int) throws(Failure) {
        var memory: UnsafeMutableRawPointer?
        if byteCount < 0 || posix_memalign(&memory, 64, max(byteCount, 64)) != 0 {
            throw Failure.noMemory(bytes: byteCount)
        }
        guard let memory else { throw Failure.noMemory(bytes: byteCount) }
        base = memory
        self.byteCount = byteCount
    }

    deinit { Workspace.free(base) }

    /// Gives the memory to the caller, who frees it.
    package consuming func release() -> UnsafeMutableRawPointer {
        let base = base
        discard self
        return base
    }

    package static func free(_ memory: UnsafeMutableRawPointer) {
        #if canImport(Darwin)
        Darwin.free(memory)
        #else
        Glibc.free(memory)
        #endif
    }
}

/// Places in a workspace, dealt out one after the other on cache-line boundaries.
package struct WorkspaceLayout {
    /// Bytes of all places; Int.max or near it when they do not fit.
    package private(set) var byteCount = 0

    package init() {}

    /// Where the next place begins, of so many bytes.
    package mutating func take(_ bytes: Int) -> Int {
        defer { byteCount = roundToCacheLine(saturatingAdd(byteCount, bytes)) }
        return byteCount
    }
}

/// Largest workspace taken from the stack: what the standard library's temporary allocations do without the heap.
private let stackWorkspace = 1024

/// Runs `body` with `byteCount` bytes on a cache-line boundary, not initialised; small calls take them from the stack,
/// where allocating would be a third of their work. (Not generic in the result: from another module the generic function
/// would look up its metadata in every call.)
package func withWorkspace(
    byteCount: Int, _ body: (UnsafeMutableRawPointer) throws(Failure) -> Bool
) throws(Failure) -> Bool {
    if byteCount <= stackWorkspace &- 48 {
        // Asked for more than 16-byte alignment, the standard library would go to the heap.
        return try withUnsafeTemporaryAllocation(byteCount: stackWorkspace, alignment: 16) {
            (memory) throws(Failure) -> Bool in
            try body(memory.baseAddress.unsafelyUnwrapped.alignedUp(toMultipleOf: 64))
        }
    }
    let workspace = try Workspace(byteCount: byteCount)
    return try body(workspace.base)
}

/// Rounds a size up to whole cache lines; sizes near the top of Int stay as they are and fail to be allocated.
@inlinable
package func roundToCacheLine(_ byteCount: Int) -> Int {
    byteCount > Int.max &- 64 ? byteCount : (byteCount &+ 63) & ~63
}

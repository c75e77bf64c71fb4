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

    deinit { free(base) }
}

/// Rounds a size up to whole cache lines; sizes near the top of Int stay as they are and fail to be allocated.
@inlinable
package func roundToCacheLine(_ byteCount: Int) -> Int {
    byteCount > Int.max &- 64 ? byteCount : (byteCount &+ 63) & ~63
}

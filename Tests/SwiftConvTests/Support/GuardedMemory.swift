#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Memory beside pages that may not be touched: reading or writing one byte past the guarded end is a crash.
final class GuardedMemory: @unchecked Sendable {
    enum Guard: CaseIterable { case start, end }

    let base: UnsafeMutableRawPointer
    let byteCount: Int
    private let region: UnsafeMutableRawPointer
    private let regionBytes: Int

    /// `byteCount` bytes next to the guard page, or `shift` bytes away from it. Filled with `canary`.
    init(byteCount: Int, guarding: Guard = .end, shift: Int = 0) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let body = (byteCount + shift + page - 1) / page * page
        regionBytes = body + 2 * page
        region = mmap(nil, regionBytes, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0)
        precondition(region != MAP_FAILED && mprotect(region + page, body, PROT_READ | PROT_WRITE) == 0)
        base = region + (guarding == .start ? page + shift : page + body - byteCount - shift)
        self.byteCount = byteCount
        memset(base, Int32(GuardedMemory.canary), byteCount)
    }

    static let canary: UInt8 = 0xA5

    deinit { munmap(region, regionBytes) }

    var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: base, count: byteCount) }
}

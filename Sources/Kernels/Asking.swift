import CMachine

/// Asks for the cache lines of some bytes.
package func askFor(_ source: UnsafeRawPointer, byteCount: Int) {
    var offset = 0
    while offset < byteCount {
        sc_prefetch_outer((source + offset).assumingMemoryBound(to: UInt8.self))
        offset &+= 64
    }
}

/// Asks for the cache lines of some bytes that will be written.
package func askToWrite(_ target: UnsafeMutableRawPointer, byteCount: Int) {
    var offset = 0
    while offset < byteCount {
        sc_prefetch_to_write((target + offset).assumingMemoryBound(to: UInt8.self))
        offset &+= 64
    }
}

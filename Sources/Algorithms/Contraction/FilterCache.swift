import CMachine
import Foundations

/// What a filter was packed into, for every way in which it has been needed: kept by plans, which live through many calls.
/// Entries are only ever added, so that any number of threads may look while one adds.
package struct FilterCache {
    /// The address of the entry added last.
    private var newest: Int64 = 0

    package init() {}

    /// Frees everything; nobody may be using it.
    package mutating func removeAll() {
        var entry = Entry.at(newest)
        newest = 0
        while let current = entry {
            entry = Entry.at(current.pointee.next)
            Workspace.free(UnsafeMutableRawPointer(current))
        }
    }

    /// The head of a piece of memory whose rest is the packed filter.
    private struct Entry {
        let key: PackingKey
        let byteCount: Int
        var next: Int64

        static func at(_ address: Int64) -> UnsafeMutablePointer<Entry>? {
            UnsafeMutablePointer(bitPattern: Int(address))
        }
    }

    /// Bytes before the packed filter in memory that is to be inserted.
    static var headBytes: Int { roundToCacheLine(MemoryLayout<Entry>.size) }

    /// The bytes of all entries.
    package static func byteCount(_ cache: UnsafeMutablePointer<FilterCache>) -> Int {
        var total = 0
        var entry = Entry.at(sc_atomic_load(head(cache)))
        while let current = entry {
            total = saturatingAdd(total, current.pointee.byteCount)
            entry = Entry.at(current.pointee.next)
        }
        return total
    }

    /// The packed filter for a key, if there is one.
    static func find(_ cache: UnsafeMutablePointer<FilterCache>, _ key: PackingKey) -> UnsafeMutableRawPointer? {
        var entry = Entry.at(sc_atomic_load(head(cache)))
        while let current = entry {
            if current.pointee.key == key { return UnsafeMutableRawPointer(current) + headBytes }
            entry = Entry.at(current.pointee.next)
        }
        return nil
    }

    /// Takes memory over. Another thread may have added the same meanwhile; then both stay.
    static func insert(_ cache: UnsafeMutablePointer<FilterCache>, _ key: PackingKey, _ memory: consuming Workspace) {
        let byteCount = memory.byteCount
        let entry = memory.release().bindMemory(to: Entry.self, capacity: 1)
        entry.initialize(to: Entry(key: key, byteCount: byteCount, next: 0))
        while true {
            let old = sc_atomic_load(head(cache))
            entry.pointee.next = old
            if sc_atomic_compare_exchange(head(cache), old, Int64(Int(bitPattern: entry))) != 0 { return }
        }
    }

    private static func head(_ cache: UnsafeMutablePointer<FilterCache>) -> UnsafeMutablePointer<Int64> {
        cache.pointer(to: \.newest).unsafelyUnwrapped
    }
}

/// Tells apart the ways in which one filter may be packed: the form, and the walk over the filter.
struct PackingKey: Equatable {
    private var words = InlineArray<24, Int>(repeating: 0)
    private var count = 0
    /// Everything beyond the words, mixed: equal for equal walks, and for others but by a chance of 2^-64.
    private var rest: UInt64 = 0

    init(form: Int, _ problem: ContractionProblem, base: UnsafeRawPointer) {
        append(form)
        append(problem.filter - base)
        for list in [problem.batch, problem.rows, problem.depth] {
            append(list.count)
            for i in 0..<list.count {
                append(list[i].extent)
                append(list[i].filterStride)
            }
        }
    }

    private mutating func append(_ word: Int) {
        if count < words.count {
            words[count] = word
            count &+= 1
        } else {
            rest = (rest ^ UInt64(bitPattern: Int64(word))) &* 0x9E37_79B9_7F4A_7C15
            rest ^= rest >> 29
        }
    }

    static func == (a: PackingKey, b: PackingKey) -> Bool {
        if a.count != b.count || a.rest != b.rest { return false }
        for i in 0..<a.count where a.words[i] != b.words[i] { return false }
        return true
    }
}

/// Where a plan keeps packed filters, and the filter that its keys are relative to.
package struct FilterStore {
    let cache: UnsafeMutablePointer<FilterCache>
    let base: UnsafeRawPointer
    /// Packing is all that is asked for: no sample is read and no output written.
    package let onlyPacks: Bool

    package init(cache: UnsafeMutablePointer<FilterCache>, base: UnsafeRawPointer, onlyPacks: Bool) {
        self.cache = cache
        self.base = base
        self.onlyPacks = onlyPacks
    }
}

/// Memory for one packed filter: a plan's, where it is packed already, or new; none for a filter of no bytes, which counts
/// as packed.
struct PackedFilter: ~Copyable {
    private var owned: Workspace?
    private let key: PackingKey
    private let store: FilterStore?
    let base: UnsafeMutableRawPointer

    init(byteCount: Int, _ key: PackingKey, _ store: FilterStore?) throws(Failure) {
        self.key = key
        self.store = store
        if let store, let found = FilterCache.find(store.cache, key) {
            base = found
            owned = nil
            return
        }
        if byteCount == 0 {
            base = UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped
            owned = nil
            return
        }
        let memory = try Workspace(byteCount: saturatingAdd(byteCount, FilterCache.headBytes))
        base = memory.base + FilterCache.headBytes
        owned = consume memory
    }

    /// Whether it is packed already.
    var isPacked: Bool { owned == nil }

    /// Leaves what is packed now to the plan, if there is one.
    consuming func keep() {
        if let store, let memory = owned.take() { FilterCache.insert(store.cache, key, memory) }
    }
}

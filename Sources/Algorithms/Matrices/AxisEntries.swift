import Foundations

/// What one position of an axis meets: positions of the other kind, in ascending order, each with the taps between them.
struct AxisEntries {
    private(set) var count = 0
    private(set) var taps = 0
    let others: UnsafeMutablePointer<Int>
    /// Of each other position the first of its taps; one more at the end.
    let begins: UnsafeMutablePointer<Int>
    let tap: UnsafeMutablePointer<Int>
    private let pairs: UnsafeMutablePointer<Meeting>
    private let sorted: UnsafeMutablePointer<Meeting>

    /// Bytes for up to `capacity` meetings.
    static func byteCount(_ capacity: Int) -> Int {
        saturatingAdd(saturatingMultiply(capacity, 3 &* 8 &+ 2 &* MemoryLayout<Meeting>.stride), 64)
    }

    init(_ storage: UnsafeMutableRawPointer, capacity: Int) {
        others = storage.assumingMemoryBound(to: Int.self)
        begins = others + capacity
        tap = begins + (capacity &+ 1)
        pairs = UnsafeMutableRawPointer(tap + capacity).assumingMemoryBound(to: Meeting.self)
        sorted = pairs + capacity
    }

    /// Lists what a position meets.
    mutating func list(_ axis: LineAxis, at position: Int) {
        taps = axis.meetings(at: position, to: pairs)
        let found = isSorted ? pairs : mergeSort()
        count = 0
        tapsAreOneRun = taps > 0
        for i in 0..<taps {
            if i > 0 && found[i].tap != found[0].tap &+ i { tapsAreOneRun = false }
            if i == 0 || found[i].other != found[i &- 1].other {
                others[count] = found[i].other
                begins[count] = i
                count &+= 1
            }
            tap[i] = found[i].tap
        }
        begins[count] = taps
    }

    /// Whether each meets by one tap, and neighbours lie side by side.
    var isOneRun: Bool { count == taps && (count == 0 || others[count &- 1] &- others[0] == count &- 1) }

    /// Whether each meets by one tap, and those follow each other.
    private(set) var tapsAreOneRun = false

    func tapCount(_ i: Int) -> Int { begins[i &+ 1] &- begins[i] }

    private var isSorted: Bool {
        for i in 1..<max(taps, 1) where !(pairs[i &- 1] < pairs[i]) { return false }
        return true
    }

    /// Runs of doubling length are merged, from one buffer to the other: meetings come as a few ascending runs at most.
    private func mergeSort() -> UnsafeMutablePointer<Meeting> {
        var (from, to) = (pairs, sorted)
        var run = 1
        while run < taps {
            var first = 0
            while first < taps {
                let (middle, end) = (min(first &+ run, taps), min(first &+ 2 &* run, taps))
                var (i, j) = (first, middle)
                for place in first..<end {
                    if j == end || (i < middle && !(from[j] < from[i])) {
                        to[place] = from[i]
                        i &+= 1
                    } else {
                        to[place] = from[j]
                        j &+= 1
                    }
                }
                first = end
            }
            (from, to) = (to, from)
            run &*= 2
        }
        return from
    }
}

/// A position of the other kind and a tap.
struct Meeting {
    var other: Int
    var tap: Int

    static func < (a: Self, b: Self) -> Bool { a.other != b.other ? a.other < b.other : a.tap < b.tap }
}

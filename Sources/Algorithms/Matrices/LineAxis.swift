import Foundations

/// One axis as lines run through it: which positions of the other kind each of its positions meets, and how many before.
struct LineAxis {
    let axis: SlidingAxis
    let boundary: Boundary
    let byColumns: Bool
    /// Positions that meet as many as their neighbours inside this range do, each by the same taps, `shift` further on.
    private(set) var regular = 0..<0
    /// Others that positions before each one meet; one more at the end.
    private let before: UnsafeMutablePointer<Int>
    /// By columns: meetings of samples with outputs whose taps the boundary has mapped to them.
    private let mapped: MappedMeetings
    /// The most meetings, and others, of a position.
    private(set) var mostMeetings = 0
    private(set) var mostOthers = 0

    var positions: Int { byColumns ? axis.inExtent : axis.outExtent }
    var shift: Int { byColumns ? 1 : axis.step }
    var total: Int { before[positions] }

    func others(at position: Int) -> Int { before[position &+ 1] &- before[position] }
    func others(before position: Int) -> Int { before[position] }

    /// Bytes of tables, and of scratch to make them.
    static func byteCount(_ axis: SlidingAxis, _ boundary: Boundary, byColumns: Bool) -> (tables: Int, scratch: Int) {
        let mapped = byColumns ? MappedMeetings.count(axis, boundary) : 0
        let positions = byColumns ? axis.inExtent : axis.outExtent
        let tables = roundToCacheLine(saturatingMultiply(saturatingAdd(positions, 1), 8))
        return (
            saturatingAdd(tables, mapped == 0 ? 0 : MappedMeetings.byteCount(axis, mapped)),
            AxisEntries.byteCount(saturatingAdd(axis.filterExtent, mapped))
        )
    }

    init(
        _ axis: SlidingAxis, _ boundary: Boundary, byColumns: Bool, tables: UnsafeMutableRawPointer,
        scratch: UnsafeMutableRawPointer
    ) {
        self.axis = axis
        self.boundary = boundary
        self.byColumns = byColumns
        before = tables.assumingMemoryBound(to: Int.self)
        let positions = byColumns ? axis.inExtent : axis.outExtent
        let count = byColumns ? MappedMeetings.count(axis, boundary) : 0
        mapped = MappedMeetings(axis, boundary, count: count, tables + roundToCacheLine(8 &* (positions &+ 1)))
        regular = byColumns ? regularColumns() : axis.interior
        var entries = AxisEntries(scratch, capacity: axis.filterExtent &+ count)
        before[0] = 0
        for p in 0..<positions {
            let isRepeated = p > regular.lowerBound && regular.contains(p)
            var (taps, others) = (directTaps(at: p).count, 0)
            if isRepeated {
                others = self.others(at: p &- 1)
            } else if isDirect {
                others = taps
            } else {
                entries.list(self, at: p)
                (taps, others) = (entries.taps, entries.count)
            }
            mostMeetings = max(mostMeetings, taps)
            mostOthers = max(mostOthers, others)
            before[p &+ 1] = before[p] &+ others
        }
    }

    /// Samples that meet an output by every tap, and nothing by way of the boundary.
    private func regularColumns() -> Range<Int> {
        if axis.step != 1 { return 0..<0 }
        let first = max(0, axis.dilation &* (axis.filterExtent &- 1) &- axis.padding)
        let end = min(axis.inExtent, axis.outExtent &- axis.padding)
        if first >= end { return 0..<0 }
        var (lower, upper) = (first &+ (end &- first) / 2, first &+ (end &- first) / 2)
        while lower > first && mapped.count(at: lower &- 1) == 0 { lower &-= 1 }
        while upper < end && mapped.count(at: upper) == 0 { upper &+= 1 }
        return lower..<upper
    }

    /// Whether a position meets others by direct taps alone, by one each.
    private var isDirect: Bool { boundary == .fill && (!byColumns || axis.step == 1) }

    /// Taps under which a position meets another inside; by columns at larger steps than one, not by all of them.
    private func directTaps(at position: Int) -> Range<Int> {
        // Where tap 0 meets, and the first and last that the others may.
        let (start, first, last): (Int, Int, Int)
        if byColumns {
            start = position &+ axis.padding
            (first, last) = (start &- axis.step &* (axis.outExtent &- 1), start)
        } else {
            start = axis.meeting(output: position, tap: 0)
            (first, last) = (0 &- start, axis.inExtent &- 1 &- start)
        }
        if last < 0 { return 0..<0 }
        let lower = first <= 0 ? 0 : min(ceilingDivide(first, axis.dilation), axis.filterExtent)
        return lower..<max(lower, min(axis.filterExtent, last / axis.dilation &+ 1))
    }

    /// Lists what a position meets; returns how much that is.
    func meetings(at position: Int, to list: UnsafeMutablePointer<Meeting>) -> Int {
        let direct = directTaps(at: position)
        var count = 0
        if byColumns {
            for k in direct.reversed() {
                let distance = position &+ axis.padding &- axis.dilation &* k
                if axis.step > 1 && distance % axis.step != 0 { continue }
                list[count] = Meeting(other: axis.step == 1 ? distance : distance / axis.step, tap: k)
                count &+= 1
            }
            for i in 0..<mapped.count(at: position) {
                list[count] = mapped.meeting(i, at: position)
                count &+= 1
            }
            return count
        }
        for k in boundary == .fill ? direct : 0..<axis.filterExtent {
            let place = axis.meeting(output: position, tap: k)
            let sample = direct.contains(k) ? place : boundary.map(place, extent: axis.inExtent)
            list[count] = Meeting(other: sample, tap: k)
            count &+= 1
        }
        return count
    }
}

/// Samples that outputs meet by way of the boundary: of each sample its outputs and taps.
private struct MappedMeetings {
    /// Of each sample the first of its meetings, one more at the end; nil where there are none at all.
    private let begins: UnsafeMutablePointer<Int>?
    private let meetings: UnsafeMutablePointer<Meeting>

    static func byteCount(_ axis: SlidingAxis, _ count: Int) -> Int {
        let begins = roundToCacheLine(saturatingMultiply(saturatingAdd(axis.inExtent, 1), 8))
        return saturatingAdd(begins, saturatingMultiply(count, MemoryLayout<Meeting>.stride))
    }

    static func count(_ axis: SlidingAxis, _ boundary: Boundary) -> Int {
        var count = 0
        forEach(axis, boundary) { _, _ in count &+= 1 }
        return count
    }

    init(_ axis: SlidingAxis, _ boundary: Boundary, count: Int, _ storage: UnsafeMutableRawPointer) {
        let numbers = storage.assumingMemoryBound(to: Int.self)
        meetings = (storage + roundToCacheLine(8 &* (axis.inExtent &+ 1))).assumingMemoryBound(to: Meeting.self)
        if count == 0 {
            begins = nil
            return
        }
        // Counted one place on, summed up, then filled: a counting sort, which leaves each sample's in order.
        begins = numbers
        for i in 0...axis.inExtent { numbers[i] = 0 }
        MappedMeetings.forEach(axis, boundary) { sample, _ in numbers[sample &+ 1] &+= 1 }
        for i in 0..<axis.inExtent { numbers[i &+ 1] &+= numbers[i] }
        let meetings = meetings
        MappedMeetings.forEach(axis, boundary) { sample, meeting in
            meetings[numbers[sample]] = meeting
            numbers[sample] &+= 1
        }
        for i in (0..<axis.inExtent).reversed() { numbers[i &+ 1] = numbers[i] }
        numbers[0] = 0
    }

    func count(at sample: Int) -> Int { begins.map { $0[sample &+ 1] &- $0[sample] } ?? 0 }
    func meeting(_ i: Int, at sample: Int) -> Meeting { meetings[(begins?[sample] ?? 0) &+ i] }

    @inline(__always)
    private static func forEach(_ axis: SlidingAxis, _ boundary: Boundary, _ body: (Int, Meeting) -> Void) {
        if boundary == .fill { return }
        let interior = axis.interior
        for output in 0..<axis.outExtent where !interior.contains(output) {
            for k in 0..<axis.filterExtent {
                let place = axis.meeting(output: output, tap: k)
                if place >= 0 && place < axis.inExtent { continue }
                body(boundary.map(place, extent: axis.inExtent), Meeting(other: output, tap: k))
            }
        }
    }
}

import Foundations

/// What the lines of a strip have in common: along all axes but the last the positions that they cross, and of each the taps.
/// (An *item*: one filter or channel and one position of each of those axes.)
struct MatrixStrip {
    private(set) var count = 0
    /// Where an item's crossings begin: the number of its first along the last axis.
    private(set) var firsts: UnsafeMutablePointer<Int>
    /// The first of an item's taps, one more at the end; and those, each as the number of its first element in the filter.
    private(set) var begins: UnsafeMutablePointer<Int>
    private(set) var taps: UnsafeMutablePointer<Int>
    private var tapTotal = 0
    private var nextFirsts: UnsafeMutablePointer<Int>
    private var nextBegins: UnsafeMutablePointer<Int>
    private var nextTaps: UnsafeMutablePointer<Int>
    private let entries: UnsafeMutableRawPointer

    static func byteCount(_ plan: MatrixPlan) -> Int {
        let lists = saturatingAdd(saturatingMultiply(plan.mostItems, 2), saturatingAdd(plan.mostItemTaps, 1))
        return saturatingAdd(saturatingMultiply(lists, 2 &* 8), entryBytes(plan))
    }

    private static func entryBytes(_ plan: MatrixPlan) -> Int {
        var most = 0
        for a in 0..<plan.matrix.rank { most = max(most, plan.axes[a].mostMeetings) }
        return AxisEntries.byteCount(most)
    }

    init(_ plan: MatrixPlan, _ storage: UnsafeMutableRawPointer) {
        let numbers = storage.assumingMemoryBound(to: Int.self)
        let (items, itemTaps) = (plan.mostItems, plan.mostItemTaps)
        firsts = numbers
        begins = firsts + items
        taps = begins + (items &+ 1)
        nextFirsts = taps + itemTaps
        nextBegins = nextFirsts + items
        nextTaps = nextBegins + (items &+ 1)
        entries = UnsafeMutableRawPointer(nextTaps + itemTaps)
    }

    /// Lists a strip's items, in the order of what they cross.
    mutating func enter(_ strip: Int, _ plan: MatrixPlan) {
        let matrix = plan.matrix
        var strips = matrix.strips / matrix.units
        start(unit: strip / strips, matrix)
        var rest = strip % strips
        for a in 0..<matrix.rank &- 1 {
            strips /= plan.axes[a].positions
            var found = AxisEntries(entries, capacity: plan.axes[a].mostMeetings)
            found.list(plan.axes[a], at: rest / strips)
            rest %= strips
            extend(by: found, crossed: matrix.crossed(a), taps: matrix.axes[a].filterExtent)
        }
        // Numbers of the last axis's elements.
        let (crossed, tapCount) = (matrix.crossed(matrix.rank &- 1), matrix.axes[matrix.rank &- 1].filterExtent)
        for i in 0..<count { firsts[i] &*= crossed }
        for i in 0..<tapTotal { taps[i] &*= tapCount }
    }

    /// The filters or channels that a unit crosses.
    private mutating func start(unit: Int, _ matrix: ConvolutionMatrix) {
        let perGroup = matrix.byColumns ? matrix.channels : matrix.filters
        let (group, own) = (unit / perGroup, unit % perGroup)
        count = matrix.crossedUnits
        for i in 0..<count {
            firsts[i] = group &* count &+ i
            begins[i] = i
            taps[i] =
                matrix.byColumns
                ? (group &* matrix.filters &+ i) &* matrix.channels &+ own : unit &* matrix.channels &+ i
        }
        begins[count] = count
        tapTotal = count
    }

    /// Each item becomes one for each position that is met along one more axis.
    private mutating func extend(by entries: AxisEntries, crossed: Int, taps tapCount: Int) {
        var (next, nextTap) = (0, 0)
        for i in 0..<count {
            for j in 0..<entries.count {
                nextFirsts[next] = firsts[i] &* crossed &+ entries.others[j]
                nextBegins[next] = nextTap
                for outer in begins[i]..<begins[i &+ 1] {
                    for inner in entries.begins[j]..<entries.begins[j &+ 1] {
                        nextTaps[nextTap] = taps[outer] &* tapCount &+ entries.tap[inner]
                        nextTap &+= 1
                    }
                }
                next &+= 1
            }
        }
        nextBegins[next] = nextTap
        (firsts, nextFirsts) = (nextFirsts, firsts)
        (begins, nextBegins) = (nextBegins, begins)
        (taps, nextTaps) = (nextTaps, taps)
        (count, tapTotal) = (next, nextTap)
    }
}

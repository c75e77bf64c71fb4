import Foundations

/// The window axes from the outermost in memory to the innermost, which decides the order of summation. Axes of one
/// sample have no stride to speak of and come first.
struct WindowOrder {
    private var axes = AxisInts(repeating: 0)
    private(set) var count = 0

    init(_ problem: SlidingProblem) {
        for i in 0..<problem.rank where problem.axes[i].isWindow {
            // Insertion by decreasing stride; equal ones stay in index order.
            let stride = WindowOrder.reach(problem.axes[i])
            var place = count
            while place > 0 && WindowOrder.reach(problem.axes[axes[place &- 1]]) < stride {
                axes[place] = axes[place &- 1]
                place &-= 1
            }
            axes[place] = i
            count &+= 1
        }
    }

    private static func reach(_ axis: SlidingAxis) -> UInt { axis.inExtent == 1 ? .max : axis.inStride.magnitude }

    subscript(place: Int) -> Int { axes[place] }

    /// -1 where nothing slides.
    var innermost: Int { count > 0 ? axes[count &- 1] : -1 }
}

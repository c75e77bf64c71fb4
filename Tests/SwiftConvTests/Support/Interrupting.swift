import CMachine
import CSwiftConv

/// What `run` makes of a control that interrupts it when it asks for the second time, and how often it asked.
func interruptedAtSecondPoll(_ run: (sc_control) -> Int) -> (status: Int, polls: Int64) {
    var polls: Int64 = 0
    let status = withUnsafeMutablePointer(to: &polls) { polls in
        run(
            sc_control(
                interrupted: { context in
                    sc_atomic_fetch_add(context!.assumingMemoryBound(to: Int64.self), 1) < 1 ? 0 : 1
                }, context: polls))
    }
    return (status, polls)
}

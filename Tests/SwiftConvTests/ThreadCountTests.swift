import CSwiftConv
import Foundations
import Testing

/// The number of threads that calls may use is the process's own, so these tests take turns.
@Suite(.serialized) struct ThreadCountTests {
    @Test func setsAndRestores() {
        ThreadCount.set(0)
        let fallback = ThreadCount.current
        #expect(fallback >= 1 && fallback <= ThreadCount.limit)
        ThreadCount.set(5)
        #expect(ThreadCount.current == 5)
        ThreadCount.set(Int.max)
        #expect(ThreadCount.current == ThreadCount.limit)
        ThreadCount.set(0)
        #expect(ThreadCount.current == fallback)
    }

    @Test func entryPointsReturnTheOldNumber() {
        let fallback = sc_set_num_threads(0)
        #expect(CSwiftConv.sc_set_num_threads(3) == fallback)
        #expect(CSwiftConv.sc_get_num_threads() == 3)
        #expect(CSwiftConv.sc_set_num_threads(-1) == 3 && CSwiftConv.sc_set_num_threads(Int32.min) == 3)
        #expect(CSwiftConv.sc_get_num_threads() == 3, "negative numbers change nothing")
        #expect(CSwiftConv.sc_set_num_threads(Int32.max) == 3)
        #expect(Int(CSwiftConv.sc_set_num_threads(0)) == ThreadCount.limit)
        #expect(CSwiftConv.sc_get_num_threads() == fallback)
    }

    @Test func callsWithoutANumberUseIt() {
        var generator = SeededGenerator(15)
        let a = TestArray(.float32, [100, 50, 50]).filled(&generator)
        let v = TestArray(.float32, [5, 5]).filled(&generator)
        var call = SlidingCall(a, v)
        call.threads = 0
        defer { ThreadCount.set(0) }
        for count in [1, 2, 5] {
            ThreadCount.set(count)
            #expect(call.explain().explanation.threads == count)
        }
        call.threads = 4
        #expect(call.explain().explanation.threads == 4)
    }
}

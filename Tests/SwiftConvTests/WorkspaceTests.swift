import CSwiftConv
import Foundations
import Testing

struct WorkspaceTests {
    @Test(arguments: [1 << 60, Int.max - 1, Int.max, -1, Int.min])
    func refusesAbsurdSizes(byteCount: Int) {
        do throws(Failure) {
            let workspace = try Workspace(byteCount: byteCount)
            Issue.record("\(workspace.byteCount) bytes were had")
        } catch {
            #expect(error.status == Int32(SC_NO_MEMORY) && error.value == byteCount)
            #expect(error.argument == Int32(SC_ARG_NONE) && error.axis == -1)
        }
    }

    @Test(arguments: [0, 1, 63, 64, 65, 1 << 20])
    func liesOnCacheLines(byteCount: Int) throws {
        let workspace = try Workspace(byteCount: byteCount)
        #expect(workspace.byteCount == byteCount)
        #expect(Int(bitPattern: workspace.base) % 64 == 0)
        workspace.base.initializeMemory(as: UInt8.self, repeating: 1, count: byteCount)
    }
}

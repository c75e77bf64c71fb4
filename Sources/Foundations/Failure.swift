import CSwiftConv

/// Why a call was refused: sc_status and sc_error of the C contract, thrown.
@frozen
package struct Failure: Error {
    package var status: Int32
    package var argument: Int32
    package var axis: Int
    package var value: Int
    package var lowest: Int
    package var expected: Int

    @inlinable
    package init(
        _ status: Int, argument: Int = SC_ARG_NONE, axis: Int = -1, value: Int = 0, lowest: Int = 0, expected: Int = 0
    ) {
        self.status = Int32(truncatingIfNeeded: status)
        self.argument = Int32(truncatingIfNeeded: argument)
        self.axis = axis
        self.value = value
        self.lowest = lowest
        self.expected = expected
    }

    package static func noMemory(bytes: Int) -> Failure { Failure(SC_NO_MEMORY, value: bytes) }
}

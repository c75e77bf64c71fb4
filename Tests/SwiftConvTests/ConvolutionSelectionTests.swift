import CSwiftConv
import Foundations
import Kernels
import Planning
import Testing

/// Selection looks at shapes, strides and dtypes: neither at the batch nor at the threads.
struct ConvolutionSelectionTests {
    private func select(_ call: ConvolutionCall, _ method: ConvolutionOptions.Method) -> ConvolutionAlgorithm? {
        var found: ConvolutionAlgorithm?
        let failure = call.withConvolution(out: nil) { (convolution) throws(Failure) in
            found = selectAlgorithm(convolution.phase(0), method)
        }
        return failure == nil ? found : nil
    }

    private func call(
        _ input: [Int], _ weight: [Int], _ type: ElementType = .float32, _ layout: Layout = .c, groups: Int = 1
    ) -> ConvolutionCall {
        var call = ConvolutionCall(TestArray(type, input, layout), TestArray(type, weight))
        call.groups = groups
        return call
    }

    @Test func namedMethods() {
        let call = call([1, 64, 30, 30], [64, 64, 3, 3])
        #expect(select(call, .direct) == .stencil && select(call, .gemm) == .gemm)
        #expect(select(call, .winograd) == .winograd && select(call, .reference) == .reference)
    }

    /// Of bytes whose sums have 32 bits, matrix products are faster than stencils with fewer products already.
    @Test func smallIntegers() {
        func select(_ input: [Int], _ weight: [Int], groups: Int = 1) -> ConvolutionAlgorithm? {
            var call = call(input, weight, .int8, groups: groups)
            call.result = .int32
            return self.select(call, .auto)
        }
        let faster: ConvolutionAlgorithm = hasPairs ? .gemm : .stencil
        for batch in [1, 2, 500] {
            #expect(select([batch, 64, 30, 30], [64, 64, 3, 3]) == .gemm)
            #expect(select([batch, 3, 30, 30], [16, 3, 3, 3]) == faster)
            #expect(select([batch, 1, 30, 30], [64, 1, 5, 5]) == faster)
            #expect(select([batch, 3, 30, 30], [4, 3, 3, 3]) == .stencil)
            #expect(select([batch, 64, 30, 30], [64, 1, 3, 3], groups: 64) == .stencil, "depthwise")
            #expect(select([batch, 1, 99, 99], [1, 1, 31, 31]) == .stencil)
        }
    }

    @Test func automatic() {
        for batch in [1, 2, 500] {
            #expect(select(call([batch, 64, 30, 30], [64, 64, 3, 3]), .auto) == .winograd)
            #expect(select(call([batch, 64, 30, 30], [64, 64, 1, 1]), .auto) == .gemm)
            #expect(select(call([batch, 64, 30, 30], [64, 64, 5, 5]), .auto) == .gemm)
            #expect(select(call([batch, 64, 8, 8], [64, 64, 3, 3]), .auto) == .winograd)
            #expect(select(call([batch, 64, 5, 5], [64, 64, 3, 3]), .auto) == .gemm, "few outputs")
            var dilated = call([batch, 64, 30, 30], [64, 64, 3, 3])
            dilated.dilation = [2, 2]
            #expect(select(dilated, .auto) == .winograd)
            dilated.boundary = SC_BOUNDARY_WRAP
            #expect(select(dilated, .auto) == .gemm, "residues meet")
            #expect(select(call([batch, 64, 3, 50], [64, 64, 3, 3]), .auto) == .gemm, "most of a tile is cut off")
            #expect(select(call([batch, 15, 30, 30], [64, 15, 3, 3]), .auto) == .gemm, "few channels")
            #expect(select(call([batch, 64, 30, 30], [64, 64, 3, 3], .int8), .auto) == .gemm)
            #expect(select(call([batch, 64, 30, 30], [64, 64, 3, 3], .float32, .channelsLast), .auto) == .winograd)
            #expect(select(call([batch, 16, 8, 30, 30], [16, 16, 3, 3, 3]), .auto) == .winograd)
            #expect(select(call([batch, 11, 8, 30, 30], [8, 11, 3, 3, 3]), .auto) == .winograd, "sums of 33 channels")
            #expect(select(call([batch, 8, 8, 30, 30], [8, 8, 3, 3, 3]), .auto) == .gemm, "few channels")
            #expect(select(call([batch, 15, 8, 30, 30], [8, 15, 1, 3, 3]), .auto) == .gemm, "few channels")
            #expect(select(call([batch, 16, 8, 30, 30], [16, 16, 3, 5, 5]), .auto) == .gemm)
            #expect(select(call([batch, 16, 30, 3, 3], [16, 16, 3, 3, 3]), .auto) == .gemm, "planes of one output")
            #expect(select(call([batch, 64, 30, 30], [64, 1, 3, 3], groups: 64), .auto) == .stencil, "depthwise")
            #expect(select(call([batch, 1, 30, 30], [1, 1, 7, 7]), .auto) == .stencil)
            #expect(select(call([batch, 3, 30, 30], [8, 3, 3, 3]), .auto) == .stencil)
            #expect(select(call([batch, 3, 30, 30], [64, 3, 3, 3]), .auto) == .gemm)
            #expect(select(call([batch, 64, 30, 30], [4, 64, 3, 3]), .auto) == .stencil, "few output channels")
            #expect(select(call([batch, 64, 30, 30], [5, 64, 3, 3]), .auto) == .gemm)
            #expect(select(call([batch, 64, 50, 3], [1, 64, 3, 3]), .auto) == .gemm, "narrow outputs")
            #expect(select(call([batch, 64, 8, 8], [4, 64, 3, 3]), .auto) == .gemm, "few outputs")
        }
    }
}

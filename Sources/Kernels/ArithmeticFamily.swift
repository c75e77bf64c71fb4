import CMachine

/// The arithmetic of one dtype at every vector width that a tile may need: the register, its half and quarter for
/// narrow outputs, and one element.
protocol ArithmeticFamily {
    associatedtype Full: Arithmetic
    associatedtype Half: Arithmetic
    associatedtype Quarter: Arithmetic
    associatedtype Single: Arithmetic
    /// Widest tile in vectors: accumulators, operands and the weight must stay within the ISA's registers
    /// (6 x 4 + 4 + 1 of 32; 6 x 2 + 2 + 1 of 16). Measured: one register more spills inside the loop and costs 3x.
    static var widestTile: Int { get }
}

extension ArithmeticFamily {
    static var widestTile: Int { SC_VECTOR_REGISTERS == 32 ? 4 : 2 }
}

// CMachine/vector.h alone knows the ISA: its full and half registers are SIMD types of the right width. On 16-byte ISAs
// half and quarter are the full register again, and narrower outputs go by single elements.
enum Float32Family: ArithmeticFamily {
    typealias Full = RealArithmetic<sc_f32v>
    typealias Half = RealArithmetic<sc_f32h>
    typealias Quarter = RealArithmetic<SIMD4<Float>>
    typealias Single = RealScalarArithmetic<Float>
}

enum Float64Family: ArithmeticFamily {
    typealias Full = RealArithmetic<sc_f64v>
    typealias Half = RealArithmetic<sc_f64h>
    typealias Quarter = RealArithmetic<SIMD2<Double>>
    typealias Single = RealScalarArithmetic<Double>
}

enum Word16Family: ArithmeticFamily {
    typealias Full = Word16Arithmetic
    typealias Half = HalfWord16Arithmetic
    typealias Quarter = IntegerArithmetic<SIMD8<UInt16>>
    typealias Single = IntegerScalarArithmetic<UInt16>
}

enum Word32Family: ArithmeticFamily {
    typealias Full = IntegerArithmetic<sc_u32v>
    typealias Half = IntegerArithmetic<sc_u32h>
    typealias Quarter = IntegerArithmetic<SIMD4<UInt32>>
    typealias Single = IntegerScalarArithmetic<UInt32>
}

enum Word64Family: ArithmeticFamily {
    typealias Full = IntegerArithmetic<sc_u64v>
    typealias Half = IntegerArithmetic<sc_u64h>
    typealias Quarter = IntegerArithmetic<SIMD2<UInt64>>
    typealias Single = IntegerScalarArithmetic<UInt64>
    // AVX2 and SSE2 build the 64-bit product from three 32-bit ones, whose temporaries need the registers.
    static var widestTile: Int { SC_VECTOR_REGISTERS == 32 ? 2 : 1 }
}

enum BooleanFamily: ArithmeticFamily {
    typealias Full = BooleanArithmetic
    typealias Half = HalfBooleanArithmetic
    typealias Quarter = HalfBooleanArithmetic
    typealias Single = BooleanScalarArithmetic
}

enum Complex64Family: ArithmeticFamily {
    typealias Full = ComplexArithmetic<sc_f32v>
    typealias Half = ComplexArithmetic<sc_f32h>
    typealias Quarter = ComplexArithmetic<SIMD4<Float>>
    typealias Single = ComplexArithmetic<SIMD2<Float>>
    static var widestTile: Int { SC_VECTOR_REGISTERS == 32 ? 2 : 1 }  // two accumulators a vector
}

enum Complex128Family: ArithmeticFamily {
    typealias Full = ComplexArithmetic<sc_f64v>
    typealias Half = ComplexArithmetic<sc_f64h>
    typealias Quarter = ComplexArithmetic<SIMD2<Double>>
    typealias Single = ComplexArithmetic<SIMD2<Double>>
    static var widestTile: Int { SC_VECTOR_REGISTERS == 32 ? 2 : 1 }
}

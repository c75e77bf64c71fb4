import CMachine
import Foundations
import Kernels

/// How the elements of a contraction's operands are held and multiplied.
///
/// Small integers whose sums have 32 bits lie several depths to a 32-bit word, as the ISA multiplies them: 16-bit ones by
/// twos, bytes by fours, those of one operand unsigned and those of the other signed. Signed bytes times signed ones become
/// that with 128 added to each sample, padding included, and 128 times the sum of the filter subtracted from each result.
struct GemmOperands {
    let products: PanelProducts
    /// Bytes of a sample and of a filter's element as they are held.
    let elementBytes: Int
    /// Whether samples are held 128 higher.
    let raisesSamples: Bool

    init(_ problem: ContractionProblem, lanesAreColumns: Bool) {
        let (input, filter) = (SmallInteger(problem.inputType), SmallInteger(problem.filterType))
        let isSmall = problem.arithmetic == .word32 && input.isSmall && filter.isSmall
        if hasQuads && isSmall && input.isByte && filter.isByte && (input.isSigned || filter.isSigned) {
            raisesSamples = input.isSigned && filter.isSigned
            products = .quads(lanesAreUnsigned: lanesAreColumns == (raisesSamples || filter.isSigned))
            elementBytes = 1
        } else {
            raisesSamples = false
            let arePairs = hasPairs && isSmall
            products = arePairs ? .pairs : .elements(problem.arithmetic)
            elementBytes = arePairs ? 2 : problem.arithmetic.byteCount
        }
    }

    /// Depths of a word, and how many words some depths take.
    var depths: Int { products.depths }
    func words(_ count: Int) -> Int { ceilingDivide(count, depths) }

    var areElements: Bool { if case .elements = products { true } else { false } }

    /// What reads an operand of a dtype; `raises` for bytes that are held 128 higher.
    func reader(
        _ type: ElementType, swapUnit: Int, _ arithmetic: ArithmeticKind, raises: Bool = false
    ) -> OperandReader {
        switch products {
        case .elements: OperandReader(ElementReader(type: type, swapUnit: swapUnit, arithmetic))
        case .pairs: OperandReader(ElementReader(type: type, swapUnit: swapUnit, .word16))
        case .quads: OperandReader(raisesBytes: raises)
        }
    }
}

/// What a dtype is among the integers that fit signed words of 16 bits.
private struct SmallInteger {
    var isSmall = true
    var isByte = false
    var isSigned = false

    init(_ type: ElementType) {
        switch type {
        case .int8: (isByte, isSigned) = (true, true)
        case .uint8: isByte = true
        case .int16: isSigned = true
        default: isSmall = false
        }
    }
}

/// Reads runs of an operand's elements into the form that they are held in, contiguous.
struct OperandReader {
    private let form: Form
    /// Whether memory already holds them so.
    let isPlain: Bool

    private enum Form {
        case converted(ElementReader)
        case bytes
        case raisedBytes
    }

    init(_ reader: ElementReader) {
        form = .converted(reader)
        isPlain = reader.isPlain
    }

    /// Bytes as they are, or 128 higher.
    init(raisesBytes: Bool) {
        form = raisesBytes ? .raisedBytes : .bytes
        isPlain = !raisesBytes
    }

    /// Every byte of a zero.
    var zero: UInt8 { if case .raisedBytes = form { 0x80 } else { 0 } }

    /// `stage` serves `readRun`.
    func read(
        _ source: UnsafeRawPointer, stride: Int, count: Int, to target: UnsafeMutableRawPointer,
        stage: UnsafeMutableRawPointer
    ) {
        switch form {
        case .converted(let reader):
            readRun(reader, source, stride: stride, count: count, to: target, stage: stage)
        case .bytes:
            gather(source, strideBytes: stride, to: target, count: count, elementBytes: 1, swapUnit: 1)
        case .raisedBytes:
            let bytes = target.assumingMemoryBound(to: UInt8.self)
            if stride == 1 {
                sc_copy_flipped(bytes, source.assumingMemoryBound(to: UInt8.self), Int64(count))
            } else {
                gather(source, strideBytes: stride, to: target, count: count, elementBytes: 1, swapUnit: 1)
                for i in 0..<count { bytes[i] ^= 0x80 }
            }
        }
    }
}

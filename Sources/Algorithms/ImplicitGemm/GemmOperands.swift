import CMachine
import Foundations
import Kernels

/// How the elements of a contraction's operands are held and multiplied.
///
/// Small integers whose sums have 32 bits lie several depths to a 32-bit word, as the ISA multiplies them: 16-bit ones by
/// twos, bytes by fours, those of one operand unsigned and those of the other signed. Signed bytes times signed ones become
/// that with 128 added to each sample, padding included, and 128 times the sum of the filter subtracted from each result.
/// Results of 8 or 16 bits are the low bits of such sums; of as many bits as the operands have, whatever the signs.
struct GemmOperands {
    /// What sums are held as.
    let sums: ArithmeticKind
    let products: PanelProducts
    /// Bytes of a sample and of a filter's element as they are held.
    let elementBytes: Int
    /// Whether samples are held 128 higher.
    let raisesSamples: Bool

    init(_ problem: ContractionProblem, sums: ArithmeticKind, lanesAreColumns: Bool) {
        self.sums = sums
        switch SmallProducts(problem, sums) {
        case .bytes(let samplesAreSigned, let filterIsSigned):
            raisesSamples = samplesAreSigned && filterIsSigned
            products = .quads(lanesAreUnsigned: lanesAreColumns == (raisesSamples || filterIsSigned))
            elementBytes = 1
        case .pairs:
            (raisesSamples, products, elementBytes) = (false, .pairs, 2)
        case nil:
            (raisesSamples, products, elementBytes) = (false, .elements(sums), sums.byteCount)
        }
    }

    /// What sums are held as: what the result is computed in, or wider, where the products of words gain by it.
    static func sums(_ problem: ContractionProblem) -> ArithmeticKind {
        // Limits look at results that have wrapped. Without VNNI, words are no faster than 16-bit products.
        if problem.arithmetic != .word16 || !hasQuads || problem.epilogue.clamp != nil { return problem.arithmetic }
        switch SmallProducts(problem, .word32) {
        case .bytes: return .word32
        // What 16-bit products read in place has to be packed.
        case .pairs: return problem.productsPerElement >= 64 ? .word32 : .word16
        case nil: return .word16
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

/// Products of small integers that words hold, with sums modulo 2^32.
private enum SmallProducts {
    /// One side's signed, the other's not, or of both the same signs.
    case bytes(samplesAreSigned: Bool, filterIsSigned: Bool)
    /// Of 16 bits, or fewer.
    case pairs

    init?(_ problem: ContractionProblem, _ sums: ArithmeticKind) {
        guard case .word32 = sums, let input = SmallInteger(problem.inputType),
            let filter = SmallInteger(problem.filterType)
        else { return nil }
        let bits = 8 &* problem.resultType.byteCount
        if hasQuads && input.isByte && filter.isByte {
            if bits == 8 {
                // Modulo 2^8 a byte is the same number, signed or not.
                self = .bytes(samplesAreSigned: false, filterIsSigned: true)
                return
            }
            if input.isSigned || filter.isSigned {
                self = .bytes(samplesAreSigned: input.isSigned, filterIsSigned: filter.isSigned)
                return
            }
        }
        if !hasPairs || (bits > 16 && !(input.fitsSigned16 && filter.fitsSigned16)) { return nil }
        self = .pairs
    }
}

/// What a dtype is among the integers of at most 16 bits.
private struct SmallInteger {
    var isByte = false
    var isSigned = false
    var fitsSigned16 = true

    init?(_ type: ElementType) {
        switch type {
        case .bool: break
        case .int8: (isByte, isSigned) = (true, true)
        case .uint8: isByte = true
        case .int16: isSigned = true
        case .uint16: fitsSigned16 = false
        default: return nil
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

import CMachine
import Foundations

/// What rows of products are computed in: an arithmetic, or bytes modulo 256, which no matrix product has.
package enum RowArithmetic: Sendable {
    case bytes
    case elements(ArithmeticKind)

    package var byteCount: Int {
        switch self {
        case .bytes: 1
        case .elements(let arithmetic): arithmetic.byteCount
        }
    }
}

/// Adds up rows of products of one or two factors, row by row or each row by itself (`products.h`).
package func addRowProducts(_ arithmetic: RowArithmetic, _ rows: inout sc_product_rows, totals: Bool) {
    switch (arithmetic, totals) {
    case (.bytes, false): sc_add_products_u8(&rows)
    case (.elements(.boolean), false): sc_add_products_bool(&rows)
    case (.elements(.word16), false): sc_add_products_u16(&rows)
    case (.elements(.word32), false): sc_add_products_u32(&rows)
    case (.elements(.word64), false): sc_add_products_u64(&rows)
    case (.elements(.float32), false): sc_add_products_f32(&rows)
    case (.elements(.float64), false): sc_add_products_f64(&rows)
    case (.elements(.complex64), false): sc_add_products_c64(&rows)
    case (.elements(.complex128), false): sc_add_products_c128(&rows)
    case (.bytes, true): sc_total_products_u8(&rows)
    case (.elements(.boolean), true): sc_total_products_bool(&rows)
    case (.elements(.word16), true): sc_total_products_u16(&rows)
    case (.elements(.word32), true): sc_total_products_u32(&rows)
    case (.elements(.word64), true): sc_total_products_u64(&rows)
    case (.elements(.float32), true): sc_total_products_f32(&rows)
    case (.elements(.float64), true): sc_total_products_f64(&rows)
    case (.elements(.complex64), true): sc_total_products_c64(&rows)
    case (.elements(.complex128), true): sc_total_products_c128(&rows)
    }
}

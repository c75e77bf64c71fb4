import CMachine
import Foundations

/// Adds up rows of products of one or two factors, row by row or each row by itself (`products.h`).
package func addRowProducts(_ arithmetic: ArithmeticKind, _ rows: inout sc_product_rows, totals: Bool) {
    switch (arithmetic, totals) {
    case (.boolean, false): sc_add_products_bool(&rows)
    case (.word16, false): sc_add_products_u16(&rows)
    case (.word32, false): sc_add_products_u32(&rows)
    case (.word64, false): sc_add_products_u64(&rows)
    case (.float32, false): sc_add_products_f32(&rows)
    case (.float64, false): sc_add_products_f64(&rows)
    case (.complex64, false): sc_add_products_c64(&rows)
    case (.complex128, false): sc_add_products_c128(&rows)
    case (.boolean, true): sc_total_products_bool(&rows)
    case (.word16, true): sc_total_products_u16(&rows)
    case (.word32, true): sc_total_products_u32(&rows)
    case (.word64, true): sc_total_products_u64(&rows)
    case (.float32, true): sc_total_products_f32(&rows)
    case (.float64, true): sc_total_products_f64(&rows)
    case (.complex64, true): sc_total_products_c64(&rows)
    case (.complex128, true): sc_total_products_c128(&rows)
    }
}

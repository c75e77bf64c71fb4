/// Which algorithm runs a loop nest: sc_contraction's method.
package enum NestMethod: Int32, Sendable { case auto = 0, nest = 1, gemm = 2, direct = 3, reference = 4 }

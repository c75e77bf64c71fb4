/* swiftconv.h: the contract between the Swift core and whoever calls it (the CPython extension is one caller).
 *
 * - Every function returns a status; nothing here aborts, throws, or writes outside `out`.
 * - Shapes are in elements, memory strides in bytes (NumPy's convention); a "stride" in sc_sliding is the
 *   convolution's step, in elements.
 * - The caller keeps every buffer alive during a call. `out` must not overlap an input.
 * - All functions may be called from any number of threads at once.
 */
#ifndef SWIFTCONV_H
#define SWIFTCONV_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever anything below changes meaning; the extension refuses a core of another version. */
#define SC_ABI_VERSION 6

enum { SC_MAX_DIMS = 32 };

/* ---- Statuses -------------------------------------------------------------------------------------------------- */

/* What sc_error's fields mean for each status is in the comment beside it. */
typedef int32_t sc_status;
enum {
  SC_OK = 0,
  SC_NO_MEMORY = 1,            /* value: bytes that could not be had */
  SC_INTERRUPTED = 2,          /* sc_control.interrupted returned non-zero; `out` is partly written */
  SC_TOO_MANY_DIMENSIONS = 3,  /* argument; value: its ndim; expected: SC_MAX_DIMS */
  SC_RANK_TOO_SMALL = 4,       /* argument; value: its ndim; expected: number of window axes */
  SC_WINDOW_RANK = 5,          /* argument V; value: v.ndim; expected: number of window axes */
  SC_EMPTY_AXIS = 6,           /* argument; axis: the one of extent 0 */
  SC_AXIS_OUT_OF_RANGE = 7,    /* argument AXES; value: the axis; expected: ndim of a or input */
  SC_AXIS_REPEATED = 8,        /* argument AXES; value: the axis */
  SC_NOT_POSITIVE = 9,         /* argument; axis: position in it, where it is a list; value */
  SC_WINDOW_TOO_LARGE = 10,    /* axis of a; value: dilated extent of v; expected: extent of a (mode valid) */
  SC_ORIGIN_OUT_OF_RANGE = 11, /* axis of a; value: origin; lowest, expected (highest): the range it must lie in */
  SC_ORIGIN_NEEDS_SAME = 12,   /* value: the origin given with another mode */
  SC_SIZE_OVERFLOW = 13,       /* argument; axis: position in it; value: too large for the extents */
  SC_OUT_RANK = 14,            /* argument; value: its ndim; expected */
  SC_OUT_SHAPE = 15,           /* argument; axis; value: its extent; expected */
  SC_DTYPE = 16,               /* argument; value: dtype code that the operation cannot take */
  SC_METHOD = 17,              /* method: the named algorithm cannot run this problem */
  SC_BAD_ENUM = 18,            /* argument; value: unknown code: a mistake of the caller's, not of the user's */
  SC_RANK = 19,                /* argument; value: its ndim; expected */
  SC_EXTENT = 20,              /* argument, axis; value: its extent; expected: what the other operands ask for */
  SC_CHANNELS = 21,            /* argument, axis; value: its channels; lowest: groups; expected: channels asked for */
  SC_INDIVISIBLE = 22,         /* argument, axis: an extent, value, that expected (groups, batch groups) divides not */
  SC_NEGATIVE = 23,            /* argument; axis: position in it; value */
  SC_WINDOW_BEYOND = 24,       /* argument; axis: spatial axis; value: dilated window; expected: padded input */
  SC_PADDING_TOO_LARGE = 25,   /* argument; axis: spatial axis; value: padding; expected: the most there may be */
  SC_SINGULAR = 26             /* argument; value: order of a leading minor that is zero */
};

typedef int32_t sc_argument;
enum {
  SC_ARG_NONE = 0,
  SC_ARG_A = 1,
  SC_ARG_V = 2,
  SC_ARG_OUT = 3,
  SC_ARG_MODE = 4,
  SC_ARG_AXES = 5,
  SC_ARG_BOUNDARY = 6,
  SC_ARG_ORIGIN = 7,
  SC_ARG_STRIDE = 8,
  SC_ARG_DILATION = 9,
  SC_ARG_DTYPE = 10,
  SC_ARG_METHOD = 11,
  SC_ARG_THREADS = 12,
  SC_ARG_OPERATION = 13,
  SC_ARG_INPUT = 14,
  SC_ARG_WEIGHT = 15,
  SC_ARG_BIAS = 16,
  SC_ARG_GRAD_OUTPUT = 17,
  SC_ARG_PADDING = 18,
  SC_ARG_OUTPUT_PADDING = 19,
  SC_ARG_INPUT_DILATION = 20,
  SC_ARG_GROUPS = 21,
  SC_ARG_BATCH_GROUPS = 22,
  SC_ARG_ACTIVATION = 23,
  SC_ARG_KERNEL_SIZE = 24,
  SC_ARG_PATCHES = 25,
  SC_ARG_INDICES = 26,
  SC_ARG_NORM_TYPE = 27,
  SC_ARG_OPERANDS = 28,
  SC_ARG_KERNEL = 29,
  SC_ARG_POINTERS = 30,
  SC_ARG_LINES = 31,
  SC_ARG_DATA = 32
};

typedef struct sc_error {
  sc_argument argument;
  int32_t axis; /* -1 where no axis is meant */
  int64_t value;
  int64_t lowest;
  int64_t expected;
} sc_error;

/* ---- Tensors --------------------------------------------------------------------------------------------------- */

typedef int32_t sc_dtype;
enum {
  SC_BOOL = 0,
  SC_INT8 = 1,
  SC_INT16 = 2,
  SC_INT32 = 3,
  SC_INT64 = 4,
  SC_UINT8 = 5,
  SC_UINT16 = 6,
  SC_UINT32 = 7,
  SC_UINT64 = 8,
  SC_FLOAT16 = 9,
  SC_BFLOAT16 = 10,
  SC_FLOAT32 = 11,
  SC_FLOAT64 = 12,
  SC_COMPLEX64 = 13,
  SC_COMPLEX128 = 14
};

/* A strided array that somebody else owns. Any strides: negative, zero, misaligned. */
typedef struct sc_tensor {
  void *data;
  const int64_t *shape;   /* ndim extents */
  const int64_t *strides; /* ndim memory strides, in bytes */
  int32_t ndim;
  sc_dtype dtype;
  int32_t byteswapped; /* non-zero: elements are in the other byte order */
  int32_t reserved;
} sc_tensor;

/* ---- Sliding a filter over an array: correlate, convolve ------------------------------------------------------- */

enum { SC_CORRELATE = 0, SC_CONVOLVE = 1 }; /* correlate conjugates v; convolve flips v and does not conjugate */
enum { SC_MODE_VALID = 0, SC_MODE_SAME = 1, SC_MODE_FULL = 2 };
enum {
  SC_BOUNDARY_FILL = 0,      /* fill value outside                 f f | a b c d | f f */
  SC_BOUNDARY_WRAP = 1,      /* periodic                           c d | a b c d | a b */
  SC_BOUNDARY_SYMMETRIC = 2, /* mirrored, edge repeated            b a | a b c d | d c */
  SC_BOUNDARY_REFLECT = 3,   /* mirrored at the edge sample        c b | a b c d | c b */
  SC_BOUNDARY_EDGE = 4       /* nearest                            a a | a b c d | d d */
};
enum { SC_METHOD_AUTO = 0, SC_METHOD_DIRECT = 1, SC_METHOD_SEPARABLE = 2, SC_METHOD_REFERENCE = 3 };

typedef struct sc_sliding {
  int32_t operation;
  int32_t mode;
  int32_t boundary;
  int32_t method;
  sc_dtype result_dtype; /* what products and sums are computed in; out may have another dtype and is then cast */
  int32_t threads;       /* 0: sc_get_num_threads() */
  int32_t window_ndim;   /* v.ndim, and the length of each list below */
  int32_t reserved;
  const int64_t *axes;     /* a's axes that v slides over; NULL: the last window_ndim */
  const int64_t *stride;   /* NULL: 1 each */
  const int64_t *dilation; /* NULL: 1 each */
  const int64_t *origin;   /* NULL: 0 each; mode same only, ndimage's sign */
  /* The fill value in result_dtype: integers and bool in fill_integer (64-bit pattern), the rest in the doubles. */
  int64_t fill_integer;
  double fill_real;
  double fill_imaginary;
} sc_sliding;

/* Polled by the calling thread a few dozen times a second; non-zero stops the call with SC_INTERRUPTED. */
typedef struct sc_control {
  int32_t (*interrupted)(void *context);
  void *context;
} sc_control;

typedef struct sc_explanation {
  const char *algorithm; /* "stencil", "separable", "reference" */
  const char *kernel;    /* name of the register tile, e.g. "shared rows 6 x 2" */
  const char *input;     /* how the input is read: "direct", "direct, border packed", "packed by blocks" */
  const char *output;    /* how the output is written: "direct", "converted by blocks" */
  int64_t vector_axis;   /* a's axis that lies along the vectors, -1 if none */
  int64_t vector_lanes;
  int64_t tile_rows;    /* output rows a register tile holds */
  int64_t tile_columns; /* output columns (lanes) a register tile holds */
  int64_t block_rows;   /* output rows and columns of a packed block; 0 x 0 if nothing is packed */
  int64_t block_columns;
  int64_t workspace_bytes; /* per thread, packed filter included */
  int64_t tasks;
  int64_t threads;
} sc_explanation;

/* Shape of the result (a.ndim extents into out_shape). */
sc_status sc_sliding_shape(const sc_tensor *a, const sc_tensor *v, const sc_sliding *options, int64_t *out_shape,
                           sc_error *error);
sc_status sc_sliding_run(const sc_tensor *a, const sc_tensor *v, const sc_tensor *out, const sc_sliding *options,
                         const sc_control *control, sc_error *error);
/* What sc_sliding_run would do; the strings are static. out may be NULL: a new C-ordered result. v is read (a filter
 * may have factors), so its data is needed; a's and out's are not. */
sc_status sc_sliding_explain(const sc_tensor *a, const sc_tensor *v, const sc_tensor *out, const sc_sliding *options,
                             sc_explanation *explanation, sc_error *error);

/* ---- The network layer: convolutions with channels ------------------------------------------------------------- */

/* Tensors have torch's order of axes: input (N, C, spatial...), weight (O, C / groups, spatial...), output
 * (N, O, spatial...), bias (O). Layouts are a matter of memory strides: none costs a copy. No operation conjugates. */
enum {
  SC_CONV_FORWARD = 0,    /* (input, weight) -> output; input coordinate stride * o + dilation * k - padding_low */
  SC_CONV_TRANSPOSED = 1, /* (output's gradient, weight) -> input's: the adjoint of forward; weight's axes are
                           * forward's, so conv_transpose's channels of input are O, of output C */
  SC_CONV_WEIGHT = 2      /* (input, output's gradient) -> weight's */
};
/* What becomes of sum + bias; sums are clamped before they are rounded to 16-bit floats. */
enum { SC_ACTIVATION_NONE = 0, SC_ACTIVATION_CLAMP = 1 };
enum { SC_CONV_AUTO = 0, SC_CONV_DIRECT = 1, SC_CONV_GEMM = 2, SC_CONV_WINOGRAD = 3, SC_CONV_REFERENCE = 4 };

typedef struct sc_conv {
  int32_t operation;
  int32_t spatial_ndim; /* length of each list below */
  int32_t boundary;     /* SC_BOUNDARY_*: what padding holds, zeros for fill; others in forward only */
  int32_t method;
  sc_dtype result_dtype; /* what products and sums are computed in; out may have another dtype and is then cast */
  int32_t threads;       /* 0: sc_get_num_threads() */
  int32_t per_sample;    /* non-zero: weight, and bias, have a leading axis, the batch: each sample has its own */
  int32_t activation;
  double lowest, highest; /* bounds of the clamp */
  int64_t groups;
  int64_t batch_groups;          /* jax's batch_group_count, forward only: output channels see a part of the batch */
  const int64_t *stride;         /* NULL: 1 each */
  const int64_t *dilation;       /* NULL: 1 each */
  const int64_t *padding_low;    /* NULL: 0 each; negative ones crop (boundary fill only) */
  const int64_t *padding_high;   /* NULL: 0 each */
  const int64_t *input_dilation; /* NULL: 1 each; zeros between samples (jax's lhs_dilation), forward only */
  const int64_t *output_padding; /* NULL: 0 each; transposed, where out_shape is asked for */
} sc_conv;

/* Shape of the result (spatial_ndim + 2 extents into out_shape) of forward and transposed. `a` and `b` are the operands
 * in the order of the operation's comment. */
sc_status sc_conv_shape(const sc_tensor *a, const sc_tensor *b, const sc_conv *options, int64_t *out_shape,
                        sc_error *error);
/* bias may be NULL, and is in weight. out has any dtype that the result casts to; for transposed it may be longer than
 * sc_conv_shape's answer by less than a stride or dilation, as output_padding makes it. */
sc_status sc_conv_run(const sc_tensor *a, const sc_tensor *b, const sc_tensor *bias, const sc_tensor *out,
                      const sc_conv *options, const sc_control *control, sc_error *error);
sc_status sc_conv_explain(const sc_tensor *a, const sc_tensor *b, const sc_tensor *bias, const sc_tensor *out,
                          const sc_conv *options, sc_explanation *explanation, sc_error *error);

/* A plan: a convolution whose filter is given once and packed once for each way in which it is needed. Any number of
 * threads may run one. The memory of weight and bias is the caller's: it outlives the plan and does not change; the
 * descriptors and the options' lists are copied. SC_CONV_WEIGHT has no plans. */
typedef struct sc_conv_plan sc_conv_plan;

sc_status sc_conv_plan_create(const sc_tensor *weight, const sc_tensor *bias, const sc_conv *options,
                              sc_conv_plan **plan, sc_error *error);
void sc_conv_plan_destroy(sc_conv_plan *plan);
/* As sc_conv_shape, sc_conv_run and sc_conv_explain; threads 0 is the number in the plan's options. */
sc_status sc_conv_plan_shape(const sc_conv_plan *plan, const sc_tensor *a, int64_t *out_shape, sc_error *error);
sc_status sc_conv_plan_run(sc_conv_plan *plan, const sc_tensor *a, const sc_tensor *out, int32_t threads,
                           const sc_control *control, sc_error *error);
sc_status sc_conv_plan_explain(const sc_conv_plan *plan, const sc_tensor *a, const sc_tensor *out,
                               sc_explanation *explanation, sc_error *error);
/* Packs the filter for inputs and outputs that lie like these, whose data is not touched; runs do it where it was not
 * done before. */
sc_status sc_conv_plan_prepare(sc_conv_plan *plan, const sc_tensor *a, const sc_tensor *out, sc_error *error);
/* Bytes of all packed filters. */
int64_t sc_conv_plan_bytes(const sc_conv_plan *plan);

/* ---- Patches: the windows of an array side by side, and what they add up to ------------------------------------- */

enum { SC_REDUCTION_SUM = 0, SC_REDUCTION_MEAN = 1 };

/* Of an array x of any rank, `patches` has x's axes in x's order, a window axis with the number of windows o along it,
 * and then an axis of taps k for each window axis:
 *
 *     patches[..., o, ..., k, ...] = x[..., stride * o + dilation * k - padding_low, ...]
 *
 * Both are strided, so every order of a patch matrix (unfold, im2col, extract_patches, tokens) is a view of one such
 * tensor. There are (extent + padding_low + padding_high - dilation * (window - 1) - 1) / stride + 1 windows. */
typedef struct sc_patches {
  int32_t window_ndim; /* length of each list */
  int32_t boundary;    /* gather: what lies outside x. scatter adds nothing there */
  int32_t reduction;   /* scatter */
  int32_t threads;     /* 0: sc_get_num_threads() */
  int32_t fresh;       /* gather: patches was allocated for this call, so its pages are cleared when they are written */
  int32_t reserved;
  const int64_t *axes; /* x's axes that windows slide over; NULL: the last window_ndim */
  const int64_t *window;
  const int64_t *stride;       /* NULL: 1 each */
  const int64_t *dilation;     /* NULL: 1 each */
  const int64_t *padding_low;  /* NULL: 0 each */
  const int64_t *padding_high; /* NULL: 0 each */
  const void *fill;            /* an element of x's dtype in native byte order; NULL: zero */
  const double
      *weights; /* scatter: a weight for each tap, in C order: weighted means instead of `reduction`. NULL: 1 */
} sc_patches;

/* Shape of patches: x.ndim + window_ndim extents. */
sc_status sc_patches_shape(const sc_tensor *x, const sc_patches *options, int64_t *shape, sc_error *error);
/* Of one dtype; elements are moved, not computed with. */
sc_status sc_patches_gather(const sc_tensor *x, const sc_tensor *patches, const sc_patches *options,
                            const sc_control *control, sc_error *error);
/* The adjoint: an element of x becomes the sum, or the (weighted) mean, of all that a gather copies it to; 0 where that
 * is nothing. One dtype, but float64 for means of integers and bool. Sums of integers wrap, of bool are OR. */
sc_status sc_patches_scatter(const sc_tensor *patches, const sc_tensor *x, const sc_patches *options,
                             const sc_control *control, sc_error *error);

/* ---- Pooling: a window's maximum, sum, average or norm --------------------------------------------------------- */

enum { SC_POOL_MAX = 0, SC_POOL_SUM = 1, SC_POOL_AVERAGE = 2, SC_POOL_LP = 3 };

/* Output o and tap k read input `stride * o + dilation * k - padding_low`. Outside the input lies what changes nothing:
 * zero, for maxima the lowest value. The dtype of out is what sums are computed in (16-bit floats: float32); a maximum
 * keeps the dtype of input. */
typedef struct sc_pool {
  int32_t operation;
  int32_t window_ndim; /* length of each list below */
  int32_t threads;     /* 0: sc_get_num_threads() */
  int32_t ceil_mode;   /* non-zero: the last window may reach past the padded input, if it starts inside or before it */
  int32_t count_include_pad; /* average: non-zero counts padding, but never what lies past it */
  int32_t signed_powers;     /* lp: non-zero sums x^p, else |x|^p */
  int64_t divisor_override;  /* average: 0: the number of elements */
  double norm_type;          /* lp: p; infinity: the largest |x|, minus infinity: the smallest */
  const int64_t *axes;       /* input's axes that windows slide over; NULL: the last window_ndim */
  const int64_t *kernel_size;
  const int64_t *stride;       /* NULL: kernel_size */
  const int64_t *dilation;     /* NULL: 1 each */
  const int64_t *padding_low;  /* NULL: 0 each */
  const int64_t *padding_high; /* NULL: 0 each */
} sc_pool;

/* Shape of the result (input.ndim extents into out_shape). */
sc_status sc_pool_shape(const sc_tensor *input, const sc_pool *options, int64_t *out_shape, sc_error *error);
/* indices: NULL, or of a maximum's elements (int64, the shape of out) the flat index over input's window axes in the
 * order of `axes`: of equal ones the first, of NaN the last; -1 where a window holds none. */
sc_status sc_pool_run(const sc_tensor *input, const sc_tensor *out, const sc_tensor *indices, const sc_pool *options,
                      const sc_control *control, sc_error *error);

/* ---- Contractions: sums of products over named indices ---------------------------------------------------------- */

enum { SC_MAX_INDICES = 64, SC_MAX_FACTORS = 64 };
enum {
  SC_CONTRACT_AUTO = 0,
  SC_CONTRACT_NEST = 1,   /* a loop nest over rows of products: any number of factors, any strides */
  SC_CONTRACT_GEMM = 2,   /* two factors as a matrix product, packed from their strides */
  SC_CONTRACT_DIRECT = 3, /* two factors as a filter that slides */
  SC_CONTRACT_REFERENCE = 4
};

/* An array as an index sees it: how far a step of each index moves in it, in bytes. 0 for one that it does not have;
 * the sum of its axes' strides for one that it has twice (a diagonal). */
typedef struct sc_factor {
  void *data;
  const int64_t *strides; /* index_count of them; of the output, output_count */
  sc_dtype dtype;
  int32_t byteswapped; /* non-zero: elements are in the other byte order */
} sc_factor;

/* An axis of a factor on which two indices meet and that is read beyond its ends: its coordinate is the sum of
 * step * index over all indices, less padding; what lies outside is as `boundary` says. The factor's strides are 0 for
 * the indices that have a step. Windows that stay inside need none of this: strides say all. */
typedef struct sc_window {
  int32_t factor;
  int32_t reserved;
  int64_t extent;
  int64_t stride; /* memory stride of the axis, in bytes */
  int64_t padding;
  const int64_t *steps; /* index_count of them, 0 for an index that does not move it */
} sc_window;

/* out[output indices] = the sum over the other indices of the product of all factors. A factor without indices is a
 * number; a sum over nothing is 0. No factor is conjugated. */
typedef struct sc_contraction {
  int32_t factor_count;  /* 1 to SC_MAX_FACTORS */
  int32_t index_count;   /* at most SC_MAX_INDICES */
  int32_t output_count;  /* the first so many indices are the output's, the others are summed over */
  int32_t method;        /* SC_CONTRACT_* */
  sc_dtype result_dtype; /* what products and sums are computed in; out may have another dtype and is then cast */
  int32_t threads;       /* 0: sc_get_num_threads() */
  int32_t boundary;      /* SC_BOUNDARY_*, zeros for fill */
  int32_t window_count;
  const int64_t *extents; /* of every index */
  const sc_factor *factors;
  const sc_window *windows; /* may be NULL where there are none */
} sc_contraction;

sc_status sc_contract_run(const sc_contraction *contraction, const sc_factor *out, const sc_control *control,
                          sc_error *error);
/* What it would do; data is not touched and may be NULL. out NULL: a new C-ordered result. */
sc_status sc_contract_explain(const sc_contraction *contraction, const sc_factor *out, sc_explanation *explanation,
                              sc_error *error);

/* ---- The matrix of a convolution ------------------------------------------------------------------------------- */

/* Output o and tap k of a window axis meet at sample step * o + dilation * k - padding, mapped by the boundary where
 * that lies outside; under SC_BOUNDARY_FILL they do not meet there. */
typedef struct sc_matrix_axis {
  int64_t samples, outputs, taps, step, dilation, padding;
} sc_matrix_axis;

/* Rows are outputs, [group][filter][output of each axis]; columns samples, [group][channel][sample of each axis]. An
 * entry is the sum of the taps under which the two meet. Lines are rows, or columns where by_columns is not 0. */
typedef struct sc_matrix {
  int32_t axis_count; /* at least 1 */
  int32_t boundary;
  int32_t by_columns;
  int32_t threads;                   /* 0: sc_get_num_threads() */
  int64_t groups, filters, channels; /* filters and channels of each group */
  const sc_matrix_axis *axes;
} sc_matrix;

typedef struct sc_matrix_size {
  int64_t lines, crossed; /* rows and columns, or the other way round */
  int64_t entries;
  int64_t blocks; /* blocks of [output][sample] of the last axis that hold any */
} sc_matrix_size;

/* Where the windows of a problem lie that slides over every axis of `a`: a number of sc_matrix_axis for each. */
sc_status sc_sliding_axes(const sc_tensor *a, const sc_tensor *v, const sc_sliding *options, sc_matrix_axis *axes,
                          sc_error *error);
sc_status sc_matrix_count(const sc_matrix *matrix, sc_matrix_size *size, sc_error *error);
/* `kernel` is [group * filter][channel][taps...]; its dtype is that of the values. Indices are int32 or int64, all the
 * same; arrays are contiguous and of the sizes that sc_matrix_count tells: `pointers` lines + 1, the others entries.
 * `line_numbers` may be NULL. */
sc_status sc_matrix_compressed(const sc_matrix *matrix, const sc_tensor *kernel, const sc_tensor *pointers,
                               const sc_tensor *indices, const sc_tensor *line_numbers, const sc_tensor *data,
                               const sc_control *control, sc_error *error);
/* `out`, [row][column] with any strides, holds zeros. */
sc_status sc_matrix_dense(const sc_matrix *matrix, const sc_tensor *kernel, const sc_tensor *out,
                          const sc_control *control, sc_error *error);
/* Blocks of rows: `data`, [block][output][sample] of the last axis, holds zeros; pointers and indices are those of
 * blocks. */
sc_status sc_matrix_blocks(const sc_matrix *matrix, const sc_tensor *kernel, const sc_tensor *pointers,
                           const sc_tensor *indices, const sc_tensor *data, const sc_control *control, sc_error *error);

/* ---- Toeplitz systems ------------------------------------------------------------------------------------------- */

/* Solves A x = b with A[i, j] = column[i - j] for i >= j and row[j - i] for j > i (row[0] is not used) by the Levinson
 * recursion, in O(n^2) operations and O(n) memory for each right-hand side. column and row: (n); b and x: (n, sides).
 * All of float64 or all of complex128, native byte order. SC_SINGULAR where a leading minor of A is zero, which A
 * itself need not be. Errors name column SC_ARG_A, row SC_ARG_V, b SC_ARG_INPUT and x SC_ARG_OUT. threads 0:
 * sc_get_num_threads(). */
sc_status sc_toeplitz_solve(const sc_tensor *column, const sc_tensor *row, const sc_tensor *b, const sc_tensor *x,
                            int32_t threads, const sc_control *control, sc_error *error);

/* ---- The library ----------------------------------------------------------------------------------------------- */

int32_t sc_abi_version(void);
const char *sc_isa(void); /* "baseline", "x86-64-v3", "x86-64-v4", "x86-64-v4-vnni", "arm64" */
int32_t sc_get_num_threads(void);
/* Returns the old value; count 0 restores the default (environment, then CPU affinity); negative changes nothing. */
int32_t sc_set_num_threads(int32_t count);

#ifdef __cplusplus
}
#endif
#endif

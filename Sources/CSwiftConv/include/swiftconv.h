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
#define SC_ABI_VERSION 1

enum { SC_MAX_DIMS = 32 };

/* ---- Statuses -------------------------------------------------------------------------------------------------- */

/* What sc_error's fields mean for each status is in the comment beside it. */
typedef int32_t sc_status;
enum {
  SC_OK = 0,
  SC_NO_MEMORY = 1,            /* value: bytes that could not be had */
  SC_INTERRUPTED = 2,          /* sc_control.interrupted returned non-zero; `out` is partly written */
  SC_TOO_MANY_DIMENSIONS = 3,  /* argument; value: its ndim; expected: SC_MAX_DIMS */
  SC_RANK_TOO_SMALL = 4,       /* argument A; value: a.ndim; expected: number of window axes */
  SC_WINDOW_RANK = 5,          /* argument V; value: v.ndim; expected: number of window axes */
  SC_EMPTY_AXIS = 6,           /* argument A or V; axis: the one of extent 0 */
  SC_AXIS_OUT_OF_RANGE = 7,    /* argument AXES; value: the axis; expected: a.ndim */
  SC_AXIS_REPEATED = 8,        /* argument AXES; value: the axis */
  SC_NOT_POSITIVE = 9,         /* argument STRIDE, DILATION (axis: position in it) or THREADS; value */
  SC_WINDOW_TOO_LARGE = 10,    /* axis of a; value: dilated extent of v; expected: extent of a (mode valid) */
  SC_ORIGIN_OUT_OF_RANGE = 11, /* axis of a; value: origin; lowest, expected (highest): the range it must lie in */
  SC_ORIGIN_NEEDS_SAME = 12,   /* value: the origin given with another mode */
  SC_SIZE_OVERFLOW = 13,       /* argument STRIDE or DILATION; axis: position in it; value: too large for a and v */
  SC_OUT_RANK = 14,            /* value: out.ndim; expected */
  SC_OUT_SHAPE = 15,           /* axis; value: out's extent; expected */
  SC_DTYPE = 16,               /* argument; value: dtype code that the operation cannot take */
  SC_METHOD = 17,              /* method: the named algorithm cannot run this problem */
  SC_BAD_ENUM = 18,            /* argument; value: unknown code: a mistake of the caller's, not of the user's */
  SC_NEGATIVE = 23,            /* argument PADDING; axis: position in it; value */
  SC_WINDOW_BEYOND = 24        /* axis of input; value: dilated extent of the window; expected: padded input's extent */
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
  SC_ARG_PADDING = 18,
  SC_ARG_KERNEL_SIZE = 24,
  SC_ARG_INDICES = 26,
  SC_ARG_NORM_TYPE = 27
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

/* ---- The library ----------------------------------------------------------------------------------------------- */

int32_t sc_abi_version(void);
const char *sc_isa(void); /* "baseline", "x86-64-v3", "x86-64-v4", "arm64" */
int32_t sc_get_num_threads(void);
/* Returns the old value; count 0 restores the default (environment, then CPU affinity); negative changes nothing. */
int32_t sc_set_num_threads(int32_t count);

#ifdef __cplusplus
}
#endif
#endif

/* arrays.h: NumPy arrays as the core's descriptors, read by the macros that NumPy's headers inline into extensions.
 *
 * The fields that they read are part of NumPy's ABI, the same in 1.x and 2.x, so one binary serves both; no function of
 * NumPy's is called. Reading them takes a tenth of the time of the buffer protocol, which serves the general path. */
#ifndef SWIFTCONV_ARRAYS_H
#define SWIFTCONV_ARRAYS_H

#include "native.h"

/* The lists are copies: while the GIL is released another thread may give the array a new shape. */
typedef struct plain_array {
  sc_tensor tensor;
  int64_t itemsize;
  int64_t shape[SC_MAX_DIMS], strides[SC_MAX_DIMS];
} plain_array;

/* Reads an array whose type the caller has checked. Returns 0, or -1 with no exception set where its dtype is not one
 * of NumPy's own that the core has (byte-swapped ones are others), or it has too many dimensions. */
int plain_array_read(const native_state *state, plain_array *array, PyObject *object);

/* A new array whose axes lie in memory in `order`, the outermost first, or in C order where that is NULL. NULL with no
 * exception set: the general path then meets the same trouble and words it. */
PyObject *plain_array_new(const native_state *state, const int64_t *shape, int ndim, const int32_t *order,
                          sc_dtype dtype);

int array_ndim(PyObject *object);
int array_is_writeable(PyObject *object);

/* True if NumPy's order='K' gives a new array like this one in C order: memory strides fall from axis to axis. */
int array_is_c_ordered(const plain_array *array);
int array_is_c_contiguous(const plain_array *array);
/* The axes from the longest memory stride to the shortest, equals as they are: NumPy's order='K'. Returns
 * array_is_c_ordered. */
int array_memory_order(const plain_array *array, int32_t *axes);
/* True only if no two elements share a byte: memory strides nest, each past the reach of all shorter ones. */
int array_is_nested(const plain_array *array);
/* True unless the ranges from the first to the last byte of the two intersect. */
int arrays_are_disjoint(const plain_array *left, const plain_array *right);

#endif

/* buffers.h: arrays, shapes and lists of integers from Python as the core's descriptors. */
#ifndef SWIFTCONV_BUFFERS_H
#define SWIFTCONV_BUFFERS_H

#include <Python.h>

#include "swiftconv.h"

/* A buffer view and the descriptor that points into it. `held` says whether `view` needs a release. */
typedef struct array_buffer {
  Py_buffer view;
  sc_tensor tensor;
  int held;
} array_buffer;

/* The buffer of an array whose dtype the caller knows. Returns 0, or -1 with an exception set. */
int array_buffer_acquire(array_buffer *buffer, PyObject *array, sc_dtype dtype, int byteswapped, int writable);

void array_buffer_release(array_buffer *buffer);

/* A tuple of integers into `values` (SC_MAX_DIMS of them), whose number is returned; -1 with an exception set. `name`
 * is the argument the message blames. */
int int64_list(PyObject *tuple, const char *name, int64_t *values);
/* An int that fits a C int32_t or int64_t: returns 0, or -1 with an exception that names the argument. */
int int32_value(PyObject *object, const char *name, int32_t *value);

PyObject *tuple_of_int64(const int64_t *values, int count);

#endif

/* buffers.h: arrays and shapes from Python as the core's descriptors. */
#ifndef SWIFTCONV_BUFFERS_H
#define SWIFTCONV_BUFFERS_H

#include <Python.h>

#include "swiftconv.h"

#include "arguments.h"

/* A buffer view and the descriptor that points into it. `held` says whether `view` needs a release. */
typedef struct array_buffer {
  Py_buffer view;
  sc_tensor tensor;
  int held;
} array_buffer;

/* The buffer of an array whose dtype the caller knows. Returns 0, or -1 with an exception set. */
int array_buffer_acquire(array_buffer *buffer, PyObject *array, sc_dtype dtype, int byteswapped, int writable);

void array_buffer_release(array_buffer *buffer);

/* A descriptor of a shape alone: a tuple of extents, which go to `extents` (SC_MAX_DIMS of them). Returns 0, or -1 with
 * an exception set that names the argument. */
int shape_tensor(PyObject *shape, const char *name, int64_t *extents, sc_tensor *tensor);

#endif

#include "buffers.h"

#include <stddef.h>

static void describe(array_buffer *buffer, sc_dtype dtype, int byteswapped) {
  sc_tensor *tensor = &buffer->tensor;

  tensor->data = buffer->view.buf;
  tensor->shape = (const int64_t *)buffer->view.shape;
  tensor->strides = (const int64_t *)buffer->view.strides;
  tensor->ndim = (int32_t)buffer->view.ndim;
  tensor->dtype = dtype;
  tensor->byteswapped = byteswapped;
  tensor->reserved = 0;
  buffer->held = 1;
}

int array_buffer_acquire(array_buffer *buffer, PyObject *array, sc_dtype dtype, int byteswapped, int writable) {
  if (PyObject_GetBuffer(array, &buffer->view, writable ? PyBUF_STRIDED : PyBUF_STRIDED_RO) != 0)
    return -1;
  describe(buffer, dtype, byteswapped);
  return 0;
}

void array_buffer_release(array_buffer *buffer) {
  if (buffer->held)
    PyBuffer_Release(&buffer->view);
  buffer->held = 0;
}

int shape_tensor(PyObject *shape, const char *name, int64_t *extents, sc_tensor *tensor) {
  static const int64_t no_strides[SC_MAX_DIMS] = {0};
  int count;

  if (PyTuple_Check(shape) && PyTuple_Size(shape) > SC_MAX_DIMS) {
    PyErr_Format(PyExc_ValueError, "%s.ndim=%zd: expected at most %d dimensions", name, PyTuple_Size(shape),
                 SC_MAX_DIMS);
    return -1;
  }
  count = int64_list(shape, name, extents);
  if (count < 0)
    return -1;
  tensor->data = extents; /* never read, but a descriptor has to have an address */
  tensor->shape = extents;
  tensor->strides = no_strides;
  tensor->ndim = count;
  tensor->dtype = SC_FLOAT64;
  tensor->byteswapped = 0;
  tensor->reserved = 0;
  return 0;
}

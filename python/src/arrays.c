#include "arrays.h"

#include "arguments.h"

#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#include <numpy/ndarraytypes.h>

/* NumPy's extents and strides are copied as they are. */
_Static_assert(sizeof(npy_intp) == sizeof(int64_t), "swiftconv needs a 64-bit platform");

static const int8_t itemsizes[NATIVE_DTYPES] = {
    [SC_BOOL] = 1,     [SC_INT8] = 1,    [SC_INT16] = 2,   [SC_INT32] = 4,     [SC_INT64] = 8,
    [SC_UINT8] = 1,    [SC_UINT16] = 2,  [SC_UINT32] = 4,  [SC_UINT64] = 8,    [SC_FLOAT16] = 2,
    [SC_BFLOAT16] = 2, [SC_FLOAT32] = 4, [SC_FLOAT64] = 8, [SC_COMPLEX64] = 8, [SC_COMPLEX128] = 16,
};

int plain_array_read(const native_state *state, plain_array *array, PyObject *object) {
  PyArrayObject *fields = (PyArrayObject *)object;
  PyObject *dtype = (PyObject *)PyArray_DESCR(fields);
  sc_tensor *tensor = &array->tensor;
  int ndim = PyArray_NDIM(fields), axis;
  sc_dtype code;

  for (code = SC_COMPLEX128; code >= 0 && dtype != state->dtypes[code]; --code) {
  }
  if (code < 0 || ndim > SC_MAX_DIMS)
    return -1;
  for (axis = 0; axis < ndim; ++axis) {
    array->shape[axis] = PyArray_DIMS(fields)[axis];
    array->strides[axis] = PyArray_STRIDES(fields)[axis];
  }
  array->itemsize = itemsizes[code];
  tensor->data = PyArray_DATA(fields);
  tensor->shape = array->shape;
  tensor->strides = array->strides;
  tensor->ndim = ndim;
  tensor->dtype = code;
  tensor->byteswapped = 0;
  tensor->reserved = 0;
  return 0;
}

int array_ndim(PyObject *object) { return PyArray_NDIM((PyArrayObject *)object); }

int array_is_writeable(PyObject *object) { return (PyArray_FLAGS((PyArrayObject *)object) & NPY_ARRAY_WRITEABLE) != 0; }

int array_is_c_ordered(const plain_array *array) {
  int64_t previous = INT64_MAX, step;
  int32_t axis;

  for (axis = 0; axis < array->tensor.ndim; ++axis) {
    if (array->shape[axis] == 1)
      continue;
    step = array->strides[axis] < 0 ? -array->strides[axis] : array->strides[axis];
    if (step > previous)
      return 0;
    previous = step;
  }
  return 1;
}

int array_is_c_contiguous(const plain_array *array) {
  int64_t expected = array->itemsize;
  int32_t axis;

  for (axis = array->tensor.ndim - 1; axis >= 0; --axis) {
    if (array->shape[axis] == 0)
      return 1;
    if (array->shape[axis] != 1 && array->strides[axis] != expected)
      return 0;
    expected *= array->shape[axis];
  }
  return 1;
}

static int64_t step_of(const plain_array *array, int32_t axis) {
  return array->strides[axis] < 0 ? -array->strides[axis] : array->strides[axis];
}

int array_memory_order(const plain_array *array, int32_t *axes) {
  int32_t axis, place;

  for (axis = 0; axis < array->tensor.ndim; ++axis) {
    for (place = axis; place > 0 && step_of(array, axes[place - 1]) < step_of(array, axis); --place)
      axes[place] = axes[place - 1];
    axes[place] = axis;
  }
  return array_is_c_ordered(array);
}

int array_is_nested(const plain_array *array) {
  int32_t axes[SC_MAX_DIMS], place;
  int64_t reach = array->itemsize;

  if (array_is_c_contiguous(array))
    return 1;
  array_memory_order(array, axes);
  for (place = array->tensor.ndim - 1; place >= 0; --place) {
    if (array->shape[axes[place]] <= 1)
      continue;
    if (step_of(array, axes[place]) < reach)
      return 0;
    reach += (array->shape[axes[place]] - 1) * step_of(array, axes[place]);
  }
  return 1;
}

/* First byte and the byte past the last; equal for an empty array. */
static void byte_range(const plain_array *array, uintptr_t *first, uintptr_t *last) {
  int64_t below = 0, above = 0, reach;
  int32_t axis;

  *first = *last = (uintptr_t)array->tensor.data;
  for (axis = 0; axis < array->tensor.ndim; ++axis) {
    if (array->shape[axis] == 0)
      return;
    reach = (array->shape[axis] - 1) * array->strides[axis];
    below += reach < 0 ? reach : 0;
    above += reach > 0 ? reach : 0;
  }
  *first += (uintptr_t)below;
  *last += (uintptr_t)above + (uintptr_t)array->itemsize;
}

int arrays_are_disjoint(const plain_array *left, const plain_array *right) {
  uintptr_t left_first, left_last, right_first, right_last;

  byte_range(left, &left_first, &left_last);
  byte_range(right, &right_first, &right_last);
  return left_last <= right_first || right_last <= left_first;
}

/* numpy.ndarray's own arguments, since numpy.empty has no memory strides: the axes in `order`, dense. */
static PyObject *new_in_order(const native_state *state, PyObject *extents, const int64_t *shape, int ndim,
                              const int32_t *order, sc_dtype dtype) {
  int64_t strides[SC_MAX_DIMS], step = itemsizes[dtype];
  PyObject *steps, *result = NULL;
  int place;

  for (place = ndim - 1; place >= 0; --place) {
    strides[order[place]] = step;
    if (shape[order[place]] > 1 && __builtin_mul_overflow(step, shape[order[place]], &step))
      return NULL;
  }
  steps = tuple_of_int64(strides, ndim);
  if (steps != NULL)
    result = PyObject_CallFunctionObjArgs((PyObject *)state->ndarray, extents, state->dtypes[dtype], Py_None,
                                          state->zero, steps, NULL);
  Py_XDECREF(steps);
  return result;
}

PyObject *plain_array_new(const native_state *state, const int64_t *shape, int ndim, const int32_t *order,
                          sc_dtype dtype) {
  PyObject *extents, *result = NULL;

  extents = tuple_of_int64(shape, ndim);
  if (extents != NULL)
    result = order != NULL ? new_in_order(state, extents, shape, ndim, order, dtype)
                           : PyObject_CallFunctionObjArgs(state->empty, extents, state->dtypes[dtype], NULL);
  Py_XDECREF(extents);
  if (result == NULL)
    PyErr_Clear();
  return result;
}

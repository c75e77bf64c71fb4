#include "sliding.h"

#include "buffers.h"
#include "errors.h"
#include "running.h"

#include <string.h>

enum {
  OPERATION,
  A,
  V,
  MODE,
  OUT,
  AXES,
  BOUNDARY,
  FILLVALUE,
  ORIGIN,
  STRIDE,
  DILATION,
  DTYPE,
  METHOD,
  THREADS,
  ARGUMENTS
};

/* By identity: whoever writes the defaults out in other objects takes the general path and gets the same answer. */
static int options_are_defaults(const native_state *state, PyObject *const *arguments) {
  return arguments[AXES] == Py_None && arguments[ORIGIN] == Py_None && arguments[DTYPE] == Py_None &&
         arguments[THREADS] == Py_None && arguments[BOUNDARY] == state->fill && arguments[FILLVALUE] == state->zero &&
         arguments[STRIDE] == state->one && arguments[DILATION] == state->one && arguments[METHOD] == state->automatic;
}

static int32_t mode_code(const native_state *state, PyObject *mode) {
  static const char *const names[] = {"valid", "same", "full"};
  int32_t code;

  for (code = SC_MODE_VALID; code <= SC_MODE_FULL; ++code) {
    if (mode == state->modes[code])
      return code;
  }
  if (!PyUnicode_CheckExact(mode))
    return -1;
  for (code = SC_MODE_VALID; code <= SC_MODE_FULL; ++code) {
    if (PyUnicode_CompareWithASCIIString(mode, names[code]) == 0)
      return code;
  }
  return -1;
}

/* Code of an array's dtype, by identity among NumPy's own: -1 for every other dtype, byte-swapped ones too. Reading the
 * attribute takes a fifth of the time in which NumPy composes a buffer's format. */
static sc_dtype plain_dtype(const native_state *state, PyObject *array) {
  PyObject *dtype = PyObject_GetAttr(array, state->dtype_name);
  sc_dtype code;

  if (dtype == NULL) {
    PyErr_Clear();
    return -1;
  }
  Py_DECREF(dtype); /* the array holds it */
  for (code = SC_COMPLEX128; code >= 0 && dtype != state->dtypes[code]; --code) {
  }
  return code;
}

/* Returns 0, or -1 with no exception set where the array's dtype is not plain, it has too many dimensions, or it
 * refuses. */
static int acquire_plain(const native_state *state, array_buffer *buffer, PyObject *array, int writable) {
  sc_dtype dtype = plain_dtype(state, array);

  if (dtype < 0)
    return -1;
  if (array_buffer_acquire(buffer, array, dtype, 0, writable) != 0) {
    PyErr_Clear();
    return -1;
  }
  return buffer->tensor.ndim <= SC_MAX_DIMS ? 0 : -1;
}

static int inputs_are_plain(const sc_tensor *a, const sc_tensor *v) {
  if (a->dtype != v->dtype || v->ndim < 1 || a->ndim < v->ndim)
    return 0;
  /* NumPy swaps one-dimensional operands where v is the longer one. */
  if (a->ndim == 1 && v->shape[0] > a->shape[0])
    return 0;
  return tensor_is_c_ordered(a);
}

/* The shape of the result, or -1 where the general path has something to say. It is the one piece of the core's
 * arithmetic that stands here too: sc_sliding_shape would decode and validate the call a second time, a third of
 * a microsecond. The core checks what it is given, so a mistake here is an error and no more. */
static int default_shape(const sc_tensor *a, const sc_tensor *v, int32_t mode, int64_t *shape) {
  int32_t batch = a->ndim - v->ndim, axis;
  int64_t extent, window;

  for (axis = 0; axis < a->ndim; ++axis) {
    shape[axis] = extent = a->shape[axis];
    if (axis < batch)
      continue;
    window = v->shape[axis - batch];
    if (extent < 1 || window < 1 || extent > INT64_MAX - window)
      return -1;
    if (mode == SC_MODE_VALID && window > extent)
      return -1;
    shape[axis] += mode == SC_MODE_VALID ? 1 - window : mode == SC_MODE_FULL ? window - 1 : 0;
  }
  return 0;
}

static int out_is_plain(const array_buffer *out, const array_buffer *a, const array_buffer *v, const int64_t *shape) {
  return out->tensor.dtype == a->tensor.dtype && out->tensor.ndim == a->tensor.ndim &&
         memcmp(out->tensor.shape, shape, (size_t)a->tensor.ndim * sizeof(*shape)) == 0 &&
         tensor_is_c_contiguous(&out->tensor, out->view.itemsize) && buffers_are_disjoint(out, a) &&
         buffers_are_disjoint(out, v);
}

/* A new array, or NULL with no exception set: the general path then meets the same trouble and words it. */
static PyObject *new_result(const native_state *state, const int64_t *shape, int ndim, sc_dtype dtype) {
  PyObject *extents, *result = NULL;

  extents = tuple_of_int64(shape, ndim);
  if (extents != NULL)
    result = PyObject_CallFunctionObjArgs(state->empty, extents, state->dtypes[dtype], NULL);
  Py_XDECREF(extents);
  if (result == NULL)
    PyErr_Clear();
  return result;
}

PyObject *native_slide_default(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  const native_state *state = native_state_of(module);
  array_buffer a = {.held = 0}, v = {.held = 0}, out = {.held = 0};
  sc_sliding options = {.window_ndim = 0}; /* zero: no lists, fill and method auto, all threads */
  int64_t shape[SC_MAX_DIMS];
  PyObject *given, *target = NULL, *result = NULL;
  sc_error error;
  sc_status status;

  if (count != ARGUMENTS) {
    PyErr_Format(PyExc_TypeError, "slide_default takes %d arguments, got %zd", ARGUMENTS, count);
    return NULL;
  }
  given = arguments[OUT];
  if (!options_are_defaults(state, arguments) || Py_TYPE(arguments[A]) != state->ndarray ||
      Py_TYPE(arguments[V]) != state->ndarray || (given != Py_None && Py_TYPE(given) != state->ndarray))
    goto general;
  options.operation = arguments[OPERATION] == state->zero ? SC_CORRELATE : SC_CONVOLVE;
  options.mode = mode_code(state, arguments[MODE]);
  if (options.mode < 0)
    goto general;
  if (acquire_plain(state, &a, arguments[A], 0) != 0 || acquire_plain(state, &v, arguments[V], 0) != 0)
    goto general;
  if (!inputs_are_plain(&a.tensor, &v.tensor))
    goto general;
  options.result_dtype = a.tensor.dtype;
  options.window_ndim = v.tensor.ndim;
  if (default_shape(&a.tensor, &v.tensor, options.mode, shape) != 0)
    goto general;

  if (given == Py_None) {
    target = new_result(state, shape, a.tensor.ndim, options.result_dtype);
    if (target == NULL)
      goto general;
    if (array_buffer_acquire(&out, target, options.result_dtype, 0, 1) != 0)
      goto cleanup;
  } else {
    Py_INCREF(given);
    target = given;
    if (acquire_plain(state, &out, target, 1) != 0 || !out_is_plain(&out, &a, &v, shape))
      goto general;
  }

  status = run_sliding(&state->core, &a.tensor, &v.tensor, &out.tensor, &options, &error);
  if (status != SC_OK) {
    raise_status(status, &error, &a.tensor, &v.tensor, &options);
    goto cleanup;
  }
  result = target;
  Py_INCREF(result);
  goto cleanup;

general:
  result = Py_NotImplemented;
  Py_INCREF(result);

cleanup:
  array_buffer_release(&out);
  array_buffer_release(&v);
  array_buffer_release(&a);
  Py_XDECREF(target);
  return result;
}

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

/* Storage for the lists of sc_sliding. */
typedef struct option_lists {
  int64_t axes[SC_MAX_DIMS], stride[SC_MAX_DIMS], dilation[SC_MAX_DIMS], origin[SC_MAX_DIMS];
} option_lists;

/* The readers below return 0, or -1 with no exception set for whatever Python has to look at. */

/* The code of an option's name; `usual` is the object that the default comes as. */
static int read_name(PyObject *codes, PyObject *name, PyObject *usual, int32_t *code) {
  PyObject *number;

  if (name == usual) {
    *code = 0;
    return 0;
  }
  number = PyUnicode_CheckExact(name) ? PyDict_GetItemWithError(codes, name) : NULL;
  if (number == NULL)
    return -1;
  *code = (int32_t)PyLong_AsLong(number);
  return 0;
}

static int read_integer(PyObject *object, int64_t *value) {
  if (!PyLong_CheckExact(object))
    return -1;
  *value = PyLong_AsLongLong(object);
  if (*value == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    return -1;
  }
  return 0;
}

/* An integer for all axes of v, or a tuple with an integer for each one. */
static int read_list(PyObject *object, int32_t count, int64_t *storage, const int64_t **list) {
  int32_t index;

  if (PyTuple_CheckExact(object)) {
    if (PyTuple_Size(object) != count)
      return -1;
    for (index = 0; index < count; ++index) {
      if (read_integer(PyTuple_GetItem(object, index), &storage[index]) != 0)
        return -1;
    }
  } else {
    if (read_integer(object, &storage[0]) != 0)
      return -1;
    for (index = 1; index < count; ++index)
      storage[index] = storage[0];
  }
  *list = storage;
  return 0;
}

/* axes, stride, dilation and origin. Defaults are known by identity and leave the core's NULL. */
static int read_lists(const native_state *state, PyObject *const *arguments, option_lists *lists, sc_sliding *options) {
  int32_t count = options->window_ndim;
  PyObject *axes = arguments[AXES];

  if (axes != Py_None &&
      ((count > 1 && !PyTuple_CheckExact(axes)) || read_list(axes, count, lists->axes, &options->axes) != 0))
    return -1;
  if (arguments[STRIDE] != state->one && read_list(arguments[STRIDE], count, lists->stride, &options->stride) != 0)
    return -1;
  if (arguments[DILATION] != state->one &&
      read_list(arguments[DILATION], count, lists->dilation, &options->dilation) != 0)
    return -1;
  if (arguments[ORIGIN] != Py_None && read_list(arguments[ORIGIN], count, lists->origin, &options->origin) != 0)
    return -1;
  return 0;
}

static int read_threads(PyObject *object, int32_t *threads) {
  int64_t count;

  if (object == Py_None)
    return 0;
  if (read_integer(object, &count) != 0 || count < 1 || count > INT32_MAX)
    return -1;
  *threads = (int32_t)count;
  return 0;
}

/* Zero, or any real number for a floating result: integers have a range to be held against. */
static int read_fill(const native_state *state, PyObject *object, sc_sliding *options) {
  if (object == state->zero)
    return 0;
  if (options->result_dtype < SC_FLOAT16 || !(PyFloat_CheckExact(object) || PyLong_CheckExact(object)))
    return -1;
  options->fill_real = PyFloat_AsDouble(object);
  if (options->fill_real == -1.0 && PyErr_Occurred()) {
    PyErr_Clear();
    return -1;
  }
  return 0;
}

/* The options that do not depend on the operands. */
static int read_options(const native_state *state, PyObject *const *arguments, sc_sliding *options) {
  options->operation = arguments[OPERATION] == state->zero ? SC_CORRELATE : SC_CONVOLVE;
  if (arguments[DTYPE] != Py_None || read_name(state->mode_codes, arguments[MODE], NULL, &options->mode) != 0 ||
      read_name(state->boundary_codes, arguments[BOUNDARY], state->fill, &options->boundary) != 0 ||
      read_name(state->method_codes, arguments[METHOD], state->automatic, &options->method) != 0)
    return -1;
  return read_threads(arguments[THREADS], &options->threads);
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
  if (v->ndim < 1 || a->ndim < v->ndim)
    return 0;
  /* NumPy swaps one-dimensional operands where v is the longer one. */
  if (a->ndim == 1 && v->shape[0] > a->shape[0])
    return 0;
  return tensor_is_c_ordered(a);
}

/* The result's shape for windows over the last axes, step by step. It is the one piece of the core's arithmetic that
 * stands here too: sc_sliding_shape would decode and validate the call a second time, a third of a microsecond. The
 * core checks what it is given, so a mistake here is an error and no more. */
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

/* The shape of the result, or -1 where the general path has something to say. */
static int plain_shape(const native_state *state, const sc_tensor *a, const sc_tensor *v, const sc_sliding *options,
                       int64_t *shape) {
  sc_error error;

  if (options->axes == NULL && options->stride == NULL && options->dilation == NULL && options->origin == NULL)
    return default_shape(a, v, options->mode, shape);
  return state->core.sliding_shape(a, v, options, shape, &error) == SC_OK ? 0 : -1;
}

static int out_is_plain(const array_buffer *out, sc_dtype dtype, const array_buffer *a, const array_buffer *v,
                        const int64_t *shape) {
  return out->tensor.dtype == dtype && out->tensor.ndim == a->tensor.ndim &&
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

PyObject *native_slide_plain(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  const native_state *state = native_state_of(module);
  array_buffer a = {.held = 0}, v = {.held = 0}, out = {.held = 0};
  sc_sliding options = {.window_ndim = 0}; /* zero: no lists, fill and method auto, all threads */
  option_lists lists;
  int64_t shape[SC_MAX_DIMS];
  PyObject *given, *target = NULL, *result = NULL;
  sc_error error;
  sc_status status;

  if (count != ARGUMENTS) {
    PyErr_Format(PyExc_TypeError, "slide_plain takes %d arguments, got %zd", ARGUMENTS, count);
    return NULL;
  }
  given = arguments[OUT];
  if (Py_TYPE(arguments[A]) != state->ndarray || Py_TYPE(arguments[V]) != state->ndarray ||
      (given != Py_None && Py_TYPE(given) != state->ndarray) || read_options(state, arguments, &options) != 0)
    goto general;
  if (acquire_plain(state, &a, arguments[A], 0) != 0 || acquire_plain(state, &v, arguments[V], 0) != 0 ||
      !inputs_are_plain(&a.tensor, &v.tensor))
    goto general;
  options.result_dtype = state->result_codes[a.tensor.dtype][v.tensor.dtype];
  options.window_ndim = v.tensor.ndim;
  if (read_fill(state, arguments[FILLVALUE], &options) != 0 || read_lists(state, arguments, &lists, &options) != 0 ||
      plain_shape(state, &a.tensor, &v.tensor, &options, shape) != 0)
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
    if (acquire_plain(state, &out, target, 1) != 0 || !out_is_plain(&out, options.result_dtype, &a, &v, shape))
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

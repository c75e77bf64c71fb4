#include "sliding.h"

#include "arrays.h"
#include "errors.h"
#include "running.h"

#include <string.h>

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
  PyObject *axes = arguments[SLIDING_AXES];

  if (axes != Py_None &&
      ((count > 1 && !PyTuple_CheckExact(axes)) || read_list(axes, count, lists->axes, &options->axes) != 0))
    return -1;
  if (arguments[SLIDING_STRIDE] != state->one &&
      read_list(arguments[SLIDING_STRIDE], count, lists->stride, &options->stride) != 0)
    return -1;
  if (arguments[SLIDING_DILATION] != state->one &&
      read_list(arguments[SLIDING_DILATION], count, lists->dilation, &options->dilation) != 0)
    return -1;
  if (arguments[SLIDING_ORIGIN] != Py_None &&
      read_list(arguments[SLIDING_ORIGIN], count, lists->origin, &options->origin) != 0)
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
  if (arguments[SLIDING_DTYPE] != Py_None ||
      read_name(state->mode_codes, arguments[SLIDING_MODE], NULL, &options->mode) != 0 ||
      read_name(state->boundary_codes, arguments[SLIDING_BOUNDARY], state->fill, &options->boundary) != 0 ||
      read_name(state->method_codes, arguments[SLIDING_METHOD], state->automatic, &options->method) != 0)
    return -1;
  return read_threads(arguments[SLIDING_THREADS], &options->threads);
}

static int inputs_are_plain(const plain_array *a, const plain_array *v) {
  if (v->tensor.ndim < 1 || a->tensor.ndim < v->tensor.ndim)
    return 0;
  /* NumPy swaps one-dimensional operands where v is the longer one. */
  if (a->tensor.ndim == 1 && v->shape[0] > a->shape[0])
    return 0;
  return array_is_c_ordered(a);
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

static int out_is_plain(const plain_array *out, sc_dtype dtype, const plain_array *a, const plain_array *v,
                        const int64_t *shape) {
  return out->tensor.dtype == dtype && out->tensor.ndim == a->tensor.ndim &&
         memcmp(out->shape, shape, (size_t)a->tensor.ndim * sizeof(*shape)) == 0 && array_is_c_contiguous(out) &&
         arrays_are_disjoint(out, a) && arrays_are_disjoint(out, v);
}

PyObject *slide_plain(const native_state *state, int32_t operation, PyObject *const *arguments) {
  plain_array a, v, out;
  sc_sliding options = {.operation = operation}; /* zero: no lists, fill and method auto, all threads */
  option_lists lists;
  int64_t shape[SC_MAX_DIMS];
  PyObject *given, *result;
  sc_error error;
  sc_status status;

  given = arguments[SLIDING_OUT];
  if (Py_TYPE(arguments[SLIDING_A]) != state->ndarray || Py_TYPE(arguments[SLIDING_V]) != state->ndarray ||
      (given != Py_None && Py_TYPE(given) != state->ndarray) || read_options(state, arguments, &options) != 0 ||
      plain_array_read(state, &a, arguments[SLIDING_A]) != 0 ||
      plain_array_read(state, &v, arguments[SLIDING_V]) != 0 || !inputs_are_plain(&a, &v))
    Py_RETURN_NOTIMPLEMENTED;
  options.result_dtype = state->result_codes[a.tensor.dtype][v.tensor.dtype];
  options.window_ndim = v.tensor.ndim;
  if (read_fill(state, arguments[SLIDING_FILLVALUE], &options) != 0 ||
      read_lists(state, arguments, &lists, &options) != 0 ||
      plain_shape(state, &a.tensor, &v.tensor, &options, shape) != 0)
    Py_RETURN_NOTIMPLEMENTED;

  if (given == Py_None) {
    result = plain_array_new(state, shape, a.tensor.ndim, NULL, options.result_dtype);
    if (result == NULL || plain_array_read(state, &out, result) != 0)
      goto general;
  } else {
    Py_INCREF(given);
    result = given;
    if (!array_is_writeable(given) || plain_array_read(state, &out, given) != 0 ||
        !out_is_plain(&out, options.result_dtype, &a, &v, shape))
      goto general;
  }

  status = run_sliding(&state->core, &a.tensor, &v.tensor, &out.tensor, &options, &error);
  if (status != SC_OK) {
    raise_status(status, &error, &a.tensor, &v.tensor, &options);
    Py_CLEAR(result);
  }
  return result;

general:
  Py_XDECREF(result);
  Py_RETURN_NOTIMPLEMENTED;
}

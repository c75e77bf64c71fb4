#include "patches.h"

#include "arguments.h"
#include "buffers.h"
#include "patches_errors.h"
#include "running.h"

enum { BYTESWAPPED_SOURCE = 1, BYTESWAPPED_DESTINATION = 2 };

static const patches_names default_names = {"input", "kernel_size", "stride", "dilation", "padding"};

/* One call's descriptors and the storage that they point into. */
typedef struct patches_call {
  array_buffer source, destination;
  const core_library *core;
  sc_patches options;
  int64_t axes[SC_MAX_DIMS], window[SC_MAX_DIMS], stride[SC_MAX_DIMS], dilation[SC_MAX_DIMS];
  int64_t padding_low[SC_MAX_DIMS], padding_high[SC_MAX_DIMS];
} patches_call;

static void release_call(patches_call *call) {
  array_buffer_release(&call->destination);
  array_buffer_release(&call->source);
}

enum { AXES, WINDOW, STRIDE, DILATION, PADDING_LOW, PADDING_HIGH, LISTS };

/* The LISTS arguments from `arguments` on. */
static int read_lists(patches_call *call, PyObject *const *arguments, const patches_names *names) {
  sc_patches *options = &call->options;
  int count = int64_list(arguments[WINDOW], names->window, call->window);

  if (count < 0)
    return -1;
  options->window_ndim = count;
  options->window = call->window;
  if (optional_list(arguments[AXES], "axes", count, "window axis", call->axes, &options->axes) != 0 ||
      optional_list(arguments[STRIDE], names->stride, count, "window axis", call->stride, &options->stride) != 0 ||
      optional_list(arguments[DILATION], names->dilation, count, "window axis", call->dilation, &options->dilation) !=
          0 ||
      optional_list(arguments[PADDING_LOW], names->padding, count, "window axis", call->padding_low,
                    &options->padding_low) != 0 ||
      optional_list(arguments[PADDING_HIGH], names->padding, count, "window axis", call->padding_high,
                    &options->padding_high) != 0)
    return -1;
  return 0;
}

/* A tuple of five bytes objects, which outlives the names. */
static int read_names(PyObject *object, patches_names *names) {
  const char **fields[] = {&names->input, &names->window, &names->stride, &names->dilation, &names->padding};
  const Py_ssize_t expected = sizeof fields / sizeof fields[0];
  Py_ssize_t index;

  if (!PyTuple_Check(object) || PyTuple_Size(object) != expected) {
    PyErr_Format(PyExc_TypeError, "names: expected a tuple of %zd bytes objects", expected);
    return -1;
  }
  for (index = 0; index < expected; ++index) {
    *fields[index] = PyBytes_AsString(PyTuple_GetItem(object, index));
    if (*fields[index] == NULL)
      return -1;
  }
  return 0;
}

/* None, or bytes of which at least `expected` are there. */
static int read_bytes(PyObject *object, const char *name, Py_ssize_t expected, const void **bytes) {
  *bytes = NULL;
  if (object == Py_None)
    return 0;
  if (!PyBytes_Check(object) || PyBytes_Size(object) < expected) {
    PyErr_Format(PyExc_TypeError, "%s: expected None or %zd bytes", name, expected);
    return -1;
  }
  *bytes = PyBytes_AsString(object);
  return *bytes == NULL ? -1 : 0;
}

PyObject *native_patches_shape(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { SHAPE, FIRST_LIST, NAMES = FIRST_LIST + LISTS, ARGUMENTS };
  static const int64_t no_strides[SC_MAX_DIMS] = {0};
  const native_state *state = native_state_of(module);
  patches_call call = {.source = {.held = 0}};
  int64_t extents[SC_MAX_DIMS], shape[SC_MAX_DIMS];
  sc_tensor x = {.data = extents, .shape = extents, .strides = no_strides, .dtype = SC_UINT8};
  patches_names names;
  sc_error error = {.argument = SC_ARG_INPUT, .axis = -1};
  sc_status status;

  if (!takes("patches_shape", count, ARGUMENTS) || read_names(arguments[NAMES], &names) != 0)
    return NULL;
  if (PyTuple_Check(arguments[SHAPE]) && PyTuple_Size(arguments[SHAPE]) > SC_MAX_DIMS) {
    error.value = PyTuple_Size(arguments[SHAPE]);
    return raise_patches_status(SC_TOO_MANY_DIMENSIONS, &error, &call.options, &names);
  }
  x.ndim = int64_list(arguments[SHAPE], names.input, extents);
  if (x.ndim < 0 || read_lists(&call, arguments + FIRST_LIST, &names) != 0)
    return NULL;
  status = state->core.patches_shape(&x, &call.options, shape, &error);
  if (status != SC_OK)
    return raise_patches_status(status, &error, &call.options, &names);
  return tuple_of_int64(shape, x.ndim + call.options.window_ndim);
}

/* source, destination, their codes, byteswapped, threads and the lists: what gather and scatter share. */
enum {
  SOURCE,
  DESTINATION,
  SOURCE_CODE,
  DESTINATION_CODE,
  BYTESWAPPED,
  THREADS,
  FIRST_LIST,
  REST = FIRST_LIST + LISTS
};

static int read_call(patches_call *call, const core_library *core, PyObject *const *arguments) {
  int32_t source_code, destination_code, byteswapped;

  call->core = core;
  if (int32_value(arguments[SOURCE_CODE], "source_code", &source_code) != 0 ||
      int32_value(arguments[DESTINATION_CODE], "destination_code", &destination_code) != 0 ||
      int32_value(arguments[BYTESWAPPED], "byteswapped", &byteswapped) != 0 ||
      int32_value(arguments[THREADS], "threads", &call->options.threads) != 0 ||
      read_lists(call, arguments + FIRST_LIST, &default_names) != 0 ||
      array_buffer_acquire(&call->source, arguments[SOURCE], source_code, byteswapped & BYTESWAPPED_SOURCE, 0) != 0 ||
      array_buffer_acquire(&call->destination, arguments[DESTINATION], destination_code,
                           byteswapped & BYTESWAPPED_DESTINATION, 1) != 0)
    return -1;
  return 0;
}

static sc_status gather(const void *context, const sc_control *control, sc_error *error) {
  const patches_call *call = (const patches_call *)context;

  return call->core->patches_gather(&call->source.tensor, &call->destination.tensor, &call->options, control, error);
}

static sc_status scatter(const void *context, const sc_control *control, sc_error *error) {
  const patches_call *call = (const patches_call *)context;

  return call->core->patches_scatter(&call->source.tensor, &call->destination.tensor, &call->options, control, error);
}

PyObject *native_patches_gather(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { BOUNDARY = REST, FILL, FRESH, ARGUMENTS };
  patches_call call = {.source = {.held = 0}};
  PyObject *result = NULL;
  sc_error error;
  sc_status status;

  if (!takes("patches_gather", count, ARGUMENTS) ||
      int32_value(arguments[BOUNDARY], "boundary", &call.options.boundary) != 0 ||
      int32_value(arguments[FRESH], "fresh", &call.options.fresh) != 0 ||
      read_call(&call, &native_state_of(module)->core, arguments) != 0 ||
      read_bytes(arguments[FILL], "fill", call.source.view.itemsize, &call.options.fill) != 0)
    goto cleanup;
  status = run_interruptibly(gather, &call, &error);
  if (status != SC_OK) {
    raise_patches_status(status, &error, &call.options, &default_names);
    goto cleanup;
  }
  result = Py_None;
  Py_INCREF(result);

cleanup:
  release_call(&call);
  return result;
}

PyObject *native_patches_scatter(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { REDUCTION = REST, WEIGHTS, ARGUMENTS };
  patches_call call = {.source = {.held = 0}};
  const void *weights;
  PyObject *result = NULL;
  Py_ssize_t weight_bytes = sizeof(double);
  sc_error error;
  sc_status status;
  int32_t axis;

  if (!takes("patches_scatter", count, ARGUMENTS) ||
      int32_value(arguments[REDUCTION], "reduction", &call.options.reduction) != 0 ||
      read_call(&call, &native_state_of(module)->core, arguments) != 0)
    goto cleanup;
  for (axis = 0; axis < call.options.window_ndim && arguments[WEIGHTS] != Py_None; ++axis) {
    if (__builtin_mul_overflow(weight_bytes, call.window[axis], &weight_bytes))
      weight_bytes = PY_SSIZE_T_MAX;
  }
  if (read_bytes(arguments[WEIGHTS], "weights", weight_bytes, &weights) != 0)
    goto cleanup;
  call.options.weights = (const double *)weights;
  status = run_interruptibly(scatter, &call, &error);
  if (status != SC_OK) {
    raise_patches_status(status, &error, &call.options, &default_names);
    goto cleanup;
  }
  result = Py_None;
  Py_INCREF(result);

cleanup:
  release_call(&call);
  return result;
}

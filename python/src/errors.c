#include "errors.h"

static const char *argument_name(sc_argument argument) {
  static const char *const names[] = {"argument", "a",      "v",        "out",   "mode",   "axes",    "boundary",
                                      "origin",   "stride", "dilation", "dtype", "method", "threads", "operation"};

  return argument >= 0 && argument <= SC_ARG_OPERATION ? names[argument] : names[SC_ARG_NONE];
}

static const char *dtype_name(int64_t code) {
  static const char *const names[] = {"bool",     "int8",    "int16",   "int32",     "int64",
                                      "uint8",    "uint16",  "uint32",  "uint64",    "float16",
                                      "bfloat16", "float32", "float64", "complex64", "complex128"};

  return code >= SC_BOOL && code <= SC_COMPLEX128 ? names[code] : "unknown";
}

static const char *method_name(int32_t method) {
  static const char *const names[] = {"auto", "direct", "separable", "reference"};

  return method >= SC_METHOD_AUTO && method <= SC_METHOD_REFERENCE ? names[method] : "unknown";
}

/* The axis of a, counted from zero, under v's axis `position`. */
static int32_t window_axis(int32_t position, const sc_tensor *a, const sc_sliding *options) {
  int32_t axis = options->axes != NULL ? (int32_t)options->axes[position] : position - options->window_ndim;

  return axis < 0 ? axis + a->ndim : axis;
}

/* Position among v's axes of a's axis `axis`, or -1. */
static int32_t window_position(int32_t axis, const sc_tensor *a, const sc_sliding *options) {
  int32_t position;

  for (position = 0; position < options->window_ndim; ++position) {
    if (axis == window_axis(position, a, options))
      return position;
  }
  return -1;
}

static void raise_window_too_large(const sc_error *error, const sc_tensor *a, const sc_tensor *v,
                                   const sc_sliding *options) {
  int32_t position = window_position(error->axis, a, options);

  if (position < 0 || options->dilation == NULL || options->dilation[position] == 1)
    PyErr_Format(PyExc_ValueError,
                 "v has extent %lld along a's axis %d, where a has %lld: mode='valid' needs v no larger than a",
                 (long long)error->value, (int)error->axis, (long long)error->expected);
  else
    PyErr_Format(PyExc_ValueError,
                 "v has dilated extent %lld (extent %lld, dilation %lld) along a's axis %d, where a has %lld: "
                 "mode='valid' needs v no larger than a",
                 (long long)error->value, (long long)v->shape[position], (long long)options->dilation[position],
                 (int)error->axis, (long long)error->expected);
}

PyObject *raise_status(sc_status status, const sc_error *error, const sc_tensor *a, const sc_tensor *v,
                       const sc_sliding *options) {
  const char *name = argument_name(error->argument);
  long long value = error->value, lowest = error->lowest, expected = error->expected;
  int axis = error->axis;

  switch (status) {
  case SC_NO_MEMORY:
    PyErr_Format(PyExc_MemoryError, "cannot get %lld bytes of workspace", value);
    break;
  case SC_INTERRUPTED:
    /* The handler of the signal has raised already; the fallback is for a core that stops unasked. */
    if (!PyErr_Occurred())
      PyErr_SetNone(PyExc_KeyboardInterrupt);
    break;
  case SC_TOO_MANY_DIMENSIONS:
    PyErr_Format(PyExc_ValueError, "%s.ndim=%lld: expected at most %d dimensions", name, value, SC_MAX_DIMS);
    break;
  case SC_RANK_TOO_SMALL:
    PyErr_Format(PyExc_ValueError, "a.ndim=%lld: expected at least %lld, an axis for each axis of v", value, expected);
    break;
  case SC_WINDOW_RANK:
    PyErr_Format(PyExc_ValueError, "v.ndim=%lld: expected %lld, an axis for each entry of axes", value, expected);
    break;
  case SC_EMPTY_AXIS:
    PyErr_Format(PyExc_ValueError, "%s has extent 0 along axis %d: %s cannot be empty along an axis that v slides over",
                 name, axis, name);
    break;
  case SC_AXIS_OUT_OF_RANGE:
    PyErr_Format(PyExc_ValueError, "axes holds %lld: expected axes of a, from %lld to %lld", value, -expected,
                 expected - 1);
    break;
  case SC_AXIS_REPEATED:
    PyErr_Format(PyExc_ValueError, "axes names axis %lld of a twice: expected distinct axes", value);
    break;
  case SC_NOT_POSITIVE:
    PyErr_Format(PyExc_ValueError, "%s[%d]=%lld: expected an integer of at least 1", name, axis, value);
    break;
  case SC_WINDOW_TOO_LARGE:
    raise_window_too_large(error, a, v, options);
    break;
  case SC_ORIGIN_OUT_OF_RANGE:
    PyErr_Format(PyExc_ValueError, "origin=%lld along a's axis %d: expected an integer from %lld to %lld", value, axis,
                 lowest, expected);
    break;
  case SC_ORIGIN_NEEDS_SAME:
    PyErr_Format(PyExc_ValueError, "origin=%lld with a mode other than 'same': expected mode='same' or origin=0",
                 value);
    break;
  case SC_SIZE_OVERFLOW:
    PyErr_Format(PyExc_OverflowError,
                 "%s[%d]=%lld is too large for an array of extent %lld and a filter of extent %lld", name, axis, value,
                 (long long)a->shape[window_axis(axis, a, options)], (long long)v->shape[axis]);
    break;
  case SC_OUT_RANK:
    PyErr_Format(PyExc_ValueError, "out.ndim=%lld: expected %lld", value, expected);
    break;
  case SC_OUT_SHAPE:
    PyErr_Format(PyExc_ValueError, "out has extent %lld along axis %d: expected %lld", value, axis, expected);
    break;
  case SC_DTYPE:
    PyErr_Format(PyExc_TypeError, "%s: this operation cannot take dtype %s", name, dtype_name(value));
    break;
  case SC_METHOD:
    PyErr_Format(PyExc_ValueError, "method='%s' cannot run this call: expected a method that can, such as 'auto'",
                 method_name(options->method));
    break;
  default:
    PyErr_Format(PyExc_SystemError, "swiftconv's core refused %s=%lld (status %d): please report this", name, value,
                 (int)status);
    break;
  }
  return NULL;
}

/* Raises for what users of windows get wrong; other statuses are worded with the rest. */
PyObject *raise_patches_status(sc_status status, const sc_error *error, const sc_tensor *x, const sc_patches *options,
                               const patches_names *names) {
  long long value = error->value, expected = error->expected;
  int position = error->axis;
  const char *name;

  switch (error->argument) {
  case SC_ARG_INPUT:
    name = names->input;
    break;
  case SC_ARG_KERNEL_SIZE:
    name = names->window;
    break;
  case SC_ARG_STRIDE:
    name = names->stride;
    break;
  case SC_ARG_DILATION:
    name = names->dilation;
    break;
  case SC_ARG_PADDING:
    name = names->padding;
    break;
  case SC_ARG_PATCHES:
    name = "patches";
    break;
  default:
    name = argument_name(error->argument);
    break;
  }
  switch (status) {
  case SC_RANK:
    PyErr_Format(PyExc_ValueError, "%s.ndim=%lld: expected %s%lld", name, value,
                 error->argument == SC_ARG_INPUT ? "at least " : "", expected);
    break;
  case SC_TOO_MANY_DIMENSIONS:
    PyErr_Format(PyExc_ValueError, "%s.ndim=%lld: expected at most %d dimensions", name, value, SC_MAX_DIMS);
    break;
  case SC_EXTENT:
    PyErr_Format(PyExc_ValueError, "%s has extent %lld along axis %d: expected %lld", name, value, position, expected);
    break;
  case SC_EMPTY_AXIS:
    PyErr_Format(PyExc_ValueError, "%s has extent 0 along axis %d: this boundary needs elements to repeat", name,
                 position);
    break;
  case SC_NOT_POSITIVE:
    PyErr_Format(PyExc_ValueError, "%s[%d]=%lld: expected an integer of at least 1", name, position, value);
    break;
  case SC_NEGATIVE:
    PyErr_Format(PyExc_ValueError, "%s[%d]=%lld: expected an integer of at least 0", name, position, value);
    break;
  case SC_WINDOW_BEYOND:
    PyErr_Format(PyExc_ValueError,
                 "%s[%d]=%lld: the window's extent, %lld with its dilation, passes that of %s, %lld with its padding",
                 name, position, (long long)options->window[position], value, names->input, expected);
    break;
  case SC_SIZE_OVERFLOW:
    PyErr_Format(PyExc_OverflowError, "%s[%d]=%lld is too large for a window of extent %lld", name, position, value,
                 (long long)options->window[position]);
    break;
  default:
    return raise_status(status, error, x, NULL, NULL);
  }
  return NULL;
}

#include "errors.h"

const char *argument_name(sc_argument argument) {
  static const char *const names[] = {
      [SC_ARG_NONE] = "argument",
      [SC_ARG_A] = "a",
      [SC_ARG_V] = "v",
      [SC_ARG_OUT] = "out",
      [SC_ARG_MODE] = "mode",
      [SC_ARG_AXES] = "axes",
      [SC_ARG_BOUNDARY] = "boundary",
      [SC_ARG_ORIGIN] = "origin",
      [SC_ARG_STRIDE] = "stride",
      [SC_ARG_DILATION] = "dilation",
      [SC_ARG_DTYPE] = "dtype",
      [SC_ARG_METHOD] = "method",
      [SC_ARG_THREADS] = "threads",
      [SC_ARG_OPERATION] = "operation",
      [SC_ARG_INPUT] = "input",
      [SC_ARG_WEIGHT] = "weight",
      [SC_ARG_BIAS] = "bias",
      [SC_ARG_GRAD_OUTPUT] = "grad_output",
      [SC_ARG_PADDING] = "padding",
      [SC_ARG_OUTPUT_PADDING] = "output_padding",
      [SC_ARG_INPUT_DILATION] = "input_dilation",
      [SC_ARG_GROUPS] = "groups",
      [SC_ARG_BATCH_GROUPS] = "batch_groups",
      [SC_ARG_ACTIVATION] = "activation",
      [SC_ARG_KERNEL_SIZE] = "kernel_size",
      [SC_ARG_PATCHES] = "patches",
      [SC_ARG_INDICES] = "indices",
      [SC_ARG_NORM_TYPE] = "norm_type",
      [SC_ARG_OPERANDS] = "operands",
  };
  const int known = argument >= 0 && (size_t)argument < sizeof(names) / sizeof(names[0]);

  return names[known ? argument : SC_ARG_NONE];
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

PyObject *raise_method(const char *method) {
  PyErr_Format(PyExc_ValueError, "method='%s' cannot run this call: expected a method that can, such as 'auto'",
               method);
  return NULL;
}

PyObject *raise_common_status(sc_status status, const sc_error *error, const char *name) {
  const long long value = error->value, expected = error->expected;
  const int axis = error->axis;

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
    PyErr_Format(PyExc_ValueError, "%s.ndim=%lld: expected at most %lld dimensions", name, value, expected);
    break;
  case SC_NOT_POSITIVE:
    if (error->axis < 0)
      PyErr_Format(PyExc_ValueError, "%s=%lld: expected an integer of at least 1", name, value);
    else
      PyErr_Format(PyExc_ValueError, "%s[%d]=%lld: expected an integer of at least 1", name, axis, value);
    break;
  case SC_OUT_RANK:
    PyErr_Format(PyExc_ValueError, "%s.ndim=%lld: expected %lld", name, value, expected);
    break;
  case SC_OUT_SHAPE:
    PyErr_Format(PyExc_ValueError, "%s has extent %lld along axis %d: expected %lld", name, value, axis, expected);
    break;
  case SC_DTYPE:
    PyErr_Format(PyExc_TypeError, "%s: this operation cannot take dtype %s", name, dtype_name(value));
    break;
  default:
    PyErr_Format(PyExc_SystemError, "swiftconv's core refused %s=%lld (status %d): please report this", name, value,
                 (int)status);
    break;
  }
  return NULL;
}

PyObject *raise_status(sc_status status, const sc_error *error, const sc_tensor *a, const sc_tensor *v,
                       const sc_sliding *options) {
  const char *name = argument_name(error->argument);
  long long value = error->value, lowest = error->lowest, expected = error->expected;
  int axis = error->axis;

  switch (status) {
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
  case SC_METHOD:
    raise_method(method_name(options->method));
    break;
  default:
    raise_common_status(status, error, name);
    break;
  }
  return NULL;
}

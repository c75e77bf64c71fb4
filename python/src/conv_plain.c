#include "conv.h"

#include "arguments.h"
#include "arrays.h"
#include "conv_errors.h"
#include "conv_options.h"
#include "running.h"

#include <string.h>

/* What a recipe says of plain calls: the options, and where the user's axes are (None: in the core's order). */
enum { SAME_NOT, SAME, SAME_LOWER };
enum {
  PLAIN_OPTIONS,
  PLAIN_INPUT_AXES,
  PLAIN_WEIGHT_AXES,
  PLAIN_OUTPUT_AXES, /* of the user's output, for the core */
  PLAIN_RESULT_AXES, /* of the core's output, for the user */
  PLAIN_SAME,        /* whether padding waits for the extents */
  PLAIN_KEEPS_ORDER, /* whether a new result lies in memory as the input does, or else in C order */
  PLAIN_ENTRIES
};

typedef struct plain_conv {
  const core_library *core;
  conv_options given;
  plain_array input, weight, bias, out;
  int has_bias;
} plain_conv;

static sc_status run_plain(const void *context, const sc_control *control, sc_error *error) {
  const plain_conv *conv = context;

  return conv->core->conv_run(&conv->input.tensor, &conv->weight.tensor, conv->has_bias ? &conv->bias.tensor : NULL,
                              &conv->out.tensor, &conv->given.options, control, error);
}

/* The axes of a shape in turn: list[place] becomes what list[axes[place]] was. Returns -1 where `axes` are not that. */
static int reorder(int64_t *list, PyObject *axes, int32_t ndim) {
  int64_t before[SC_MAX_DIMS];
  int32_t place;
  long axis;

  if (axes == Py_None)
    return 0;
  if (!PyTuple_Check(axes) || PyTuple_Size(axes) != ndim)
    return -1;
  memcpy(before, list, (size_t)ndim * sizeof(*list));
  for (place = 0; place < ndim; ++place) {
    axis = PyLong_AsLong(PyTuple_GetItem(axes, place));
    if (axis < 0 || axis >= ndim)
      return -1;
    list[place] = before[axis];
  }
  return 0;
}

static int reorder_array(plain_array *array, PyObject *axes) {
  return reorder(array->shape, axes, array->tensor.ndim) != 0 || reorder(array->strides, axes, array->tensor.ndim) != 0
             ? -1
             : 0;
}

/* The readers below return 0, or -1 with no exception set for whatever Python has to look at. */

static int read_array(const native_state *state, plain_array *array, PyObject *object, int32_t ndim) {
  return Py_TYPE(object) == state->ndarray && plain_array_read(state, array, object) == 0 && array->tensor.ndim == ndim
             ? 0
             : -1;
}

/* Integers hold no fraction of a bound, complex numbers and bool have no order. */
static int clamp_is_plain(const sc_conv *options) {
  return options->activation == SC_ACTIVATION_NONE ||
         (options->result_dtype >= SC_FLOAT16 && options->result_dtype <= SC_FLOAT64);
}

static int is_modest(int64_t value) { return value >= 1 && value <= INT32_MAX; }

/* padding='same' by TensorFlow's rule, as _padding.same has it. */
static int pad_same(plain_conv *conv, long same) {
  sc_conv *options = &conv->given.options;
  int64_t extent, taps, stride, dilation, total;
  int32_t axis;

  if (same == SAME_NOT)
    return 0;
  for (axis = 0; axis < options->spatial_ndim; ++axis) {
    extent = conv->input.shape[axis + 2];
    taps = conv->weight.shape[axis + 2];
    stride = options->stride != NULL ? options->stride[axis] : 1;
    dilation = options->dilation != NULL ? options->dilation[axis] : 1;
    if (!is_modest(extent) || !is_modest(taps) || !is_modest(stride) || !is_modest(dilation))
      return -1;
    total = (extent - 1) / stride * stride + dilation * (taps - 1) + 1 - extent;
    total = total < 0 ? 0 : total;
    conv->given.padding_low[axis] = same == SAME_LOWER ? total - total / 2 : total / 2;
    conv->given.padding_high[axis] = total - conv->given.padding_low[axis];
  }
  options->padding_low = conv->given.padding_low;
  options->padding_high = conv->given.padding_high;
  return 0;
}

static int read_operands(const native_state *state, plain_conv *conv, PyObject *recipe, PyObject *const *operands) {
  enum { INPUT, WEIGHT, BIAS };
  sc_conv *options = &conv->given.options;
  const int32_t ndim = options->spatial_ndim + 2;

  if (read_array(state, &conv->input, operands[INPUT], ndim) != 0 ||
      read_array(state, &conv->weight, operands[WEIGHT], ndim) != 0 || options->per_sample)
    return -1;
  options->result_dtype = state->result_codes[conv->input.tensor.dtype][conv->weight.tensor.dtype];
  if (!clamp_is_plain(options))
    return -1;
  conv->has_bias = operands[BIAS] != Py_None;
  if (conv->has_bias &&
      (read_array(state, &conv->bias, operands[BIAS], 1) != 0 || conv->bias.tensor.dtype != options->result_dtype))
    return -1;
  /* A new result in C order has the order of such an input; others are made in Python. */
  if (PyTuple_GetItem(recipe, PLAIN_KEEPS_ORDER) == Py_True && !array_is_c_ordered(&conv->input))
    return -1;
  return reorder_array(&conv->input, PyTuple_GetItem(recipe, PLAIN_INPUT_AXES)) == 0 &&
                 reorder_array(&conv->weight, PyTuple_GetItem(recipe, PLAIN_WEIGHT_AXES)) == 0 &&
                 pad_same(conv, PyLong_AsLong(PyTuple_GetItem(recipe, PLAIN_SAME))) == 0
             ? 0
             : -1;
}

/* The user's shape of the result. What does not fit together is for Python to word. */
static int plain_shape(const plain_conv *conv, PyObject *recipe, int64_t *shape) {
  const int32_t ndim = conv->given.options.spatial_ndim + 2;
  sc_error error;

  if (conv->core->conv_shape(&conv->input.tensor, &conv->weight.tensor, &conv->given.options, shape, &error) != SC_OK ||
      (conv->has_bias && conv->bias.shape[0] != shape[1]))
    return -1;
  return reorder(shape, PyTuple_GetItem(recipe, PLAIN_RESULT_AXES), ndim);
}

static int out_is_plain(const plain_conv *conv, const int64_t *shape) {
  const plain_array *out = &conv->out;

  return out->tensor.dtype == conv->given.options.result_dtype &&
         memcmp(out->shape, shape, (size_t)out->tensor.ndim * sizeof(*shape)) == 0 && array_is_c_contiguous(out) &&
         arrays_are_disjoint(out, &conv->input) && arrays_are_disjoint(out, &conv->weight) &&
         (!conv->has_bias || arrays_are_disjoint(out, &conv->bias));
}

/* The array that the result goes to, described in `conv->out`; NULL with no exception set where Python has to look at
 * it. A new reference. */
static PyObject *plain_out(const native_state *state, plain_conv *conv, PyObject *recipe, PyObject *given) {
  const int32_t ndim = conv->given.options.spatial_ndim + 2;
  int64_t shape[SC_MAX_DIMS];
  PyObject *result;

  if (plain_shape(conv, recipe, shape) != 0)
    return NULL;
  if (given == Py_None) {
    result = plain_array_new(state, shape, ndim, conv->given.options.result_dtype);
  } else {
    Py_INCREF(given);
    result = given;
  }
  if (result != NULL && (read_array(state, &conv->out, result, ndim) != 0 ||
                         (given != Py_None && (!array_is_writeable(given) || !out_is_plain(conv, shape))) ||
                         reorder_array(&conv->out, PyTuple_GetItem(recipe, PLAIN_OUTPUT_AXES)) != 0))
    Py_CLEAR(result);
  return result;
}

PyObject *native_conv_plain(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { RECIPE, OPERANDS, OUT = OPERANDS + 3, ARGUMENTS };
  const native_state *state = native_state_of(module);
  plain_conv conv;
  PyObject *recipe, *result;
  sc_error error;
  sc_status status;

  if (!takes("conv_plain", count, ARGUMENTS))
    return NULL;
  recipe = arguments[RECIPE];
  if (!PyTuple_Check(recipe) || PyTuple_Size(recipe) != PLAIN_ENTRIES) {
    PyErr_Format(PyExc_TypeError, "recipe=%R: expected a tuple of %d entries", recipe, (int)PLAIN_ENTRIES);
    return NULL;
  }
  conv.core = &state->core;
  memset(&conv.given.options, 0, sizeof(conv.given.options)); /* all threads, no lists */
  if (conv_options_read(&conv.given, PyTuple_GetItem(recipe, PLAIN_OPTIONS)) != 0)
    PyErr_Clear(); /* a number too large: Python words it */
  else if (read_operands(state, &conv, recipe, arguments + OPERANDS) == 0 &&
           (result = plain_out(state, &conv, recipe, arguments[OUT])) != NULL) {
    status = run_interruptibly(run_plain, &conv, &error);
    if (status != SC_OK) {
      raise_conv_status(status, &error, conv.given.names, &conv.given.options);
      Py_CLEAR(result);
    }
    return result;
  }
  Py_RETURN_NOTIMPLEMENTED;
}

#include "conv_plain.h"

#include <string.h>

enum { SAME_NOT, SAME, SAME_LOWER };
enum { AXES_OF_INPUT, AXES_OF_OUTPUT, AXES_OF_RESULT, AXES_ENTRIES };

int plain_reorder(int64_t *list, PyObject *axes, int32_t ndim) {
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

int plain_reorder_array(plain_array *array, PyObject *axes) {
  return plain_reorder(array->shape, axes, array->tensor.ndim) != 0 ||
                 plain_reorder(array->strides, axes, array->tensor.ndim) != 0
             ? -1
             : 0;
}

int plain_operand_read(const native_state *state, plain_array *array, PyObject *object, int32_t ndim) {
  return Py_TYPE(object) == state->ndarray && plain_array_read(state, array, object) == 0 && array->tensor.ndim == ndim
             ? 0
             : -1;
}

/* Puts an axis in front. */
static void prepend_axis(plain_array *array) {
  const size_t bytes = (size_t)array->tensor.ndim * sizeof(*array->shape);

  memmove(array->shape + 1, array->shape, bytes);
  memmove(array->strides + 1, array->strides, bytes);
  array->shape[0] = 1;
  array->strides[0] = 0;
  ++array->tensor.ndim;
}

static int to_core(const plain_call *call, plain_array *array, int axes) {
  if (!call->is_batched)
    prepend_axis(array);
  return plain_reorder_array(array, PyTuple_GetItem(call->axes, axes));
}

int plain_input_read(const native_state *state, plain_call *call, PyObject *recipe, int32_t spatial_ndim,
                     PyObject *object) {
  if (Py_TYPE(object) != state->ndarray || plain_array_read(state, &call->input, object) != 0)
    return -1;
  call->recipe = recipe;
  call->users_ndim = call->input.tensor.ndim;
  call->is_batched = call->users_ndim == spatial_ndim + 2;
  if (!call->is_batched && call->users_ndim != spatial_ndim + 1)
    return -1;
  call->axes = PyTuple_GetItem(recipe, call->is_batched ? PLAIN_BATCHED : PLAIN_UNBATCHED);
  if (!PyTuple_Check(call->axes) || PyTuple_Size(call->axes) != AXES_ENTRIES)
    return -1;
  call->is_c_ordered =
      PyTuple_GetItem(recipe, PLAIN_KEEPS_ORDER) != Py_True || array_memory_order(&call->input, call->order);
  return to_core(call, &call->input, AXES_OF_INPUT);
}

static int is_modest(int64_t value) { return value >= 1 && value <= INT32_MAX; }

int plain_pad_same(const plain_call *call, const int64_t *taps, conv_options *given) {
  sc_conv *options = &given->options;
  const long same = PyLong_AsLong(PyTuple_GetItem(call->recipe, PLAIN_SAME));
  int64_t extent, stride, dilation, total;
  int32_t axis;

  if (same == SAME_NOT)
    return 0;
  for (axis = 0; axis < options->spatial_ndim; ++axis) {
    extent = call->input.shape[axis + 2];
    stride = options->stride != NULL ? options->stride[axis] : 1;
    dilation = options->dilation != NULL ? options->dilation[axis] : 1;
    if (!is_modest(extent) || !is_modest(taps[axis]) || !is_modest(stride) || !is_modest(dilation))
      return -1;
    total = (extent - 1) / stride * stride + dilation * (taps[axis] - 1) + 1 - extent;
    total = total < 0 ? 0 : total;
    given->padding_low[axis] = same == SAME_LOWER ? total - total / 2 : total / 2;
    given->padding_high[axis] = total - given->padding_low[axis];
  }
  options->padding_low = given->padding_low;
  options->padding_high = given->padding_high;
  return 0;
}

int plain_clamp(const sc_conv *options) {
  return options->activation == SC_ACTIVATION_NONE ||
         (options->result_dtype >= SC_FLOAT16 && options->result_dtype <= SC_FLOAT64);
}

/* The core's shape as the user's array has it. */
static int users_shape(const plain_call *call, int64_t *shape) {
  const int32_t first = call->is_batched ? 0 : 1, ndim = call->users_ndim + first;

  if (plain_reorder(shape, PyTuple_GetItem(call->axes, AXES_OF_RESULT), ndim) != 0)
    return -1;
  memmove(shape, shape + first, (size_t)call->users_ndim * sizeof(*shape));
  return 0;
}

static int given_is_plain(const plain_call *call, PyObject *given, const int64_t *shape, sc_dtype dtype) {
  const plain_array *out = &call->out;

  return array_is_writeable(given) && out->tensor.dtype == dtype &&
         (shape == NULL || memcmp(out->shape, shape, (size_t)out->tensor.ndim * sizeof(*shape)) == 0) &&
         array_is_nested(out) && arrays_are_disjoint(out, &call->input);
}

PyObject *plain_result(const native_state *state, plain_call *call, const int64_t *shape, int checks_shape,
                       sc_dtype dtype, PyObject *given) {
  const int is_new = given == Py_None;
  int64_t users[SC_MAX_DIMS];
  PyObject *result;

  if (is_new || checks_shape) {
    memcpy(users, shape, (size_t)(call->users_ndim + !call->is_batched) * sizeof(*shape));
    if (users_shape(call, users) != 0)
      return NULL;
  }
  if (is_new) {
    result = plain_array_new(state, users, call->users_ndim, call->is_c_ordered ? NULL : call->order, dtype);
  } else {
    Py_INCREF(given);
    result = given;
  }
  if (result != NULL && (plain_operand_read(state, &call->out, result, call->users_ndim) != 0 ||
                         (!is_new && !given_is_plain(call, given, checks_shape ? users : NULL, dtype)) ||
                         to_core(call, &call->out, AXES_OF_OUTPUT) != 0))
    Py_CLEAR(result);
  return result;
}

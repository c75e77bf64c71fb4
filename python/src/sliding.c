#include "sliding.h"

#include "arguments.h"
#include "buffers.h"
#include "errors.h"
#include "explanation.h"
#include "running.h"

enum { BYTESWAPPED_A = 1, BYTESWAPPED_V = 2, BYTESWAPPED_OUT = 4 };

/* One call's descriptors and the storage that they point into. */
typedef struct sliding_call {
  array_buffer a, v, out;
  sc_sliding options;
  int64_t axes[SC_MAX_DIMS], stride[SC_MAX_DIMS], dilation[SC_MAX_DIMS], origin[SC_MAX_DIMS];
} sliding_call;

static void release_call(sliding_call *call) {
  array_buffer_release(&call->out);
  array_buffer_release(&call->v);
  array_buffer_release(&call->a);
}

/* axes, stride, dilation, origin: four arguments in that order. */
static int read_lists(sliding_call *call, PyObject *const *arguments, int32_t window_ndim) {
  sc_sliding *options = &call->options;

  options->window_ndim = window_ndim;
  if (optional_list(arguments[0], "axes", window_ndim, "axis of v", call->axes, &options->axes) != 0 ||
      optional_list(arguments[1], "stride", window_ndim, "axis of v", call->stride, &options->stride) != 0 ||
      optional_list(arguments[2], "dilation", window_ndim, "axis of v", call->dilation, &options->dilation) != 0 ||
      optional_list(arguments[3], "origin", window_ndim, "axis of v", call->origin, &options->origin) != 0)
    return -1;
  return 0;
}

/* The pattern of an integer of 64 bits, signed or unsigned. */
static int read_pattern(PyObject *object, int64_t *value) {
  *value = (int64_t)PyLong_AsUnsignedLongLongMask(object);
  return *value == -1 && PyErr_Occurred() ? -1 : 0;
}

/* The twenty arguments of slide and slide_explain; `out` may be None where `out_optional`. */
static int read_call(sliding_call *call, PyObject *const *arguments, int out_optional) {
  enum {
    OPERATION,
    A,
    V,
    OUT,
    A_CODE,
    V_CODE,
    OUT_CODE,
    RESULT_CODE,
    BYTESWAPPED,
    MODE,
    BOUNDARY,
    METHOD,
    THREADS,
    LISTS,
    FILL_INTEGER = LISTS + 4,
    FILL_REAL,
    FILL_IMAGINARY
  };
  sc_sliding *options = &call->options;
  int32_t a_code, v_code, out_code, byteswapped;

  if (int32_value(arguments[OPERATION], "operation", &options->operation) != 0 ||
      int32_value(arguments[A_CODE], "a_code", &a_code) != 0 ||
      int32_value(arguments[V_CODE], "v_code", &v_code) != 0 ||
      int32_value(arguments[OUT_CODE], "out_code", &out_code) != 0 ||
      int32_value(arguments[RESULT_CODE], "result_code", &options->result_dtype) != 0 ||
      int32_value(arguments[BYTESWAPPED], "byteswapped", &byteswapped) != 0 ||
      int32_value(arguments[MODE], "mode", &options->mode) != 0 ||
      int32_value(arguments[BOUNDARY], "boundary", &options->boundary) != 0 ||
      int32_value(arguments[METHOD], "method", &options->method) != 0 ||
      int32_value(arguments[THREADS], "threads", &options->threads) != 0 ||
      read_pattern(arguments[FILL_INTEGER], &options->fill_integer) != 0 ||
      double_value(arguments[FILL_REAL], &options->fill_real) != 0 ||
      double_value(arguments[FILL_IMAGINARY], &options->fill_imaginary) != 0)
    return -1;
  if (array_buffer_acquire(&call->a, arguments[A], a_code, byteswapped & BYTESWAPPED_A, 0) != 0 ||
      array_buffer_acquire(&call->v, arguments[V], v_code, byteswapped & BYTESWAPPED_V, 0) != 0)
    return -1;
  if (!(out_optional && arguments[OUT] == Py_None) &&
      array_buffer_acquire(&call->out, arguments[OUT], out_code, byteswapped & BYTESWAPPED_OUT, 1) != 0)
    return -1;
  return read_lists(call, arguments + LISTS, call->v.tensor.ndim);
}

enum { CALL_ARGUMENTS = 20 };

PyObject *native_slide(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  const native_state *state = native_state_of(module);
  sliding_call call = {.a = {.held = 0}};
  PyObject *result = NULL;
  sc_error error;
  sc_status status;

  if (!takes("slide", count, CALL_ARGUMENTS) || read_call(&call, arguments, 0) != 0)
    goto cleanup;
  status = run_sliding(&state->core, &call.a.tensor, &call.v.tensor, &call.out.tensor, &call.options, &error);
  if (status != SC_OK) {
    raise_status(status, &error, &call.a.tensor, &call.v.tensor, &call.options);
    goto cleanup;
  }
  result = Py_None;
  Py_INCREF(result);

cleanup:
  release_call(&call);
  return result;
}

PyObject *native_slide_shape(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { OPERATION, A_SHAPE, V_SHAPE, MODE, BOUNDARY, LISTS, ARGUMENTS = LISTS + 4 };
  const native_state *state = native_state_of(module);
  sliding_call call = {.a = {.held = 0}};
  int64_t a_extents[SC_MAX_DIMS], v_extents[SC_MAX_DIMS], extents[SC_MAX_DIMS];
  sc_tensor a, v;
  sc_error error;
  sc_status status;

  if (!takes("slide_shape", count, ARGUMENTS))
    return NULL;
  call.options.result_dtype = SC_FLOAT64;
  if (int32_value(arguments[OPERATION], "operation", &call.options.operation) != 0 ||
      int32_value(arguments[MODE], "mode", &call.options.mode) != 0 ||
      int32_value(arguments[BOUNDARY], "boundary", &call.options.boundary) != 0 ||
      shape_tensor(arguments[A_SHAPE], "a", a_extents, &a) != 0 ||
      shape_tensor(arguments[V_SHAPE], "v", v_extents, &v) != 0 || read_lists(&call, arguments + LISTS, v.ndim) != 0)
    return NULL;
  status = state->core.sliding_shape(&a, &v, &call.options, extents, &error);
  if (status != SC_OK)
    return raise_status(status, &error, &a, &v, &call.options);
  return tuple_of_int64(extents, a.ndim);
}

PyObject *native_slide_explain(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  const native_state *state = native_state_of(module);
  sliding_call call = {.a = {.held = 0}};
  PyObject *result = NULL;
  sc_explanation explanation;
  sc_error error;
  sc_status status;

  if (!takes("slide_explain", count, CALL_ARGUMENTS) || read_call(&call, arguments, 1) != 0)
    goto cleanup;
  status = state->core.sliding_explain(&call.a.tensor, &call.v.tensor, call.out.held ? &call.out.tensor : NULL,
                                       &call.options, &explanation, &error);
  if (status != SC_OK) {
    raise_status(status, &error, &call.a.tensor, &call.v.tensor, &call.options);
    goto cleanup;
  }
  result = explanation_dict(&explanation, state->core.isa());

cleanup:
  release_call(&call);
  return result;
}

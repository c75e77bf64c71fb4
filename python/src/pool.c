#include "pool.h"

#include "arguments.h"
#include "buffers.h"
#include "pool_errors.h"
#include "running.h"

enum { BYTESWAPPED_INPUT = 1, BYTESWAPPED_OUT = 2, BYTESWAPPED_INDICES = 4 };

/* One call's descriptors and the storage that they point into. */
typedef struct pool_call {
  const core_library *core;
  array_buffer input, out, indices;
  sc_pool options;
  int64_t axes[SC_MAX_DIMS], kernel_size[SC_MAX_DIMS], stride[SC_MAX_DIMS], dilation[SC_MAX_DIMS];
  int64_t padding_low[SC_MAX_DIMS], padding_high[SC_MAX_DIMS];
} pool_call;

static void release_call(pool_call *call) {
  array_buffer_release(&call->indices);
  array_buffer_release(&call->out);
  array_buffer_release(&call->input);
}

/* axes, kernel_size, stride, dilation, padding_low, padding_high, ceil_mode: seven arguments in that order. */
static int read_windows(pool_call *call, PyObject *const *arguments) {
  enum { AXES, KERNEL_SIZE, STRIDE, DILATION, PADDING_LOW, PADDING_HIGH, CEIL_MODE };
  static const char axis[] = "axis of the window";
  sc_pool *options = &call->options;
  const int count = int64_list(arguments[KERNEL_SIZE], "kernel_size", call->kernel_size);

  if (count < 0)
    return -1;
  options->window_ndim = count;
  options->kernel_size = call->kernel_size;
  if (optional_list(arguments[AXES], "axes", count, axis, call->axes, &options->axes) != 0 ||
      optional_list(arguments[STRIDE], "stride", count, axis, call->stride, &options->stride) != 0 ||
      optional_list(arguments[DILATION], "dilation", count, axis, call->dilation, &options->dilation) != 0 ||
      optional_list(arguments[PADDING_LOW], "padding", count, axis, call->padding_low, &options->padding_low) != 0 ||
      optional_list(arguments[PADDING_HIGH], "padding", count, axis, call->padding_high, &options->padding_high) != 0 ||
      int32_value(arguments[CEIL_MODE], "ceil_mode", &options->ceil_mode) != 0)
    return -1;
  return 0;
}

enum {
  OPERATION,
  INPUT,
  OUT,
  INDICES,
  INPUT_CODE,
  OUT_CODE,
  BYTESWAPPED,
  COUNT_INCLUDE_PAD,
  DIVISOR_OVERRIDE,
  NORM_TYPE,
  SIGNED_POWERS,
  THREADS,
  WINDOWS,
  CALL_ARGUMENTS = WINDOWS + 7
};

static int read_call(pool_call *call, PyObject *const *arguments) {
  sc_pool *options = &call->options;
  int32_t input_code, out_code, byteswapped;

  if (int32_value(arguments[OPERATION], "operation", &options->operation) != 0 ||
      int32_value(arguments[INPUT_CODE], "input_code", &input_code) != 0 ||
      int32_value(arguments[OUT_CODE], "out_code", &out_code) != 0 ||
      int32_value(arguments[BYTESWAPPED], "byteswapped", &byteswapped) != 0 ||
      int32_value(arguments[COUNT_INCLUDE_PAD], "count_include_pad", &options->count_include_pad) != 0 ||
      int64_value(arguments[DIVISOR_OVERRIDE], "divisor_override", &options->divisor_override) != 0 ||
      double_value(arguments[NORM_TYPE], &options->norm_type) != 0 ||
      int32_value(arguments[SIGNED_POWERS], "signed_powers", &options->signed_powers) != 0 ||
      int32_value(arguments[THREADS], "threads", &options->threads) != 0 ||
      read_windows(call, arguments + WINDOWS) != 0)
    return -1;
  if (array_buffer_acquire(&call->input, arguments[INPUT], input_code, byteswapped & BYTESWAPPED_INPUT, 0) != 0 ||
      array_buffer_acquire(&call->out, arguments[OUT], out_code, byteswapped & BYTESWAPPED_OUT, 1) != 0)
    return -1;
  if (arguments[INDICES] == Py_None)
    return 0;
  return array_buffer_acquire(&call->indices, arguments[INDICES], SC_INT64, byteswapped & BYTESWAPPED_INDICES, 1);
}

static sc_status run_pool(const void *context, const sc_control *control, sc_error *error) {
  const pool_call *call = context;

  return call->core->pool_run(&call->input.tensor, &call->out.tensor, call->indices.held ? &call->indices.tensor : NULL,
                              &call->options, control, error);
}

PyObject *native_pool(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  pool_call call = {.core = &native_state_of(module)->core};
  PyObject *result = NULL;
  sc_error error;
  sc_status status;

  if (!takes("pool", count, CALL_ARGUMENTS) || read_call(&call, arguments) != 0)
    goto cleanup;
  status = run_interruptibly(run_pool, &call, &error);
  if (status != SC_OK) {
    raise_pool_status(status, &error);
    goto cleanup;
  }
  result = Py_None;
  Py_INCREF(result);

cleanup:
  release_call(&call);
  return result;
}

PyObject *native_pool_shape(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { INPUT_SHAPE, SHAPE_WINDOWS, SHAPE_ARGUMENTS = SHAPE_WINDOWS + 7 };
  pool_call call = {.core = &native_state_of(module)->core};
  int64_t in_extents[SC_MAX_DIMS], out_extents[SC_MAX_DIMS];
  sc_tensor input;
  sc_error error;
  sc_status status;

  if (!takes("pool_shape", count, SHAPE_ARGUMENTS) ||
      shape_tensor(arguments[INPUT_SHAPE], "input", in_extents, &input) != 0 ||
      read_windows(&call, arguments + SHAPE_WINDOWS) != 0)
    return NULL;
  status = call.core->pool_shape(&input, &call.options, out_extents, &error);
  if (status != SC_OK)
    return raise_pool_status(status, &error);
  return tuple_of_int64(out_extents, input.ndim);
}

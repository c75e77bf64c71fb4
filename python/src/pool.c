#include "pool.h"

#include "buffers.h"
#include "errors.h"
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

static int takes(const char *function, Py_ssize_t count, Py_ssize_t expected) {
  if (count == expected)
    return 1;
  PyErr_Format(PyExc_TypeError, "%s takes %zd arguments, got %zd", function, expected, count);
  return 0;
}

/* None or a tuple with an entry for each axis of the window. */
static int optional_list(PyObject *object, const char *name, int32_t expected, int64_t *storage, const int64_t **list) {
  int count;

  *list = NULL;
  if (object == Py_None)
    return 0;
  count = int64_list(object, name, storage);
  if (count < 0)
    return -1;
  if (count != expected) {
    PyErr_Format(PyExc_ValueError, "%s=%R has %d entries: expected %d, an entry for each axis of the window", name,
                 object, count, (int)expected);
    return -1;
  }
  *list = storage;
  return 0;
}

/* axes, kernel_size, stride, dilation, padding_low, padding_high, ceil_mode: seven arguments in that order. */
static int read_windows(pool_call *call, PyObject *const *arguments) {
  enum { AXES, KERNEL_SIZE, STRIDE, DILATION, PADDING_LOW, PADDING_HIGH, CEIL_MODE };
  sc_pool *options = &call->options;
  int count = int64_list(arguments[KERNEL_SIZE], "kernel_size", call->kernel_size);

  if (count < 0)
    return -1;
  options->window_ndim = count;
  options->kernel_size = call->kernel_size;
  if (optional_list(arguments[AXES], "axes", count, call->axes, &options->axes) != 0 ||
      optional_list(arguments[STRIDE], "stride", count, call->stride, &options->stride) != 0 ||
      optional_list(arguments[DILATION], "dilation", count, call->dilation, &options->dilation) != 0 ||
      optional_list(arguments[PADDING_LOW], "padding", count, call->padding_low, &options->padding_low) != 0 ||
      optional_list(arguments[PADDING_HIGH], "padding", count, call->padding_high, &options->padding_high) != 0 ||
      int32_value(arguments[CEIL_MODE], "ceil_mode", &options->ceil_mode) != 0)
    return -1;
  return 0;
}

static int read_double(PyObject *object, double *value) {
  *value = PyFloat_AsDouble(object);
  return *value == -1.0 && PyErr_Occurred() ? -1 : 0;
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

  options->divisor_override = PyLong_AsLongLong(arguments[DIVISOR_OVERRIDE]);
  if (options->divisor_override == -1 && PyErr_Occurred())
    return -1;
  if (int32_value(arguments[OPERATION], "operation", &options->operation) != 0 ||
      int32_value(arguments[INPUT_CODE], "input_code", &input_code) != 0 ||
      int32_value(arguments[OUT_CODE], "out_code", &out_code) != 0 ||
      int32_value(arguments[BYTESWAPPED], "byteswapped", &byteswapped) != 0 ||
      int32_value(arguments[COUNT_INCLUDE_PAD], "count_include_pad", &options->count_include_pad) != 0 ||
      read_double(arguments[NORM_TYPE], &options->norm_type) != 0 ||
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

static sc_status pool(void *context, const sc_control *control, sc_error *error) {
  const pool_call *call = (const pool_call *)context;

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
  status = run_without_gil(pool, &call, &error);
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
  static const int64_t no_strides[SC_MAX_DIMS] = {0};
  pool_call call = {.core = &native_state_of(module)->core};
  int64_t shape[SC_MAX_DIMS], extents[SC_MAX_DIMS];
  sc_tensor input = {.shape = shape, .strides = no_strides, .dtype = SC_FLOAT64};
  sc_error error;
  sc_status status;

  if (!takes("pool_shape", count, SHAPE_ARGUMENTS))
    return NULL;
  input.ndim = int64_list(arguments[INPUT_SHAPE], "input.shape", shape);
  if (input.ndim < 0 || read_windows(&call, arguments + SHAPE_WINDOWS) != 0)
    return NULL;
  status = call.core->pool_shape(&input, &call.options, extents, &error);
  if (status != SC_OK)
    return raise_pool_status(status, &error);
  return tuple_of_int64(extents, input.ndim);
}

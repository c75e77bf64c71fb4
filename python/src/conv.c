#include "conv.h"

#include "arguments.h"
#include "buffers.h"
#include "conv_errors.h"
#include "conv_options.h"
#include "explanation.h"
#include "running.h"

enum { BYTESWAPPED_A = 1, BYTESWAPPED_B = 2, BYTESWAPPED_BIAS = 4, BYTESWAPPED_OUT = 8 };

/* One call's descriptors and the storage that they point into. */
typedef struct conv_call {
  array_buffer a, b, bias, out;
  conv_options given;
} conv_call;

static void release_call(conv_call *call) {
  array_buffer_release(&call->out);
  array_buffer_release(&call->bias);
  array_buffer_release(&call->b);
  array_buffer_release(&call->a);
}

static int read_operand(array_buffer *buffer, PyObject *array, PyObject *code, const char *name, int byteswapped,
                        int writable) {
  int32_t dtype;

  if (array == Py_None)
    return 0;
  if (int32_value(code, name, &dtype) != 0)
    return -1;
  return array_buffer_acquire(buffer, array, dtype, byteswapped, writable);
}

enum {
  CALL_A,
  CALL_B,
  CALL_BIAS,
  CALL_OUT,
  CALL_A_CODE,
  CALL_B_CODE,
  CALL_BIAS_CODE,
  CALL_OUT_CODE,
  CALL_RESULT_CODE,
  CALL_BYTESWAPPED,
  CALL_THREADS,
  CALL_OPTIONS,
  CALL_ARGUMENTS
};

/* The arguments of conv and conv_explain; a None stands for an operand that is not there. */
static int read_call(conv_call *call, PyObject *const *arguments) {
  int32_t byteswapped;

  if (conv_options_read(&call->given, arguments[CALL_OPTIONS]) != 0 ||
      int32_value(arguments[CALL_RESULT_CODE], "result_code", &call->given.options.result_dtype) != 0 ||
      int32_value(arguments[CALL_BYTESWAPPED], "byteswapped", &byteswapped) != 0 ||
      int32_value(arguments[CALL_THREADS], "threads", &call->given.options.threads) != 0 ||
      read_operand(&call->a, arguments[CALL_A], arguments[CALL_A_CODE], "a_code", byteswapped & BYTESWAPPED_A, 0) !=
          0 ||
      read_operand(&call->b, arguments[CALL_B], arguments[CALL_B_CODE], "b_code", byteswapped & BYTESWAPPED_B, 0) !=
          0 ||
      read_operand(&call->bias, arguments[CALL_BIAS], arguments[CALL_BIAS_CODE], "bias_code",
                   byteswapped & BYTESWAPPED_BIAS, 0) != 0)
    return -1;
  return read_operand(&call->out, arguments[CALL_OUT], arguments[CALL_OUT_CODE], "out_code",
                      byteswapped & BYTESWAPPED_OUT, 1);
}

static const sc_tensor *tensor_or_null(const array_buffer *buffer) { return buffer->held ? &buffer->tensor : NULL; }

static PyObject *missing_operand(const char *function) {
  PyErr_Format(PyExc_TypeError, "%s: expected arrays for a, b and out", function);
  return NULL;
}

typedef struct conv_run {
  const core_library *core;
  const conv_call *call;
} conv_run;

static sc_status run_conv(const void *context, const sc_control *control, sc_error *error) {
  const conv_run *run = context;
  const conv_call *call = run->call;

  return run->core->conv_run(&call->a.tensor, &call->b.tensor, tensor_or_null(&call->bias), &call->out.tensor,
                             &call->given.options, control, error);
}

PyObject *native_conv(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  conv_call call = {.a = {.held = 0}};
  conv_run run = {&native_state_of(module)->core, &call};
  PyObject *result = NULL;
  sc_error error;
  sc_status status;

  if (!takes("conv", count, CALL_ARGUMENTS) || read_call(&call, arguments) != 0)
    goto cleanup;
  if (!call.a.held || !call.b.held || !call.out.held) {
    missing_operand("conv");
    goto cleanup;
  }
  status = run_interruptibly(run_conv, &run, &error);
  if (status != SC_OK) {
    raise_conv_status(status, &error, call.given.names, &call.given.options);
    goto cleanup;
  }
  result = Py_None;
  Py_INCREF(result);

cleanup:
  release_call(&call);
  return result;
}

PyObject *native_conv_shape(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { A_SHAPE, B_SHAPE, OPTIONS, ARGUMENTS };
  const native_state *state = native_state_of(module);
  conv_call call = {.a = {.held = 0}};
  int64_t a_extents[SC_MAX_DIMS], b_extents[SC_MAX_DIMS], extents[SC_MAX_DIMS];
  sc_tensor a, b;
  sc_error error;
  sc_status status;

  if (!takes("conv_shape", count, ARGUMENTS) || conv_options_read(&call.given, arguments[OPTIONS]) != 0 ||
      shape_tensor(arguments[A_SHAPE], "a", a_extents, &a) != 0 ||
      shape_tensor(arguments[B_SHAPE], "b", b_extents, &b) != 0)
    return NULL;
  call.given.options.result_dtype = SC_FLOAT64;
  status = state->core.conv_shape(&a, &b, &call.given.options, extents, &error);
  if (status != SC_OK)
    return raise_conv_status(status, &error, call.given.names, &call.given.options);
  return tuple_of_int64(extents, call.given.options.spatial_ndim + 2);
}

PyObject *native_conv_explain(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  const native_state *state = native_state_of(module);
  conv_call call = {.a = {.held = 0}};
  PyObject *result = NULL;
  sc_explanation explanation;
  sc_error error;
  sc_status status;

  if (!takes("conv_explain", count, CALL_ARGUMENTS) || read_call(&call, arguments) != 0)
    goto cleanup;
  if (!call.a.held || !call.b.held) {
    missing_operand("conv_explain");
    goto cleanup;
  }
  status = state->core.conv_explain(&call.a.tensor, &call.b.tensor, tensor_or_null(&call.bias),
                                    tensor_or_null(&call.out), &call.given.options, &explanation, &error);
  if (status != SC_OK) {
    raise_conv_status(status, &error, call.given.names, &call.given.options);
    goto cleanup;
  }
  result = explanation_dict(&explanation, state->core.isa());

cleanup:
  release_call(&call);
  return result;
}

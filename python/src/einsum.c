#include "einsum.h"

#include "arguments.h"
#include "buffers.h"
#include "einsum_errors.h"
#include "explanation.h"
#include "running.h"

/* One call's descriptors and the storage that they point into: too much for the stack of a thread. */
typedef struct contraction_call {
  sc_contraction options;
  sc_factor out, factors[SC_MAX_FACTORS];
  sc_window windows[SC_MAX_INDICES];
  Py_buffer buffers[SC_MAX_FACTORS + 1];
  int held; /* buffers */
  int64_t extents[SC_MAX_INDICES], out_strides[SC_MAX_INDICES];
  int64_t strides[SC_MAX_FACTORS][SC_MAX_INDICES], steps[SC_MAX_INDICES][SC_MAX_INDICES];
} contraction_call;

static void release_call(contraction_call *call) {
  if (call == NULL)
    return;
  while (call->held > 0)
    PyBuffer_Release(&call->buffers[--call->held]);
  PyMem_Free(call);
}

/* A tuple of `count` integers. */
static int read_list(PyObject *tuple, const char *name, int count, int64_t *values) {
  Py_ssize_t index;

  if (!PyTuple_Check(tuple) || PyTuple_Size(tuple) != count) {
    PyErr_Format(PyExc_TypeError, "%s=%R: expected a tuple of %d integers", name, tuple, count);
    return -1;
  }
  for (index = 0; index < count; ++index) {
    if (int64_value(PyTuple_GetItem(tuple, index), name, &values[index]) != 0)
      return -1;
  }
  return 0;
}

/* A tuple of as many entries as fit, whose number is returned. */
static int read_count(PyObject *tuple, const char *name, int most) {
  if (!PyTuple_Check(tuple) || PyTuple_Size(tuple) > most) {
    PyErr_Format(PyExc_TypeError, "%s: expected a tuple of at most %d entries", name, most);
    return -1;
  }
  return (int)PyTuple_Size(tuple);
}

/* A tuple of an array, its code, whether its bytes are swapped, and the strides of `count` indices. */
static int read_factor(contraction_call *call, PyObject *tuple, int count, int writable, int64_t *strides,
                       sc_factor *factor) {
  enum { ARRAY, CODE, BYTESWAPPED, STRIDES, ENTRIES };
  Py_buffer *buffer = &call->buffers[call->held];

  if (!PyTuple_Check(tuple) || PyTuple_Size(tuple) != ENTRIES) {
    PyErr_Format(PyExc_TypeError, "factor: expected a tuple of %d entries", ENTRIES);
    return -1;
  }
  if (int32_value(PyTuple_GetItem(tuple, CODE), "code", &factor->dtype) != 0 ||
      int32_value(PyTuple_GetItem(tuple, BYTESWAPPED), "byteswapped", &factor->byteswapped) != 0 ||
      read_list(PyTuple_GetItem(tuple, STRIDES), "strides", count, strides) != 0 ||
      PyObject_GetBuffer(PyTuple_GetItem(tuple, ARRAY), buffer, writable ? PyBUF_STRIDED : PyBUF_STRIDED_RO) != 0)
    return -1;
  ++call->held;
  factor->data = buffer->buf;
  factor->strides = strides;
  return 0;
}

/* A tuple of a factor's place, the axis's extent, stride and padding, and the steps of all indices. */
static int read_window(contraction_call *call, PyObject *tuple, int place) {
  enum { FACTOR, EXTENT, STRIDE, PADDING, STEPS, ENTRIES };
  sc_window *window = &call->windows[place];

  if (!PyTuple_Check(tuple) || PyTuple_Size(tuple) != ENTRIES) {
    PyErr_Format(PyExc_TypeError, "window: expected a tuple of %d entries", ENTRIES);
    return -1;
  }
  if (int32_value(PyTuple_GetItem(tuple, FACTOR), "factor", &window->factor) != 0 ||
      int64_value(PyTuple_GetItem(tuple, EXTENT), "extent", &window->extent) != 0 ||
      int64_value(PyTuple_GetItem(tuple, STRIDE), "stride", &window->stride) != 0 ||
      int64_value(PyTuple_GetItem(tuple, PADDING), "padding", &window->padding) != 0 ||
      read_list(PyTuple_GetItem(tuple, STEPS), "steps", call->options.index_count, call->steps[place]) != 0)
    return -1;
  window->steps = call->steps[place];
  return 0;
}

enum { EXTENTS, OUTPUT_COUNT, FACTORS, OUT, WINDOWS, RESULT_CODE, BOUNDARY, METHOD, THREADS, CALL_ARGUMENTS };

static int read_options(contraction_call *call, PyObject *const *arguments) {
  sc_contraction *options = &call->options;

  options->extents = call->extents;
  options->factors = call->factors;
  options->windows = call->windows;
  options->index_count = read_count(arguments[EXTENTS], "extents", SC_MAX_INDICES);
  options->factor_count = read_count(arguments[FACTORS], "factors", SC_MAX_FACTORS);
  options->window_count = read_count(arguments[WINDOWS], "windows", SC_MAX_INDICES);
  if (options->index_count < 0 || options->factor_count < 0 || options->window_count < 0 ||
      int32_value(arguments[OUTPUT_COUNT], "output_count", &options->output_count) != 0 ||
      int32_value(arguments[RESULT_CODE], "result_code", &options->result_dtype) != 0 ||
      int32_value(arguments[BOUNDARY], "boundary", &options->boundary) != 0 ||
      int32_value(arguments[METHOD], "method", &options->method) != 0 ||
      int32_value(arguments[THREADS], "threads", &options->threads) != 0)
    return -1;
  return read_list(arguments[EXTENTS], "extents", options->index_count, call->extents);
}

/* A call with all that its arguments say, or NULL with an exception set; `out` may be None where `out_optional`. */
static contraction_call *read_call(PyObject *const *arguments, int out_optional) {
  contraction_call *call = PyMem_Calloc(1, sizeof *call);
  sc_contraction *options;
  int place;

  if (call == NULL) {
    PyErr_NoMemory();
    return NULL;
  }
  options = &call->options;
  if (read_options(call, arguments) != 0)
    goto failure;
  for (place = 0; place < options->factor_count; ++place) {
    if (read_factor(call, PyTuple_GetItem(arguments[FACTORS], place), options->index_count, 0, call->strides[place],
                    &call->factors[place]) != 0)
      goto failure;
  }
  if (!(out_optional && arguments[OUT] == Py_None) &&
      read_factor(call, arguments[OUT], options->output_count, 1, call->out_strides, &call->out) != 0)
    goto failure;
  for (place = 0; place < options->window_count; ++place) {
    if (read_window(call, PyTuple_GetItem(arguments[WINDOWS], place), place) != 0)
      goto failure;
  }
  return call;

failure:
  release_call(call);
  return NULL;
}

typedef struct contraction_run {
  const core_library *core;
  const sc_contraction *contraction;
  const sc_factor *out;
} contraction_run;

static sc_status call_contraction(const void *context, const sc_control *control, sc_error *error) {
  const contraction_run *run = context;

  return run->core->contract_run(run->contraction, run->out, control, error);
}

sc_status run_contraction(const core_library *core, const sc_contraction *contraction, const sc_factor *out,
                          sc_error *error) {
  const contraction_run run = {core, contraction, out};

  return run_interruptibly(call_contraction, &run, error);
}

PyObject *native_contract(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  const native_state *state = native_state_of(module);
  contraction_call *call;
  PyObject *result = NULL;
  sc_error error;
  sc_status status;

  if (!takes("contract", count, CALL_ARGUMENTS))
    return NULL;
  call = read_call(arguments, 0);
  if (call == NULL)
    return NULL;
  status = run_contraction(&state->core, &call->options, &call->out, &error);
  if (status != SC_OK) {
    raise_einsum_status(status, &error, call->options.method);
  } else {
    result = Py_None;
    Py_INCREF(result);
  }
  release_call(call);
  return result;
}

PyObject *native_contract_explain(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  const native_state *state = native_state_of(module);
  contraction_call *call;
  PyObject *result = NULL;
  sc_explanation explanation;
  sc_error error;
  sc_status status;

  if (!takes("contract_explain", count, CALL_ARGUMENTS))
    return NULL;
  call = read_call(arguments, 1);
  if (call == NULL)
    return NULL;
  status =
      state->core.contract_explain(&call->options, arguments[OUT] == Py_None ? NULL : &call->out, &explanation, &error);
  if (status != SC_OK)
    raise_einsum_status(status, &error, call->options.method);
  else
    result = explanation_dict(&explanation, state->core.isa());
  release_call(call);
  return result;
}

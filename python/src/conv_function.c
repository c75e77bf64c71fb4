#include "conv.h"

#include "arguments.h"
#include "conv_errors.h"
#include "conv_plain.h"
#include "running.h"

#include <string.h>

/* A plain call of a function: one that gives the filter with it. */
typedef struct function_call {
  const core_library *core;
  conv_options given;
  plain_call plain;
  plain_array weight, bias;
  int has_bias;
} function_call;

static sc_status run_function(const void *context, const sc_control *control, sc_error *error) {
  const function_call *call = context;

  return call->core->conv_run(&call->plain.input.tensor, &call->weight.tensor,
                              call->has_bias ? &call->bias.tensor : NULL, &call->plain.out.tensor, &call->given.options,
                              control, error);
}

/* None, or a number in a plain spelling. */
static int read_threads(PyObject *object, int32_t *threads) {
  long count;

  if (object == Py_None)
    return 0;
  count = PyLong_CheckExact(object) ? PyLong_AsLong(object) : 0;
  if (count < 1 || count > INT32_MAX) {
    PyErr_Clear();
    return -1;
  }
  *threads = (int32_t)count;
  return 0;
}

/* The dtype of the result: the core checks that operands cast to a given one. */
static void set_result_dtype(const native_state *state, function_call *call, PyObject *recipe) {
  PyObject *code = PyTuple_GetItem(recipe, PLAIN_RESULT_CODE);

  call->given.options.result_dtype =
      code == Py_None ? state->result_codes[call->plain.input.tensor.dtype][call->weight.tensor.dtype]
                      : (sc_dtype)PyLong_AsLong(code);
}

static int read_operands(const native_state *state, function_call *call, PyObject *recipe, PyObject *const *operands) {
  enum { INPUT, WEIGHT, BIAS };
  sc_conv *options = &call->given.options;

  if (options->per_sample ||
      plain_input_read(state, &call->plain, recipe, options->spatial_ndim, operands[INPUT]) != 0 ||
      plain_operand_read(state, &call->weight, operands[WEIGHT], options->spatial_ndim + 2) != 0)
    return -1;
  set_result_dtype(state, call, recipe);
  if (!plain_clamp(options))
    return -1;
  call->has_bias = operands[BIAS] != Py_None;
  if (call->has_bias && (plain_operand_read(state, &call->bias, operands[BIAS], 1) != 0 ||
                         call->bias.tensor.dtype != options->result_dtype))
    return -1;
  return plain_reorder_array(&call->weight, PyTuple_GetItem(recipe, PLAIN_WEIGHT_AXES)) == 0
             ? plain_pad_same(&call->plain, call->weight.shape + 2, &call->given)
             : -1;
}

/* What does not fit together is for Python to word. */
static PyObject *result_of(const native_state *state, function_call *call, PyObject *given) {
  int64_t shape[SC_MAX_DIMS];
  PyObject *result;
  sc_error error;

  if (call->core->conv_shape(&call->plain.input.tensor, &call->weight.tensor, &call->given.options, shape, &error) !=
          SC_OK ||
      (call->has_bias && call->bias.shape[0] != shape[1]))
    return NULL;
  result = plain_result(state, &call->plain, shape, 1, call->given.options.result_dtype, given);
  if (result != NULL && given != Py_None &&
      (!arrays_are_disjoint(&call->plain.out, &call->weight) ||
       (call->has_bias && !arrays_are_disjoint(&call->plain.out, &call->bias))))
    Py_CLEAR(result);
  return result;
}

PyObject *native_conv_plain(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { RECIPE, OPERANDS, OUT = OPERANDS + 3, THREADS, ARGUMENTS };
  const native_state *state = native_state_of(module);
  function_call call;
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
  call.core = &state->core;
  memset(&call.given.options, 0, sizeof(call.given.options)); /* all threads, no lists */
  if (conv_options_read(&call.given, PyTuple_GetItem(recipe, PLAIN_OPTIONS)) != 0)
    PyErr_Clear(); /* a number too large: Python words it */
  else if (read_threads(arguments[THREADS], &call.given.options.threads) == 0 &&
           read_operands(state, &call, recipe, arguments + OPERANDS) == 0 &&
           (result = result_of(state, &call, arguments[OUT])) != NULL) {
    status = run_interruptibly(run_function, &call, &error);
    if (status != SC_OK) {
      raise_conv_status(status, &error, call.given.names, &call.given.options);
      Py_CLEAR(result);
    }
    return result;
  }
  Py_RETURN_NOTIMPLEMENTED;
}

#include "conv_plan.h"

#include "arguments.h"
#include "buffers.h"
#include "conv_errors.h"
#include "conv_options.h"
#include "conv_plain.h"
#include "running.h"

#include <string.h>
#include <structmember.h>

/* The core's plan for one padding: that of 'same' depends on the input's extents. */
typedef struct padded_plan {
  struct padded_plan *next;
  sc_conv_plan *plan;
  int64_t low[SC_MAX_DIMS], high[SC_MAX_DIMS];
} padded_plan;

/* Immutable but for `plans`, which only grows, and only while the GIL is held. */
typedef struct conv_plan {
  PyObject_HEAD const native_state *state; /* alive as long as the type */
  PyObject *parts;                         /* what the Python class keeps */
  PyObject *recipe;                        /* of plain calls; None where there are none */
  PyObject *options;                       /* what `given` was read from and borrows names of */
  conv_options given;
  array_buffer weight, bias;
  int takes_any_dtype;   /* the dtype was asked for: inputs of all that cast to it are taken */
  int waits_for_extents; /* padding='same' */
  padded_plan *plans;
} conv_plan;

/* ---- The core's plans ---- */

static const sc_tensor *tensor_or_null(const array_buffer *buffer) { return buffer->held ? &buffer->tensor : NULL; }

/* Copies a list, of zeros where it is NULL. */
static void copy_padding(int64_t *target, const int64_t *list, int32_t count) {
  if (list != NULL)
    memcpy(target, list, (size_t)count * sizeof(*target));
  else
    memset(target, 0, (size_t)count * sizeof(*target));
}

static int has_padding(const int64_t *padding, const int64_t *list, int32_t count) {
  int32_t axis;

  for (axis = 0; axis < count && padding[axis] == (list != NULL ? list[axis] : 0); ++axis) {
  }
  return axis == count;
}

/* The core's plan for the padding in `options`, made where there is none yet; NULL with `*status` and `*error` set. */
static sc_conv_plan *plan_for(conv_plan *self, const sc_conv *options, sc_status *status, sc_error *error) {
  const int32_t count = options->spatial_ndim;
  padded_plan *found;

  for (found = self->plans; found != NULL; found = found->next) {
    if (has_padding(found->low, options->padding_low, count) && has_padding(found->high, options->padding_high, count))
      return found->plan;
  }
  found = PyMem_Malloc(sizeof(*found));
  if (found == NULL) {
    error->value = sizeof(*found);
    *status = SC_NO_MEMORY;
    return NULL;
  }
  *status = self->state->core.conv_plan_create(&self->weight.tensor, tensor_or_null(&self->bias), options, &found->plan,
                                               error);
  if (*status != SC_OK) {
    PyMem_Free(found);
    return NULL;
  }
  copy_padding(found->low, options->padding_low, count);
  copy_padding(found->high, options->padding_high, count);
  found->next = self->plans;
  self->plans = found;
  return found->plan;
}

typedef struct plan_run {
  const core_library *core;
  sc_conv_plan *plan;
  const sc_tensor *a, *out;
} plan_run;

static sc_status run_plan(const void *context, const sc_control *control, sc_error *error) {
  const plan_run *run = context;

  return run->core->conv_plan_run(run->plan, run->a, run->out, 0, control, error);
}

/* ---- Plain calls ---- */

static int dtype_is_plain(const conv_plan *self, const plain_array *input) {
  return self->takes_any_dtype ||
         self->state->result_codes[input->tensor.dtype][self->weight.tensor.dtype] == self->given.options.result_dtype;
}

/* The array to write to; NULL, with no exception set, where Python has to look at the call. */
static PyObject *result_of(conv_plan *self, plain_call *call, const sc_conv_plan *plan, PyObject *given) {
  const native_state *state = self->state;
  /* The core compares the shapes, but lets a transposed convolution's output be longer than asked for. */
  const int checks_shape = self->given.options.operation == SC_CONV_TRANSPOSED;
  int64_t shape[SC_MAX_DIMS];
  sc_error error;

  if ((given == Py_None || checks_shape) &&
      state->core.conv_plan_shape(plan, &call->input.tensor, shape, &error) != SC_OK)
    return NULL;
  return plain_result(state, call, shape, checks_shape, self->given.options.result_dtype, given);
}

/* The result, or NULL: with no exception set where Python has to look at the call. */
static PyObject *run_plain(conv_plan *self, PyObject *input, PyObject *given) {
  plain_call call;
  plan_run run = {.core = &self->state->core, .a = &call.input.tensor, .out = &call.out.tensor};
  conv_options padded;
  PyObject *result;
  sc_error error;
  sc_status status;

  if (self->recipe == Py_None ||
      plain_input_read(self->state, &call, self->recipe, self->given.options.spatial_ndim, input) != 0 ||
      !dtype_is_plain(self, &call.input))
    return NULL;
  if (self->waits_for_extents) {
    padded.options = self->given.options;
    if (plain_pad_same(&call, self->weight.tensor.shape + self->weight.tensor.ndim - padded.options.spatial_ndim,
                       &padded) != 0)
      return NULL;
  }
  run.plan = plan_for(self, self->waits_for_extents ? &padded.options : &self->given.options, &status, &error);
  result = run.plan == NULL ? NULL : result_of(self, &call, run.plan, given);
  if (result == NULL)
    return NULL;
  status = run_interruptibly(run_plan, &run, &error);
  if (status == SC_OK)
    return result;
  if (status == SC_NO_MEMORY || status == SC_INTERRUPTED)
    raise_conv_status(status, &error, self->given.names, &self->given.options);
  Py_DECREF(result);
  return NULL;
}

/* (input) or (input, out), out also by its name. Returns -1 for a call that is not plainly right. */
static int bind(const native_state *state, PyObject *arguments, PyObject *names, PyObject **input, PyObject **out) {
  const Py_ssize_t count = PyTuple_Size(arguments), named = names == NULL ? 0 : PyDict_Size(names);

  if (count < 1 || count + named > 2)
    return -1;
  *input = PyTuple_GetItem(arguments, 0);
  *out = count > 1 ? PyTuple_GetItem(arguments, 1) : Py_None;
  if (named > 0)
    *out = PyDict_GetItemWithError(names, state->out);
  return *out == NULL ? -1 : 0;
}

static PyObject *plan_call(PyObject *object, PyObject *arguments, PyObject *names) {
  conv_plan *self = (conv_plan *)object;
  PyObject *input, *out, *general, *result = NULL;

  if (bind(self->state, arguments, names, &input, &out) == 0)
    result = run_plain(self, input, out);
  if (result != NULL || PyErr_Occurred())
    return result;
  general = PyObject_GetAttr(object, self->state->run_general);
  if (general != NULL)
    result = PyObject_Call(general, arguments, names);
  Py_XDECREF(general);
  return result;
}

/* ---- All other calls ---- */

/* Arrays and padding that Python has normalised: (a, a_code, out, out_code, byteswapped, options). */
typedef struct plan_call_arguments {
  array_buffer a, out;
  conv_options given;
} plan_call_arguments;

enum { BYTESWAPPED_A = 1, BYTESWAPPED_OUT = 2 };
enum { RUN_A, RUN_A_CODE, RUN_OUT, RUN_OUT_CODE, RUN_BYTESWAPPED, RUN_OPTIONS, RUN_ARGUMENTS };

static int read_arguments(const conv_plan *self, plan_call_arguments *call, PyObject *const *arguments, int writes) {
  int32_t a_code, out_code, byteswapped;

  memset(&call->given.options, 0, sizeof(call->given.options));
  if (conv_options_read(&call->given, arguments[RUN_OPTIONS]) != 0 ||
      int32_value(arguments[RUN_A_CODE], "a_code", &a_code) != 0 ||
      int32_value(arguments[RUN_OUT_CODE], "out_code", &out_code) != 0 ||
      int32_value(arguments[RUN_BYTESWAPPED], "byteswapped", &byteswapped) != 0 ||
      array_buffer_acquire(&call->a, arguments[RUN_A], a_code, byteswapped & BYTESWAPPED_A, 0) != 0)
    return -1;
  call->given.options.result_dtype = self->given.options.result_dtype;
  call->given.options.threads = self->given.options.threads;
  return array_buffer_acquire(&call->out, arguments[RUN_OUT], out_code, byteswapped & BYTESWAPPED_OUT, writes);
}

static void release_arguments(plan_call_arguments *call) {
  array_buffer_release(&call->out);
  array_buffer_release(&call->a);
}

/* Runs the plan, or packs its filter for such arrays, whose data is not touched. */
static PyObject *run_general(conv_plan *self, PyObject *const *arguments, Py_ssize_t count, int packs) {
  plan_call_arguments call = {.a = {.held = 0}};
  plan_run run = {.core = &self->state->core, .a = &call.a.tensor, .out = &call.out.tensor};
  PyObject *result = NULL;
  sc_error error;
  sc_status status;

  if (!takes(packs ? "_pack" : "_run", count, RUN_ARGUMENTS))
    goto cleanup;
  if (!self->weight.held) {
    PyErr_SetString(PyExc_TypeError, "the plan's dtypes are NumPy's: expected a call that the core takes no part in");
    goto cleanup;
  }
  if (read_arguments(self, &call, arguments, !packs) != 0)
    goto cleanup;
  run.plan = plan_for(self, &call.given.options, &status, &error);
  if (run.plan != NULL)
    status = packs ? run.core->conv_plan_prepare(run.plan, run.a, run.out, &error)
                   : run_interruptibly(run_plan, &run, &error);
  if (status != SC_OK) {
    raise_conv_status(status, &error, call.given.names, &call.given.options);
    goto cleanup;
  }
  result = Py_None;
  Py_INCREF(result);

cleanup:
  release_arguments(&call);
  return result;
}

static PyObject *plan_run_method(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
  return run_general((conv_plan *)self, arguments, count, 0);
}

static PyObject *plan_pack_method(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
  return run_general((conv_plan *)self, arguments, count, 1);
}

static PyObject *plan_packed_bytes(PyObject *object, PyObject *unused) {
  const conv_plan *self = (const conv_plan *)object;
  const padded_plan *plan;
  int64_t total = 0;

  (void)unused;
  for (plan = self->plans; plan != NULL; plan = plan->next)
    total += self->state->core.conv_plan_bytes(plan->plan);
  return PyLong_FromLongLong(total);
}

/* ---- Its life ---- */

/* The module's state, by way of the type that the module made: Python's classes derive from it. */
static const native_state *state_of(PyTypeObject *type) {
  void *state;

  for (; type != NULL; type = (PyTypeObject *)PyType_GetSlot(type, Py_tp_base)) {
    state = PyType_GetModuleState(type);
    if (state != NULL)
      return state;
    PyErr_Clear();
    if (!(PyType_GetFlags(type) & Py_TPFLAGS_HEAPTYPE))
      break;
  }
  PyErr_SetString(PyExc_TypeError, "expected a class derived from swiftconv's plans");
  return NULL;
}

enum {
  NEW_PARTS,
  NEW_RECIPE,
  NEW_OPTIONS,
  NEW_WEIGHT,
  NEW_WEIGHT_CODE,
  NEW_BIAS,
  NEW_RESULT_CODE,
  NEW_THREADS,
  NEW_TAKES_ANY_DTYPE,
  NEW_ARGUMENTS
};

static int read_new(conv_plan *self, PyObject *arguments) {
  PyObject *recipe = PyTuple_GetItem(arguments, NEW_RECIPE), *bias = PyTuple_GetItem(arguments, NEW_BIAS);
  int32_t weight_code;

  if (recipe != Py_None && (!PyTuple_Check(recipe) || PyTuple_Size(recipe) != PLAIN_ENTRIES)) {
    PyErr_Format(PyExc_TypeError, "recipe=%R: expected None or a tuple of %d entries", recipe, (int)PLAIN_ENTRIES);
    return -1;
  }
  self->parts = PyTuple_GetItem(arguments, NEW_PARTS);
  Py_INCREF(self->parts);
  self->recipe = recipe;
  Py_INCREF(self->recipe);
  self->waits_for_extents = recipe != Py_None && PyLong_AsLong(PyTuple_GetItem(recipe, PLAIN_SAME)) != 0;
  self->options = PyTuple_GetItem(arguments, NEW_OPTIONS);
  Py_INCREF(self->options);
  if (self->options == Py_None) /* for dtypes that are NumPy's: nothing will reach the core */
    return 0;
  if (conv_options_read(&self->given, self->options) != 0 ||
      int32_value(PyTuple_GetItem(arguments, NEW_WEIGHT_CODE), "weight_code", &weight_code) != 0 ||
      int32_value(PyTuple_GetItem(arguments, NEW_RESULT_CODE), "result_code", &self->given.options.result_dtype) != 0 ||
      int32_value(PyTuple_GetItem(arguments, NEW_THREADS), "threads", &self->given.options.threads) != 0 ||
      array_buffer_acquire(&self->weight, PyTuple_GetItem(arguments, NEW_WEIGHT), weight_code, 0, 0) != 0)
    return -1;
  self->takes_any_dtype = PyTuple_GetItem(arguments, NEW_TAKES_ANY_DTYPE) == Py_True;
  return bias == Py_None ? 0 : array_buffer_acquire(&self->bias, bias, self->given.options.result_dtype, 0, 0);
}

static PyObject *plan_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
  const native_state *state = state_of(type);
  allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
  conv_plan *self;

  if (state == NULL)
    return NULL;
  if (names != NULL || PyTuple_Size(arguments) != NEW_ARGUMENTS) {
    PyErr_Format(PyExc_TypeError, "%s: expected %d arguments, none by name", "ConvolutionPlan", (int)NEW_ARGUMENTS);
    return NULL;
  }
  self = (conv_plan *)allocate(type, 0);
  if (self == NULL)
    return NULL;
  self->state = state; /* the rest is zero */
  if (read_new(self, arguments) != 0)
    Py_CLEAR(self);
  return (PyObject *)self;
}

static void plan_dealloc(PyObject *object) {
  conv_plan *self = (conv_plan *)object;
  PyTypeObject *type = Py_TYPE(object);
  padded_plan *plan, *next;

  for (plan = self->plans; plan != NULL; plan = next) {
    next = plan->next;
    self->state->core.conv_plan_destroy(plan->plan);
    PyMem_Free(plan);
  }
  array_buffer_release(&self->bias);
  array_buffer_release(&self->weight);
  Py_XDECREF(self->options);
  Py_XDECREF(self->recipe);
  Py_XDECREF(self->parts);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
  Py_DECREF(type);
}

#define FASTCALL(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
    {"_run", FASTCALL(plan_run_method), METH_FASTCALL, "Run the plan on normalised arrays."},
    {"_pack", FASTCALL(plan_pack_method), METH_FASTCALL, "Pack the filter for arrays that lie like these."},
    {"_packed_bytes", plan_packed_bytes, METH_NOARGS, "Bytes of the packed filters."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"_parts", T_OBJECT_EX, offsetof(conv_plan, parts), READONLY, "What the Python class keeps."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, (void *)plan_new},   {Py_tp_dealloc, (void *)plan_dealloc},
    {Py_tp_call, (void *)plan_call}, {Py_tp_methods, methods},
    {Py_tp_members, members},        {0, NULL},
};

static PyType_Spec specification = {
    .name = "swiftconv._native.ConvolutionPlan",
    .basicsize = sizeof(conv_plan),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

int add_conv_plan_type(PyObject *module) {
  PyObject *type = PyType_FromModuleAndSpec(module, &specification, NULL);
  int result;

  if (type == NULL)
    return -1;
  result = PyModule_AddType(module, (PyTypeObject *)type);
  Py_DECREF(type);
  return result;
}

/* module.c: the module swiftconv._native: its methods, its state, its start. */
#include "native.h"

#include "arguments.h"
#include "conv.h"
#include "conv_plan.h"
#include "einsum.h"
#include "einsum_function.h"
#include "isa_level.h"
#include "matrix.h"
#include "patches.h"
#include "pool.h"
#include "sliding.h"
#include "sliding_function.h"
#include "toeplitz.h"

#include <string.h>

static void keep(PyObject **slot, PyObject *object) {
  PyObject *old = *slot;

  Py_INCREF(object);
  *slot = object;
  Py_XDECREF(old);
}

static PyObject *native_initialize(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { NDARRAY, EMPTY, DTYPES, RESULT_CODES, MODES, BOUNDARIES, METHODS, ARGUMENTS };
  native_state *state = native_state_of(module);
  const Py_ssize_t pairs = sizeof(state->result_codes);
  int code;

  if (count != ARGUMENTS || !PyType_Check(arguments[NDARRAY]) || !PyTuple_Check(arguments[DTYPES]) ||
      PyTuple_Size(arguments[DTYPES]) != NATIVE_DTYPES || !PyBytes_Check(arguments[RESULT_CODES]) ||
      PyBytes_Size(arguments[RESULT_CODES]) != pairs || !PyDict_Check(arguments[MODES]) ||
      !PyDict_Check(arguments[BOUNDARIES]) || !PyDict_Check(arguments[METHODS])) {
    PyErr_Format(PyExc_TypeError,
                 "initialize: expected numpy.ndarray, numpy.empty, a tuple of %d dtypes, %zd bytes and three dicts",
                 NATIVE_DTYPES, pairs);
    return NULL;
  }
  keep((PyObject **)&state->ndarray, arguments[NDARRAY]);
  keep(&state->empty, arguments[EMPTY]);
  for (code = 0; code < NATIVE_DTYPES; ++code)
    keep(&state->dtypes[code], PyTuple_GetItem(arguments[DTYPES], code));
  memcpy(state->result_codes, PyBytes_AsString(arguments[RESULT_CODES]), (size_t)pairs);
  keep(&state->mode_codes, arguments[MODES]);
  keep(&state->boundary_codes, arguments[BOUNDARIES]);
  keep(&state->method_codes, arguments[METHODS]);
  Py_RETURN_NONE;
}

static PyObject *native_get_num_threads(PyObject *module, PyObject *unused) {
  (void)unused;
  return PyLong_FromLong(native_state_of(module)->core.get_num_threads());
}

static PyObject *native_set_num_threads(PyObject *module, PyObject *number) {
  int32_t value;

  if (int32_value(number, "n", &value) != 0)
    return NULL;
  return PyLong_FromLong(native_state_of(module)->core.set_num_threads(value));
}

static PyObject *native_isa(PyObject *module, PyObject *unused) {
  (void)unused;
  return PyUnicode_FromString(native_state_of(module)->core.isa());
}

static PyObject *native_cpu_isa(PyObject *module, PyObject *unused) {
  (void)module;
  (void)unused;
  return PyUnicode_FromString(isa_level_names[isa_level_of_cpu()]);
}

static PyObject *native_core_path(PyObject *module, PyObject *unused) {
  PyObject *path = native_state_of(module)->core.path;

  (void)unused;
  Py_INCREF(path);
  return path;
}

#define FASTCALL(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
    {"initialize", FASTCALL(native_initialize), METH_FASTCALL, "Take what plain calls need of NumPy and Python."},
    {"sliding_function", FASTCALL(native_sliding_function), METH_FASTCALL, "A public function around its definition."},
    {"slide", FASTCALL(native_slide), METH_FASTCALL, "Run a call on normalised arguments."},
    {"slide_shape", FASTCALL(native_slide_shape), METH_FASTCALL, "Validate a call; the shape of its result."},
    {"slide_explain", FASTCALL(native_slide_explain), METH_FASTCALL, "What slide would do, as a dict."},
    {"conv_plain", FASTCALL(native_conv_plain), METH_FASTCALL, "Run a plain convolution with channels."},
    {"conv", FASTCALL(native_conv), METH_FASTCALL, "Run a convolution with channels on normalised arguments."},
    {"conv_shape", FASTCALL(native_conv_shape), METH_FASTCALL, "Validate one; the shape of its result."},
    {"conv_explain", FASTCALL(native_conv_explain), METH_FASTCALL, "What conv would do, as a dict."},
    {"patches_shape", FASTCALL(native_patches_shape), METH_FASTCALL, "Validate a cut into patches; their shape."},
    {"patches_gather", FASTCALL(native_patches_gather), METH_FASTCALL, "Copy windows to patches."},
    {"patches_scatter", FASTCALL(native_patches_scatter), METH_FASTCALL, "Add patches up."},
    {"pool", FASTCALL(native_pool), METH_FASTCALL, "Run a pool on normalised arguments."},
    {"pool_shape", FASTCALL(native_pool_shape), METH_FASTCALL, "Validate a pool; the shape of its result."},
    {"einsum_function", FASTCALL(native_einsum_function), METH_FASTCALL, "einsum around its definition."},
    {"contract", FASTCALL(native_contract), METH_FASTCALL, "Run a contraction on normalised arguments."},
    {"contract_explain", FASTCALL(native_contract_explain), METH_FASTCALL, "What contract would do, as a dict."},
    {"slide_axes", FASTCALL(native_slide_axes), METH_FASTCALL, "Validate a call; where its windows lie."},
    {"matrix_count", FASTCALL(native_matrix_count), METH_FASTCALL, "The size of a convolution's matrix."},
    {"matrix_compressed", FASTCALL(native_matrix_compressed), METH_FASTCALL, "Write it by rows or columns."},
    {"matrix_dense", FASTCALL(native_matrix_dense), METH_FASTCALL, "Write it into an array of zeros."},
    {"matrix_blocks", FASTCALL(native_matrix_blocks), METH_FASTCALL, "Write it in blocks of its last axis."},
    {"toeplitz_solve", FASTCALL(native_toeplitz_solve), METH_FASTCALL, "Solve a Toeplitz system."},
    {"get_num_threads", native_get_num_threads, METH_NOARGS, "Threads that a call uses unless it says otherwise."},
    {"set_num_threads", native_set_num_threads, METH_O, "Set that number, 0 for the default; the old number."},
    {"isa", native_isa, METH_NOARGS, "ISA level of the core that is open."},
    {"cpu_isa", native_cpu_isa, METH_NOARGS, "Best ISA level that this CPU supports."},
    {"core_path", native_core_path, METH_NOARGS, "Path of the core that is open."},
    {NULL, NULL, 0, NULL},
};

static int make_default_objects(native_state *state) {
  state->zero = PyLong_FromLong(0);
  state->one = PyLong_FromLong(1);
  state->fill = PyUnicode_InternFromString("fill");
  state->automatic = PyUnicode_InternFromString("auto");
  state->out = PyUnicode_InternFromString("out");
  state->optimize = PyUnicode_InternFromString("optimize");
  state->run_general = PyUnicode_InternFromString("_run_general");
  return PyErr_Occurred() ? -1 : 0;
}

static int execute(PyObject *module) {
  native_state *state = native_state_of(module);
  PyObject *file;
  int result;

  if (make_default_objects(state) != 0)
    return -1;
  file = PyModule_GetFilenameObject(module);
  if (file == NULL)
    return -1;
  result = core_library_open(&state->core, file);
  Py_DECREF(file);
  return result == 0 ? add_conv_plan_type(module) : result;
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
  native_state *state = native_state_of(module);
  int code;

  Py_VISIT((PyObject *)state->ndarray);
  Py_VISIT(state->empty);
  for (code = 0; code < NATIVE_DTYPES; ++code)
    Py_VISIT(state->dtypes[code]);
  Py_VISIT(state->mode_codes);
  Py_VISIT(state->boundary_codes);
  Py_VISIT(state->method_codes);
  Py_VISIT(state->functions[SC_CORRELATE].function);
  Py_VISIT(state->functions[SC_CONVOLVE].function);
  Py_VISIT(state->einsum.function);
  Py_VISIT(state->einsum.recipes);
  Py_VISIT(state->einsum.numpy_einsum);
  return 0;
}

static void clear_function(sliding_function *function) {
  int index;

  Py_CLEAR(function->function);
  Py_CLEAR(function->docstring);
  for (index = 0; index < SLIDING_ARGUMENTS; ++index) {
    Py_CLEAR(function->names[index]);
    Py_CLEAR(function->defaults[index]);
  }
}

static int clear(PyObject *module) {
  native_state *state = native_state_of(module);
  PyObject *ndarray = (PyObject *)state->ndarray;
  int index;

  state->ndarray = NULL;
  Py_XDECREF(ndarray);
  Py_CLEAR(state->empty);
  for (index = 0; index < NATIVE_DTYPES; ++index)
    Py_CLEAR(state->dtypes[index]);
  Py_CLEAR(state->mode_codes);
  Py_CLEAR(state->boundary_codes);
  Py_CLEAR(state->method_codes);
  Py_CLEAR(state->zero);
  Py_CLEAR(state->one);
  Py_CLEAR(state->fill);
  Py_CLEAR(state->automatic);
  Py_CLEAR(state->out);
  Py_CLEAR(state->optimize);
  Py_CLEAR(state->run_general);
  clear_function(&state->functions[SC_CORRELATE]);
  clear_function(&state->functions[SC_CONVOLVE]);
  Py_CLEAR(state->einsum.function);
  Py_CLEAR(state->einsum.docstring);
  Py_CLEAR(state->einsum.recipes);
  Py_CLEAR(state->einsum.numpy_einsum);
  Py_CLEAR(state->einsum.no_index);
  return 0;
}

static void release(void *module) {
  clear((PyObject *)module);
  Py_CLEAR(native_state_of((PyObject *)module)->core.path);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "swiftconv._native",
    .m_doc = "The bridge from Python to swiftconv's core.",
    .m_size = sizeof(native_state),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = release,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }

/* module.c: the module swiftconv._native: its methods, its state, its start. */
#include "native.h"

#include "buffers.h"
#include "isa_level.h"
#include "sliding.h"

static PyObject *native_initialize(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  native_state *state = native_state_of(module);
  PyObject *dtype;
  int code;

  if (count != 3 || !PyType_Check(arguments[0]) || !PyTuple_Check(arguments[2]) ||
      PyTuple_Size(arguments[2]) != NATIVE_DTYPES) {
    PyErr_Format(PyExc_TypeError, "initialize: expected numpy.ndarray, numpy.empty and a tuple of %d dtypes",
                 NATIVE_DTYPES);
    return NULL;
  }
  Py_INCREF(arguments[0]);
  Py_XDECREF((PyObject *)state->ndarray);
  state->ndarray = (PyTypeObject *)arguments[0];
  Py_INCREF(arguments[1]);
  Py_XDECREF(state->empty);
  state->empty = arguments[1];
  for (code = 0; code < NATIVE_DTYPES; ++code) {
    dtype = PyTuple_GetItem(arguments[2], code);
    Py_INCREF(dtype);
    Py_XDECREF(state->dtypes[code]);
    state->dtypes[code] = dtype;
  }
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
    {"initialize", FASTCALL(native_initialize), METH_FASTCALL, "Take numpy.ndarray, numpy.empty and the dtypes."},
    {"slide_default", FASTCALL(native_slide_default), METH_FASTCALL, "Run a call with default options, or decline."},
    {"slide", FASTCALL(native_slide), METH_FASTCALL, "Run a call on normalised arguments."},
    {"slide_shape", FASTCALL(native_slide_shape), METH_FASTCALL, "Validate a call; the shape of its result."},
    {"slide_explain", FASTCALL(native_slide_explain), METH_FASTCALL, "What slide would do, as a dict."},
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
  state->dtype_name = PyUnicode_InternFromString("dtype");
  state->modes[SC_MODE_VALID] = PyUnicode_InternFromString("valid");
  state->modes[SC_MODE_SAME] = PyUnicode_InternFromString("same");
  state->modes[SC_MODE_FULL] = PyUnicode_InternFromString("full");
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
  return result;
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
  native_state *state = native_state_of(module);
  int code;

  Py_VISIT((PyObject *)state->ndarray);
  Py_VISIT(state->empty);
  for (code = 0; code < NATIVE_DTYPES; ++code)
    Py_VISIT(state->dtypes[code]);
  return 0;
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
  Py_CLEAR(state->zero);
  Py_CLEAR(state->one);
  Py_CLEAR(state->fill);
  Py_CLEAR(state->automatic);
  Py_CLEAR(state->dtype_name);
  for (index = 0; index < 3; ++index)
    Py_CLEAR(state->modes[index]);
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

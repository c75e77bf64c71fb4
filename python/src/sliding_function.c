#include "sliding_function.h"

#include "forwarding.h"
#include "sliding.h"

#include <string.h>

static Py_ssize_t index_of_name(const sliding_function *function, PyObject *name) {
  Py_ssize_t index;

  /* Names in calls are interned, so they are the same objects; others are the function's to judge. */
  for (index = 0; index < SLIDING_ARGUMENTS && function->names[index] != name; ++index) {
  }
  return index < SLIDING_ARGUMENTS ? index : -1;
}

/* Puts each argument into its place. Returns -1, with no exception set, for a call that is not plainly right. */
static int bind(const sliding_function *function, PyObject *const *arguments, Py_ssize_t positional, PyObject *names,
                PyObject **bound) {
  Py_ssize_t named = names == NULL ? 0 : PyTuple_Size(names), index, place;

  if (positional > SLIDING_POSITIONAL)
    return -1;
  memset(bound, 0, SLIDING_ARGUMENTS * sizeof(*bound));
  for (index = 0; index < positional; ++index)
    bound[index] = arguments[index];
  for (index = 0; index < named; ++index) {
    place = index_of_name(function, PyTuple_GetItem(names, index));
    if (place < 0 || bound[place] != NULL)
      return -1;
    bound[place] = arguments[positional + index];
  }
  for (index = 0; index < SLIDING_ARGUMENTS; ++index) {
    if (bound[index] == NULL)
      bound[index] = function->defaults[index];
    if (bound[index] == NULL)
      return -1;
  }
  return 0;
}

static PyObject *call(PyObject *module, int32_t operation, PyObject *const *arguments, Py_ssize_t positional,
                      PyObject *names) {
  const native_state *state = native_state_of(module);
  const sliding_function *function = &state->functions[operation];
  PyObject *bound[SLIDING_ARGUMENTS];
  PyObject *result;

  if (bind(function, arguments, positional, names, bound) == 0) {
    result = slide_plain(state, operation, bound);
    if (result != Py_NotImplemented)
      return result;
    Py_DECREF(result);
  }
  return call_python(function->function, arguments, positional, names);
}

static PyObject *correlate(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  return call(module, SC_CORRELATE, arguments, count, names);
}

static PyObject *convolve(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  return call(module, SC_CONVOLVE, arguments, count, names);
}

/* The parameters' names from the code object, the defaults of the positional and of the named ones. */
static int read_signature(sliding_function *made, PyObject *function) {
  PyObject *code = PyObject_GetAttrString(function, "__code__");
  PyObject *names = code == NULL ? NULL : PyObject_GetAttrString(code, "co_varnames");
  PyObject *positional = PyObject_GetAttrString(function, "__defaults__");
  PyObject *named = PyObject_GetAttrString(function, "__kwdefaults__");
  Py_ssize_t index, first;
  int result = -1;

  if (names == NULL || positional == NULL || named == NULL || !PyTuple_Check(positional) || !PyDict_Check(named) ||
      PyTuple_Size(names) < SLIDING_ARGUMENTS)
    goto cleanup;
  first = SLIDING_POSITIONAL - PyTuple_Size(positional);
  for (index = 0; index < SLIDING_ARGUMENTS; ++index) {
    made->names[index] = PyTuple_GetItem(names, index);
    made->defaults[index] = index >= SLIDING_POSITIONAL ? PyDict_GetItemWithError(named, made->names[index])
                            : index >= first            ? PyTuple_GetItem(positional, index - first)
                                                        : NULL;
    Py_XINCREF(made->names[index]);
    Py_XINCREF(made->defaults[index]);
  }
  result = PyErr_Occurred() ? -1 : 0;
cleanup:
  Py_XDECREF(code);
  Py_XDECREF(names);
  Py_XDECREF(positional);
  Py_XDECREF(named);
  return result;
}

PyObject *native_sliding_function(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { OPERATION, FUNCTION, DOCSTRING, ARGUMENTS };
  sliding_function *made;
  long operation;

  if (count != ARGUMENTS || !PyLong_Check(arguments[OPERATION]) || !PyBytes_Check(arguments[DOCSTRING])) {
    PyErr_SetString(PyExc_TypeError, "sliding_function: expected an operation, a function and a docstring as bytes");
    return NULL;
  }
  operation = PyLong_AsLong(arguments[OPERATION]);
  if (operation != SC_CORRELATE && operation != SC_CONVOLVE) {
    PyErr_Format(PyExc_ValueError, "operation=%R: expected correlate's or convolve's", arguments[OPERATION]);
    return NULL;
  }
  made = &native_state_of(module)->functions[operation];
  if (made->function != NULL) {
    PyErr_Format(PyExc_RuntimeError, "operation=%R has its function already", arguments[OPERATION]);
    return NULL;
  }
  if (read_signature(made, arguments[FUNCTION]) != 0) {
    if (!PyErr_Occurred())
      PyErr_SetString(PyExc_TypeError, "sliding_function: the function's signature is not correlate's");
    return NULL;
  }
  made->function = arguments[FUNCTION];
  made->docstring = arguments[DOCSTRING];
  Py_INCREF(made->function);
  Py_INCREF(made->docstring);
  made->definition.ml_name = operation == SC_CORRELATE ? "correlate" : "convolve";
  made->definition.ml_doc = PyBytes_AsString(made->docstring);
  made->definition.ml_meth = (PyCFunction)(void (*)(void))(operation == SC_CORRELATE ? correlate : convolve);
  made->definition.ml_flags = METH_FASTCALL | METH_KEYWORDS;
  return builtin_for(module, &made->definition, made->function);
}

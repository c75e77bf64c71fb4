#include "einsum_function.h"

#include "einsum.h"
#include "forwarding.h"

/* What out= holds, None without it; NULL where a keyword asks for something else, which Python has to look at. */
static PyObject *plain_keywords(const native_state *state, PyObject *const *arguments, Py_ssize_t count,
                                PyObject *names) {
  const Py_ssize_t named = names == NULL ? 0 : PyTuple_Size(names);
  PyObject *given = Py_None, *name, *value;
  Py_ssize_t index;

  for (index = 0; index < named; ++index) {
    /* Names in calls are interned, so they are the same objects; others are the function's to judge. */
    name = PyTuple_GetItem(names, index);
    value = arguments[count + index];
    if (name == state->out)
      given = value;
    else if (name != state->optimize || !(value == Py_False || (value == Py_True && count <= 3)))
      return NULL; /* of one or two operands every path is the same */
  }
  return given;
}

static PyObject *einsum(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
  const native_state *state = native_state_of(module);
  PyObject *given = plain_keywords(state, arguments, count, names), *result;

  if (given != NULL) {
    result = count > 1 && Py_TYPE(arguments[0]) == state->ndarray ? einsum_plain_lists(state, arguments, count, given)
                                                                  : einsum_plain(state, arguments, count, given);
    if (result != Py_NotImplemented)
      return result;
    Py_DECREF(result);
  }
  return call_python(state->einsum.function, arguments, count, names);
}

PyObject *native_einsum_function(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { FUNCTION, DOCSTRING, RECIPES, NUMPY_EINSUM, ARGUMENTS };
  einsum_function *made = &native_state_of(module)->einsum;

  if (count != ARGUMENTS || !PyBytes_Check(arguments[DOCSTRING]) || !PyDict_Check(arguments[RECIPES])) {
    PyErr_SetString(PyExc_TypeError,
                    "einsum_function: expected a function, a docstring as bytes, a dict and numpy.einsum");
    return NULL;
  }
  if (made->function != NULL) {
    PyErr_SetString(PyExc_RuntimeError, "einsum has its function already");
    return NULL;
  }
  made->no_index = PyTuple_New(0);
  if (made->no_index == NULL)
    return NULL;
  made->function = arguments[FUNCTION];
  made->docstring = arguments[DOCSTRING];
  made->recipes = arguments[RECIPES];
  made->numpy_einsum = arguments[NUMPY_EINSUM];
  Py_INCREF(made->function);
  Py_INCREF(made->docstring);
  Py_INCREF(made->recipes);
  Py_INCREF(made->numpy_einsum);
  made->definition.ml_name = "einsum";
  made->definition.ml_doc = PyBytes_AsString(made->docstring);
  made->definition.ml_meth = (PyCFunction)(void (*)(void))einsum;
  made->definition.ml_flags = METH_FASTCALL | METH_KEYWORDS;
  return builtin_for(module, &made->definition, made->function);
}

#include "forwarding.h"

PyObject *call_python(PyObject *function, PyObject *const *arguments, Py_ssize_t positional, PyObject *names) {
  Py_ssize_t named = names == NULL ? 0 : PyTuple_Size(names), index;
  PyObject *tuple = PyTuple_New(positional), *keywords = PyDict_New(), *result = NULL;

  if (tuple == NULL || keywords == NULL)
    goto cleanup;
  for (index = 0; index < positional; ++index) {
    Py_INCREF(arguments[index]);
    PyTuple_SetItem(tuple, index, arguments[index]);
  }
  for (index = 0; index < named; ++index) {
    if (PyDict_SetItem(keywords, PyTuple_GetItem(names, index), arguments[positional + index]) != 0)
      goto cleanup;
  }
  result = PyObject_Call(function, tuple, keywords);
cleanup:
  Py_XDECREF(tuple);
  Py_XDECREF(keywords);
  return result;
}

PyObject *builtin_for(PyObject *module, PyMethodDef *definition, PyObject *function) {
  PyObject *name = PyObject_GetAttrString(function, "__module__"), *result;

  if (name == NULL)
    return NULL;
  result = PyCFunction_NewEx(definition, module, name);
  Py_DECREF(name);
  return result;
}

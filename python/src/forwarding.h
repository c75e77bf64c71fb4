/* forwarding.h: calls that a builtin hands on to the Python function around which it was made. */
#ifndef SWIFTCONV_FORWARDING_H
#define SWIFTCONV_FORWARDING_H

#include <Python.h>

/* Calls the function with METH_FASTCALL | METH_KEYWORDS's arguments. */
PyObject *call_python(PyObject *function, PyObject *const *arguments, Py_ssize_t positional, PyObject *names);
/* The builtin of a definition that stands in for the function: bound to the module, and named after the function's, so
 * that it is pickled by its name. The definition outlives it. */
PyObject *builtin_for(PyObject *module, PyMethodDef *definition, PyObject *function);

#endif

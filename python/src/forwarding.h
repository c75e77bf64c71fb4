/* forwarding.h: calls that a builtin hands on to the Python function around which it was made. */
#ifndef SWIFTCONV_FORWARDING_H
#define SWIFTCONV_FORWARDING_H

#include <Python.h>

/* Calls the function with METH_FASTCALL | METH_KEYWORDS's arguments. */
PyObject *call_python(PyObject *function, PyObject *const *arguments, Py_ssize_t positional, PyObject *names);

#endif

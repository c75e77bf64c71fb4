/* einsum_function.h: einsum as a builtin: plain calls run in C, every other call gets to the Python function. */
#ifndef SWIFTCONV_EINSUM_FUNCTION_H
#define SWIFTCONV_EINSUM_FUNCTION_H

#include "native.h"

PyObject *native_einsum_function(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif

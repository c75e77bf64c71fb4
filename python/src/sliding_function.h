/* sliding_function.h: the public functions correlate and convolve, as builtins around their Python definitions. */
#ifndef SWIFTCONV_SLIDING_FUNCTION_H
#define SWIFTCONV_SLIDING_FUNCTION_H

#include "native.h"

/* sliding_function(operation, function, docstring): a builtin with the function's signature that runs plain calls
 * itself and hands every other one to the function. The docstring begins with the signature, as builtins have it. */
PyObject *native_sliding_function(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif

/* toeplitz.h: Toeplitz systems, as Python calls them: see python/swiftconv/_native.pyi for the signature. */
#ifndef SWIFTCONV_TOEPLITZ_H
#define SWIFTCONV_TOEPLITZ_H

#include "native.h"

PyObject *native_toeplitz_solve(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif

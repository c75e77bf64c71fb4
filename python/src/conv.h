/* conv.h: convolutions with channels as Python calls them: see python/swiftconv/_native.pyi for the signatures. */
#ifndef SWIFTCONV_CONV_H
#define SWIFTCONV_CONV_H

#include "native.h"

/* conv_function.c: the call on plain arrays with a recipe's options, or NotImplemented. */
PyObject *native_conv_plain(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

/* conv.c: every call, on arguments that Python has normalised. */
PyObject *native_conv(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_conv_shape(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_conv_explain(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif

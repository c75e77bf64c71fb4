/* conv.h: convolutions with channels as Python calls them: see python/swiftconv/_native.pyi for the signatures. */
#ifndef SWIFTCONV_CONV_H
#define SWIFTCONV_CONV_H

#include "native.h"

PyObject *native_conv(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_conv_shape(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_conv_explain(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif

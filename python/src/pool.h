/* pool.h: pooling as Python calls it: see python/swiftconv/_native.pyi for the signatures. */
#ifndef SWIFTCONV_POOL_H
#define SWIFTCONV_POOL_H

#include "native.h"

PyObject *native_pool(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_pool_shape(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif

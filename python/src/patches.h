/* patches.h: windows to patches and back, as Python calls them: see python/swiftconv/_native.pyi for the signatures. */
#ifndef SWIFTCONV_PATCHES_H
#define SWIFTCONV_PATCHES_H

#include "native.h"

PyObject *native_patches_shape(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_patches_gather(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_patches_scatter(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif

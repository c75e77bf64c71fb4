/* matrix.h: the matrix of a convolution as Python calls for it: see python/swiftconv/_native.pyi for the signatures. */
#ifndef SWIFTCONV_MATRIX_H
#define SWIFTCONV_MATRIX_H

#include "native.h"

PyObject *native_slide_axes(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_matrix_count(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_matrix_compressed(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_matrix_dense(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_matrix_blocks(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif

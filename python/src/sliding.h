/* sliding.h: correlate and convolve as Python calls them: see python/swiftconv/_native.pyi for the signatures. */
#ifndef SWIFTCONV_SLIDING_H
#define SWIFTCONV_SLIDING_H

#include "native.h"

/* sliding_plain.c: the call on plain arrays with plainly written options, or NotImplemented. */
PyObject *slide_plain(const native_state *state, int32_t operation, PyObject *const *arguments);

/* sliding.c: every call, on arguments that Python has normalised. */
PyObject *native_slide(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_slide_shape(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_slide_explain(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif

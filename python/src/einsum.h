/* einsum.h: contractions as Python calls them: see python/swiftconv/_native.pyi for the signatures. */
#ifndef SWIFTCONV_EINSUM_H
#define SWIFTCONV_EINSUM_H

#include "native.h"

/* einsum_plain.c: a call of einsum with subscripts that Python has seen and plain arrays, or NotImplemented. `given` is
 * what out= holds. */
PyObject *einsum_plain(const native_state *state, PyObject *const *arguments, Py_ssize_t count, PyObject *given);

/* einsum_lists.c: the same for operands that lists of labels follow. */
PyObject *einsum_plain_lists(const native_state *state, PyObject *const *arguments, Py_ssize_t count, PyObject *given);

/* einsum.c: one call of the core, on arguments that Python has normalised. */
PyObject *native_contract(PyObject *module, PyObject *const *arguments, Py_ssize_t count);
PyObject *native_contract_explain(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

sc_status run_contraction(const core_library *core, const sc_contraction *contraction, const sc_factor *out,
                          sc_error *error);

#endif

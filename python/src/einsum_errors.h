/* einsum_errors.h: what contractions say of the core's refusals. */
#ifndef SWIFTCONV_EINSUM_ERRORS_H
#define SWIFTCONV_EINSUM_ERRORS_H

#include <Python.h>

#include "swiftconv.h"

/* Sets the exception for a status other than SC_OK and returns NULL. `method`: the one that the core was asked for. */
PyObject *raise_einsum_status(sc_status status, const sc_error *error, int32_t method);

#endif

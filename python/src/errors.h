/* errors.h: statuses of the core become Python exceptions here, in conv_errors.c, pool_errors.c,
 * patches_errors.c and einsum_errors.c, and nowhere else. */
#ifndef SWIFTCONV_ERRORS_H
#define SWIFTCONV_ERRORS_H

#include <Python.h>

#include "swiftconv.h"

/* Sets the exception for a status other than SC_OK and returns NULL. `a`, `v` and `options` are what the core was
 * given: their values make the message. */
PyObject *raise_status(sc_status status, const sc_error *error, const sc_tensor *a, const sc_tensor *v,
                       const sc_sliding *options);

/* What Python calls an argument. */
const char *argument_name(sc_argument argument);
/* For the statuses that mean the same to every function; `name` is the caller's for error->argument. Returns NULL. */
PyObject *raise_common_status(sc_status status, const sc_error *error, const char *name);
/* SC_METHOD. */
PyObject *raise_method(const char *method);

#endif

/* errors.h: statuses of the core become Python exceptions here and nowhere else. */
#ifndef SWIFTCONV_ERRORS_H
#define SWIFTCONV_ERRORS_H

#include <Python.h>

#include "swiftconv.h"

/* Sets the exception for a status other than SC_OK and returns NULL. `a`, `v` and `options` are what the core was
 * given: their values make the message. */
PyObject *raise_status(sc_status status, const sc_error *error, const sc_tensor *a, const sc_tensor *v,
                       const sc_sliding *options);

/* The same for pools, whose words need no more than the error. */
PyObject *raise_pool_status(sc_status status, const sc_error *error);

#endif

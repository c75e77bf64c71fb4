/* pool_errors.h: what pools say of the core's refusals. */
#ifndef SWIFTCONV_POOL_ERRORS_H
#define SWIFTCONV_POOL_ERRORS_H

#include <Python.h>

#include "swiftconv.h"

/* Sets the exception for a status other than SC_OK and returns NULL. */
PyObject *raise_pool_status(sc_status status, const sc_error *error);

#endif

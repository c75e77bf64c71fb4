/* conv_errors.h: what convolutions with channels say of the core's refusals. */
#ifndef SWIFTCONV_CONV_ERRORS_H
#define SWIFTCONV_CONV_ERRORS_H

#include <Python.h>

#include "swiftconv.h"

/* What the caller calls each sc_argument, and then the roles of the first two axes of what it calls the weight. */
enum { CONV_WEIGHT_ROLES = SC_ARG_PATCHES + 1, CONV_NAMES = CONV_WEIGHT_ROLES + 2 };

/* What the caller calls an sc_argument, or a weight's axis; "argument" where `names` is not such a tuple. */
const char *conv_name(PyObject *names, Py_ssize_t index);

/* Sets the exception for a status other than SC_OK and returns NULL. `names` is a tuple of CONV_NAMES strings. */
PyObject *raise_conv_status(sc_status status, const sc_error *error, PyObject *names, const sc_conv *options);

#endif

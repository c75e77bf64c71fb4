/* arguments.h: numbers and lists that Python has normalised, as C has them. */
#ifndef SWIFTCONV_ARGUMENTS_H
#define SWIFTCONV_ARGUMENTS_H

#include <Python.h>

#include "swiftconv.h"

/* Each returns 0, or -1 with an exception set that names the argument. */
int int32_value(PyObject *object, const char *name, int32_t *value);
int int64_value(PyObject *object, const char *name, int64_t *value);
int double_value(PyObject *object, double *value);

/* A tuple of integers into `values` (SC_MAX_DIMS of them), whose number is returned; -1 with an exception set. `name`
 * is the argument the message blames. */
int int64_list(PyObject *tuple, const char *name, int64_t *values);
/* None, which makes `*list` NULL, or a tuple with an entry for each of `expected` axes (`axes` says which), which go to
 * `storage`. Returns 0, or -1 with an exception set. */
int optional_list(PyObject *object, const char *name, int32_t expected, const char *axes, int64_t *storage,
                  const int64_t **list);

/* Whether a function got as many arguments as it takes; if not, an exception is set. */
int takes(const char *function, Py_ssize_t count, Py_ssize_t expected);

PyObject *tuple_of_int64(const int64_t *values, int count);

#endif

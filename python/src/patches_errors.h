/* patches_errors.h: the core's words about patches as exceptions. */
#ifndef SWIFTCONV_PATCHES_ERRORS_H
#define SWIFTCONV_PATCHES_ERRORS_H

#include <Python.h>

#include "swiftconv.h"

/* The caller's words for sc_patches' arguments. */
typedef struct patches_names {
  const char *input, *window, *stride, *dilation, *padding;
} patches_names;

/* Sets the exception for a status of a call on patches and returns NULL. */
PyObject *raise_patches_status(sc_status status, const sc_error *error, const sc_patches *options,
                               const patches_names *names);

#endif

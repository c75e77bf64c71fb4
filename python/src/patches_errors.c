#include "patches_errors.h"

#include "errors.h"

PyObject *raise_patches_status(sc_status status, const sc_error *error, const sc_patches *options,
                               const patches_names *names) {
  long long value = error->value, expected = error->expected;
  int position = error->axis;
  const char *name;

  switch (error->argument) {
  case SC_ARG_INPUT:
    name = names->input;
    break;
  case SC_ARG_KERNEL_SIZE:
    name = names->window;
    break;
  case SC_ARG_STRIDE:
    name = names->stride;
    break;
  case SC_ARG_DILATION:
    name = names->dilation;
    break;
  case SC_ARG_PADDING:
    name = names->padding;
    break;
  case SC_ARG_PATCHES:
    name = "patches";
    break;
  default:
    name = "argument";
    break;
  }
  switch (status) {
  case SC_RANK:
    PyErr_Format(PyExc_ValueError, "%s.ndim=%lld: expected %s%lld", name, value,
                 error->argument == SC_ARG_INPUT ? "at least " : "", expected);
    break;
  case SC_TOO_MANY_DIMENSIONS:
    PyErr_Format(PyExc_ValueError, "%s.ndim=%lld: expected at most %d dimensions", name, value, SC_MAX_DIMS);
    break;
  case SC_EXTENT:
    PyErr_Format(PyExc_ValueError, "%s has extent %lld along axis %d: expected %lld", name, value, position, expected);
    break;
  case SC_EMPTY_AXIS:
    PyErr_Format(PyExc_ValueError, "%s has extent 0 along axis %d: this boundary needs elements to repeat", name,
                 position);
    break;
  case SC_NOT_POSITIVE:
    PyErr_Format(PyExc_ValueError, "%s[%d]=%lld: expected an integer of at least 1", name, position, value);
    break;
  case SC_NEGATIVE:
    PyErr_Format(PyExc_ValueError, "%s[%d]=%lld: expected an integer of at least 0", name, position, value);
    break;
  case SC_WINDOW_BEYOND:
    PyErr_Format(PyExc_ValueError,
                 "%s[%d]=%lld: the window's extent, %lld with its dilation, passes that of %s, %lld with its padding",
                 name, position, (long long)options->window[position], value, names->input, expected);
    break;
  case SC_SIZE_OVERFLOW:
    PyErr_Format(PyExc_OverflowError, "%s[%d]=%lld is too large for a window of extent %lld", name, position, value,
                 (long long)options->window[position]);
    break;
  default:
    return raise_common_status(status, error, name);
  }
  return NULL;
}

#include "pool_errors.h"

#include "errors.h"

PyObject *raise_pool_status(sc_status status, const sc_error *error) {
  const char *name = argument_name(error->argument);
  const long long value = error->value, expected = error->expected;
  const int axis = error->axis;

  switch (status) {
  case SC_RANK_TOO_SMALL:
    PyErr_Format(PyExc_ValueError, "input.ndim=%lld: expected at least %lld, an axis for each axis of the window",
                 value, expected);
    break;
  case SC_EMPTY_AXIS:
    PyErr_Format(PyExc_ValueError, "input has extent 0 along axis %d: expected an element for windows to hold", axis);
    break;
  case SC_AXIS_OUT_OF_RANGE:
    PyErr_Format(PyExc_ValueError, "axes holds %lld: expected axes of input, from %lld to %lld", value, -expected,
                 expected - 1);
    break;
  case SC_AXIS_REPEATED:
    PyErr_Format(PyExc_ValueError, "axes names axis %lld of input twice: expected distinct axes", value);
    break;
  case SC_NEGATIVE:
    PyErr_Format(PyExc_ValueError, "%s[%d]=%lld: expected an integer of at least 0", name, axis, value);
    break;
  case SC_WINDOW_BEYOND:
    PyErr_Format(PyExc_ValueError,
                 "the window's dilated extent is %lld along axis %d of input, whose extent with padding is %lld: "
                 "expected a window no larger than that",
                 value, axis, expected);
    break;
  case SC_SIZE_OVERFLOW:
    PyErr_Format(PyExc_OverflowError, "%s[%d]=%lld is too large for an axis of extent %lld", name, axis, value,
                 expected);
    break;
  default:
    raise_common_status(status, error, name);
    break;
  }
  return NULL;
}

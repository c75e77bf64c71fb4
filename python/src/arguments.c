#include "arguments.h"

/* Replaces the pending exception of a failed conversion by one that names the argument. */
static void blame(PyObject *object, const char *name, Py_ssize_t index) {
  PyObject *type;
  const char *expected;

  if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
    type = PyExc_OverflowError;
    expected = "an integer that fits 64 bits";
  } else if (PyErr_ExceptionMatches(PyExc_TypeError)) {
    type = PyExc_TypeError;
    expected = "an integer";
  } else {
    return;
  }
  PyErr_Clear();
  if (index < 0)
    PyErr_Format(type, "%s=%R: expected %s", name, object, expected);
  else
    PyErr_Format(type, "%s[%zd]=%R: expected %s", name, index, object, expected);
}

int int64_list(PyObject *tuple, const char *name, int64_t *values) {
  Py_ssize_t count, index;
  PyObject *item;

  if (!PyTuple_Check(tuple)) {
    PyErr_Format(PyExc_TypeError, "%s=%R: expected a tuple of integers", name, tuple);
    return -1;
  }
  count = PyTuple_Size(tuple);
  if (count > SC_MAX_DIMS) {
    PyErr_Format(PyExc_ValueError, "%s has %zd entries: expected at most %d", name, count, SC_MAX_DIMS);
    return -1;
  }
  for (index = 0; index < count; ++index) {
    item = PyTuple_GetItem(tuple, index);
    values[index] = PyLong_AsLongLong(item);
    if (values[index] == -1 && PyErr_Occurred()) {
      blame(item, name, index);
      return -1;
    }
  }
  return (int)count;
}

int int32_value(PyObject *object, const char *name, int32_t *value) {
  long long wide = PyLong_AsLongLong(object);

  if (wide == -1 && PyErr_Occurred()) {
    blame(object, name, -1);
    return -1;
  }
  if (wide < INT32_MIN || wide > INT32_MAX) {
    PyErr_Format(PyExc_OverflowError, "%s=%R: expected an integer that fits 32 bits", name, object);
    return -1;
  }
  *value = (int32_t)wide;
  return 0;
}

int int64_value(PyObject *object, const char *name, int64_t *value) {
  *value = PyLong_AsLongLong(object);
  if (*value == -1 && PyErr_Occurred()) {
    blame(object, name, -1);
    return -1;
  }
  return 0;
}

int double_value(PyObject *object, double *value) {
  *value = PyFloat_AsDouble(object);
  return *value == -1.0 && PyErr_Occurred() ? -1 : 0;
}

int optional_list(PyObject *object, const char *name, int32_t expected, const char *axes, int64_t *storage,
                  const int64_t **list) {
  int count;

  *list = NULL;
  if (object == Py_None)
    return 0;
  count = int64_list(object, name, storage);
  if (count < 0)
    return -1;
  if (count != expected) {
    PyErr_Format(PyExc_ValueError, "%s=%R has %d entries: expected %d, an entry for each %s", name, object, count,
                 (int)expected, axes);
    return -1;
  }
  *list = storage;
  return 0;
}

int takes(const char *function, Py_ssize_t count, Py_ssize_t expected) {
  if (count == expected)
    return 1;
  PyErr_Format(PyExc_TypeError, "%s takes %zd arguments, got %zd", function, expected, count);
  return 0;
}

PyObject *tuple_of_int64(const int64_t *values, int count) {
  PyObject *tuple = PyTuple_New(count);
  PyObject *item;
  int index;

  if (tuple == NULL)
    return NULL;
  for (index = 0; index < count; ++index) {
    item = PyLong_FromLongLong(values[index]);
    if (item == NULL) {
      Py_DECREF(tuple);
      return NULL;
    }
    PyTuple_SetItem(tuple, index, item);
  }
  return tuple;
}

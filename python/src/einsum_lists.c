#include "einsum.h"
#include "einsum_plain.h"

#include <string.h>

/* By label, in NumPy's order. */
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
enum { LABELS = sizeof letters - 1, TEXT_LENGTH = 256 };

/* Writes what stands for a label; returns how many characters, 0 for what is no plain label. */
static int write_label(char *text, PyObject *label) {
  int overflow = 0;
  long number;

  if (label == Py_Ellipsis) {
    memcpy(text, "...", 3);
    return 3;
  }
  if (!PyLong_CheckExact(label))
    return 0;
  number = PyLong_AsLongAndOverflow(label, &overflow);
  if (overflow != 0 || number < 0 || number >= LABELS)
    return 0;
  *text = letters[number];
  return 1;
}

/* Returns the text's length with a list's labels at its end, -1 where Python has to look. */
static Py_ssize_t add_list(char *text, Py_ssize_t length, PyObject *list) {
  const int is_list = PyList_CheckExact(list);
  Py_ssize_t index, count;
  int written;

  if (!is_list && !PyTuple_CheckExact(list))
    return -1;
  count = is_list ? PyList_Size(list) : PyTuple_Size(list);
  for (index = 0; index < count; ++index) {
    if (length + 3 > TEXT_LENGTH)
      return -1;
    written = write_label(text + length, is_list ? PyList_GetItem(list, index) : PyTuple_GetItem(list, index));
    if (written == 0)
      return -1;
    length += written;
  }
  return length;
}

PyObject *einsum_plain_lists(const native_state *state, PyObject *const *arguments, Py_ssize_t count, PyObject *given) {
  const Py_ssize_t operands = count / 2;
  PyObject *plain[1 + PLAIN_OPERANDS], *result;
  char text[TEXT_LENGTH + 2];
  Py_ssize_t index, length = 0;

  if (operands < 1 || operands > PLAIN_OPERANDS)
    Py_RETURN_NOTIMPLEMENTED;
  for (index = 0; index < operands; ++index) {
    plain[1 + index] = arguments[2 * index];
    if (index > 0)
      text[length++] = ',';
    length = add_list(text, length, arguments[2 * index + 1]);
    if (length < 0 || length >= TEXT_LENGTH)
      Py_RETURN_NOTIMPLEMENTED;
  }
  if (count % 2 == 1) {
    memcpy(text + length, "->", 2);
    length = add_list(text, length + 2, arguments[count - 1]);
    if (length < 0)
      Py_RETURN_NOTIMPLEMENTED;
  }
  plain[0] = PyUnicode_FromStringAndSize(text, length);
  if (plain[0] == NULL)
    return NULL;
  result = einsum_plain(state, plain, 1 + operands, given);
  Py_DECREF(plain[0]);
  return result;
}

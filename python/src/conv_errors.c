#include "conv_errors.h"

#include "errors.h"

typedef struct conv_words {
  const char *name, *input, *groups; /* the argument to blame, what is convolved, groups or batch groups */
  const char *role;                  /* what the axis to blame counts: users may have put it anywhere */
  char storage[48];
} conv_words;

const char *conv_name(PyObject *names, Py_ssize_t index) {
  const char *text = NULL;

  if (PyTuple_Check(names) && PyTuple_Size(names) == CONV_NAMES)
    text = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(names, index), NULL);
  if (text == NULL)
    PyErr_Clear();
  return text != NULL ? text : "argument";
}

static const char *role_of(const sc_error *error, PyObject *names, const sc_conv *options, conv_words *words) {
  const int is_weight =
      error->argument == SC_ARG_WEIGHT || (error->argument == SC_ARG_OUT && options->operation == SC_CONV_WEIGHT);
  const int is_bias = error->argument == SC_ARG_BIAS;
  const int axis = error->axis - (options->per_sample && (is_weight || is_bias) ? 1 : 0);

  if (axis < 0 || (axis == 0 && !is_weight && !is_bias))
    return "samples";
  if (is_bias)
    return "entries";
  if (axis < 2)
    return is_weight ? conv_name(names, CONV_WEIGHT_ROLES + axis) : "channels";
  PyOS_snprintf(words->storage, sizeof(words->storage), "elements along spatial axis %d", axis - 2);
  return words->storage;
}

static void find_words(const sc_error *error, PyObject *names, const sc_conv *options, conv_words *words) {
  const int known = error->argument > SC_ARG_NONE && error->argument <= SC_ARG_PATCHES;

  words->name = conv_name(names, known ? error->argument : SC_ARG_NONE);
  words->input = conv_name(names, options->operation == SC_CONV_TRANSPOSED ? SC_ARG_GRAD_OUTPUT : SC_ARG_INPUT);
  words->groups = conv_name(names, options->batch_groups > 1 ? SC_ARG_BATCH_GROUPS : SC_ARG_GROUPS);
  words->role = role_of(error, names, options, words);
}

static const char *method_name(int32_t method) {
  static const char *const names[] = {"auto", "direct", "gemm", "winograd", "reference"};

  return method >= SC_CONV_AUTO && method <= SC_CONV_REFERENCE ? names[method] : "unknown";
}

static void raise_channels(const sc_error *error, const conv_words *words, const sc_conv *options) {
  const long long value = error->value, expected = error->expected, groups = options->groups;

  if (options->operation == SC_CONV_TRANSPOSED)
    PyErr_Format(PyExc_ValueError, "%s has %lld %s, %s has %lld channels: expected %lld", words->name, value,
                 words->role, words->input, expected, expected);
  else
    PyErr_Format(PyExc_ValueError, "%s has %lld %s, %s has %lld channels with %s=%lld: expected %lld", words->name,
                 value, words->role, words->input, expected * groups, words->groups, groups, expected);
}

static void raise_window_beyond(const sc_error *error, const conv_words *words) {
  const long long value = error->value, expected = error->expected;

  if (error->argument == SC_ARG_PADDING)
    PyErr_Format(PyExc_ValueError,
                 "%s[%d]=%lld takes away more than the output has along spatial axis %d: expected less padding",
                 words->name, (int)error->axis, value, (int)error->axis);
  else
    PyErr_Format(PyExc_ValueError, "%s of dilated extent %lld along spatial axis %d exceeds the padded %s's %lld",
                 words->name, value, (int)error->axis, words->input, expected);
}

static void raise_padding_too_large(const sc_error *error, const conv_words *words, const sc_conv *options) {
  const long long value = error->value, expected = error->expected;
  const int axis = error->axis;

  if (error->argument == SC_ARG_OUTPUT_PADDING)
    PyErr_Format(PyExc_ValueError, "%s[%d]=%lld: expected at most %lld, less than stride or dilation", words->name,
                 axis, value, expected);
  else
    PyErr_Format(PyExc_ValueError, "%s of %lld along spatial axis %d: padding_mode='%s' allows at most %lld",
                 words->name, value, axis, options->boundary == SC_BOUNDARY_WRAP ? "circular" : "reflect", expected);
}

PyObject *raise_conv_status(sc_status status, const sc_error *error, PyObject *names, const sc_conv *options) {
  const long long value = error->value, expected = error->expected;
  conv_words words;

  find_words(error, names, options, &words);
  switch (status) {
  case SC_RANK:
    PyErr_Format(PyExc_ValueError, "%s.ndim=%lld: expected %lld", words.name, value, expected);
    break;
  case SC_EXTENT:
    PyErr_Format(PyExc_ValueError, "%s has %lld %s: expected %lld", words.name, value, words.role, expected);
    break;
  case SC_EMPTY_AXIS:
    PyErr_Format(PyExc_ValueError, "%s has 0 %s: expected at least 1", words.name, words.role);
    break;
  case SC_CHANNELS:
    raise_channels(error, &words, options);
    break;
  case SC_INDIVISIBLE:
    PyErr_Format(PyExc_ValueError, "%s=%lld does not divide %s's %lld %s", words.groups, expected, words.name, value,
                 words.role);
    break;
  case SC_NEGATIVE:
    PyErr_Format(PyExc_ValueError, "%s[%d]=%lld: expected an integer of at least 0", words.name, (int)error->axis,
                 value);
    break;
  case SC_WINDOW_BEYOND:
    raise_window_beyond(error, &words);
    break;
  case SC_PADDING_TOO_LARGE:
    raise_padding_too_large(error, &words, options);
    break;
  case SC_SIZE_OVERFLOW:
    PyErr_Format(PyExc_OverflowError, "%s[%d]=%lld is too large for extents that fit 64 bits", words.name,
                 (int)error->axis, value);
    break;
  case SC_METHOD:
    raise_method(method_name(options->method));
    break;
  default:
    raise_common_status(status, error, words.name);
    break;
  }
  return NULL;
}

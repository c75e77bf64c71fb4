#include "conv_options.h"

#include "arguments.h"
#include "conv_errors.h"

/* The six lists of sc_conv, in their order. */
static int read_lists(conv_options *given, PyObject *tuple, Py_ssize_t first) {
  sc_conv *options = &given->options;
  const struct {
    sc_argument argument;
    int64_t *storage;
    const int64_t **list;
  } lists[] = {
      {SC_ARG_STRIDE, given->stride, &options->stride},
      {SC_ARG_DILATION, given->dilation, &options->dilation},
      {SC_ARG_PADDING, given->padding_low, &options->padding_low},
      {SC_ARG_PADDING, given->padding_high, &options->padding_high},
      {SC_ARG_INPUT_DILATION, given->input_dilation, &options->input_dilation},
      {SC_ARG_OUTPUT_PADDING, given->output_padding, &options->output_padding},
  };
  size_t index;

  for (index = 0; index < sizeof(lists) / sizeof(lists[0]); ++index) {
    PyObject *list = PyTuple_GetItem(tuple, first + (Py_ssize_t)index);

    if (list == Py_None) /* without a look at its name: most are */
      continue;
    if (optional_list(list, conv_name(given->names, lists[index].argument), options->spatial_ndim, "spatial axis",
                      lists[index].storage, lists[index].list) != 0)
      return -1;
  }
  return 0;
}

/* The tuple that Python makes once for each set of options. */
int conv_options_read(conv_options *given, PyObject *tuple) {
  enum {
    NAMES,
    OPERATION,
    SPATIAL_NDIM,
    BOUNDARY,
    METHOD,
    PER_SAMPLE,
    ACTIVATION,
    LOWEST,
    HIGHEST,
    GROUPS,
    BATCH_GROUPS,
    LISTS,
    OPTIONS = LISTS + 6
  };
  sc_conv *options = &given->options;

  if (!PyTuple_Check(tuple) || PyTuple_Size(tuple) != OPTIONS) {
    PyErr_Format(PyExc_TypeError, "options=%R: expected a tuple of %d entries", tuple, (int)OPTIONS);
    return -1;
  }
  given->names = PyTuple_GetItem(tuple, NAMES);
  if (int32_value(PyTuple_GetItem(tuple, OPERATION), "operation", &options->operation) != 0 ||
      int32_value(PyTuple_GetItem(tuple, SPATIAL_NDIM), "spatial_ndim", &options->spatial_ndim) != 0 ||
      int32_value(PyTuple_GetItem(tuple, BOUNDARY), "boundary", &options->boundary) != 0 ||
      int32_value(PyTuple_GetItem(tuple, METHOD), "method", &options->method) != 0 ||
      int32_value(PyTuple_GetItem(tuple, PER_SAMPLE), "per_sample", &options->per_sample) != 0 ||
      int32_value(PyTuple_GetItem(tuple, ACTIVATION), "activation", &options->activation) != 0 ||
      double_value(PyTuple_GetItem(tuple, LOWEST), &options->lowest) != 0 ||
      double_value(PyTuple_GetItem(tuple, HIGHEST), &options->highest) != 0 ||
      int64_value(PyTuple_GetItem(tuple, GROUPS), conv_name(given->names, SC_ARG_GROUPS), &options->groups) != 0 ||
      int64_value(PyTuple_GetItem(tuple, BATCH_GROUPS), conv_name(given->names, SC_ARG_BATCH_GROUPS),
                  &options->batch_groups) != 0)
    return -1;
  return read_lists(given, tuple, LISTS);
}

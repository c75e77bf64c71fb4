/* conv_options.h: sc_conv from the tuple that Python makes once for each set of options. */
#ifndef SWIFTCONV_CONV_OPTIONS_H
#define SWIFTCONV_CONV_OPTIONS_H

#include <Python.h>

#include "swiftconv.h"

/* The options, and the storage that they point into. */
typedef struct conv_options {
  sc_conv options;
  PyObject *names; /* borrowed: what the caller calls the core's arguments, for conv_errors.h */
  int64_t stride[SC_MAX_DIMS], dilation[SC_MAX_DIMS], padding_low[SC_MAX_DIMS], padding_high[SC_MAX_DIMS],
      input_dilation[SC_MAX_DIMS], output_padding[SC_MAX_DIMS];
} conv_options;

/* Returns 0, or -1 with an exception set. What the tuple does not say stays as it is. */
int conv_options_read(conv_options *given, PyObject *tuple);

#endif

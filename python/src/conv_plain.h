/* conv_plain.h: what plain calls of functions and of plans share: ndarrays of the core's dtypes, options in a tuple.
 *
 * Whatever these functions do not take, errors included, Python has to look at: they return -1, or NULL, with no
 * exception set. */
#ifndef SWIFTCONV_CONV_PLAIN_H
#define SWIFTCONV_CONV_PLAIN_H

#include "arrays.h"
#include "conv_options.h"

/* What a recipe says of plain calls (`_options.plain_recipe`): the options, and where the user's axes are. Axes are
 * None where they are the core's. */
enum {
  PLAIN_OPTIONS,
  PLAIN_RESULT_CODE, /* None: numpy.result_type of the operands */
  PLAIN_WEIGHT_AXES,
  PLAIN_BATCHED,     /* triple of axes: of the user's input and of the user's output for the core, and of the core's
                      * output for the user; None where the letters leave the batch out */
  PLAIN_UNBATCHED,   /* the same with an axis put in front */
  PLAIN_SAME,        /* whether padding waits for the extents */
  PLAIN_KEEPS_ORDER, /* whether a new result lies in memory as the input does, or else in C order */
  PLAIN_ENTRIES
};

/* A call's input and result in the core's order of axes. */
typedef struct plain_call {
  plain_array input, out;
  PyObject *recipe, *axes;                /* borrowed */
  int is_batched, is_c_ordered;           /* is_c_ordered: whether a new result is to be */
  int32_t users_ndim, order[SC_MAX_DIMS]; /* the user's axes, from the longest memory stride of the input on */
} plain_call;

/* Reads an ndarray of any type, in the user's order of axes. */
int plain_operand_read(const native_state *state, plain_array *array, PyObject *object, int32_t ndim);

/* The axes of a list or of an array in turn: place `i` becomes what place `axes[i]` was. */
int plain_reorder(int64_t *list, PyObject *axes, int32_t ndim);
int plain_reorder_array(plain_array *array, PyObject *axes);

int plain_input_read(const native_state *state, plain_call *call, PyObject *recipe, int32_t spatial_ndim,
                     PyObject *object);

/* padding='same' by TensorFlow's rule, as _padding.same has it, where the recipe asks for it. `taps`: the weight's
 * spatial extents. */
int plain_pad_same(const plain_call *call, const int64_t *taps, conv_options *given);

/* The array that the result goes to: `given`, where that can be written to as it is, or where that is None a new one of
 * the core's shape `shape`, which is not looked at otherwise unless `checks_shape`. A new reference. */
PyObject *plain_result(const native_state *state, plain_call *call, const int64_t *shape, int checks_shape,
                       sc_dtype dtype, PyObject *given);

/* Integers hold no fraction of a bound, complex numbers and bool have no order. */
int plain_clamp(const sc_conv *options);

#endif

#include "einsum.h"

#include "arrays.h"
#include "einsum_errors.h"
#include "running.h"

/* A recipe: bytes that _recipes.py makes of subscripts in NumPy's grammar and the operands' numbers of axes. */
enum {
  RECIPE_OPERANDS,     /* how many */
  RECIPE_INDICES,      /* how many, those of the result first */
  RECIPE_OUTPUT,       /* how many the result has */
  RECIPE_SUMS_WITHIN,  /* whether one operand alone has an index that is summed over */
  RECIPE_AXES,         /* for each operand the number of its axes, and the index of each */
  PLAIN_OPERANDS = 8,  /* at most */
  PLAIN_INDICES = 16,  /* at most */
  PLAIN_WORK = 1 << 13 /* products up to which nothing but one step can pay, see _path.py */
};

typedef struct plain_contraction {
  sc_contraction options;
  sc_factor factors[PLAIN_OPERANDS], out;
  int64_t extents[PLAIN_INDICES], strides[PLAIN_OPERANDS][PLAIN_INDICES];
  plain_array array; /* the one that is read: an operand, then the result */
} plain_contraction;

/* The functions below return 0, or -1 with no exception set for whatever Python has to look at. */

/* Adds an operand's extents and strides. Extents of 1 are broadcast, but not on a diagonal. */
static int add_operand(plain_contraction *call, int operand, const unsigned char *indices) {
  const plain_array *array = &call->array;
  int64_t own[PLAIN_INDICES] = {0}, extent, *strides = call->strides[operand];
  int32_t axis, index;

  for (index = 0; index < call->options.index_count; ++index)
    strides[index] = 0;
  for (axis = 0; axis < array->tensor.ndim; ++axis) {
    index = indices[axis];
    extent = array->shape[axis];
    if (extent < 1 || (own[index] != 0 && own[index] != extent))
      return -1;
    own[index] = extent;
    if (extent == 1)
      continue;
    if (call->extents[index] != 1 && call->extents[index] != extent)
      return -1;
    call->extents[index] = extent;
    strides[index] += array->strides[axis];
  }
  return 0;
}

static int read_operands(const native_state *state, plain_contraction *call, const unsigned char *recipe,
                         PyObject *const *operands) {
  const unsigned char *axes = recipe + RECIPE_AXES;
  sc_dtype result = -1;
  int operand, ndim, has_numbers = 0, differ = 0;

  for (operand = 0; operand < call->options.index_count; ++operand)
    call->extents[operand] = 1;
  for (operand = 0; operand < call->options.factor_count; ++operand) {
    ndim = *axes++;
    if (Py_TYPE(operands[operand]) != state->ndarray || plain_array_read(state, &call->array, operands[operand]) != 0 ||
        call->array.tensor.ndim != ndim || add_operand(call, operand, axes) != 0)
      return -1;
    axes += ndim;
    call->factors[operand].data = call->array.tensor.data;
    call->factors[operand].strides = call->strides[operand];
    call->factors[operand].dtype = call->array.tensor.dtype;
    call->factors[operand].byteswapped = 0;
    has_numbers |= ndim == 0;
    differ |= operand > 0 && call->array.tensor.dtype != call->factors[0].dtype;
    result = operand == 0 ? call->array.tensor.dtype : state->result_codes[result][call->array.tensor.dtype];
  }
  /* Before NumPy 2 the values of numbers counted; the common dtype of three is not always that of two and one. */
  if (result < 0 || (differ && (has_numbers || call->options.factor_count > 2)))
    return -1;
  call->options.result_dtype = result;
  return 0;
}

/* Whether one step is what _path.py would choose. */
static int is_one_step(const plain_contraction *call, int sums_within) {
  int64_t work = 1;
  int32_t index;

  if (call->options.factor_count < 3 && !sums_within)
    return 1;
  for (index = 0; index < call->options.index_count; ++index) {
    if (__builtin_mul_overflow(work, call->extents[index], &work))
      return 0;
  }
  return work * (call->options.factor_count - 1) <= PLAIN_WORK;
}

static int64_t magnitude(int64_t value) { return value < 0 ? -value : value; }

/* Whether NumPy's iterator has `index` inside of `other`: 1, -1 if outside, 0 where no operand has both. */
static int is_inside(const plain_contraction *call, int32_t index, int32_t other) {
  int operand, result = 0;

  for (operand = 0; operand < call->options.factor_count; ++operand) {
    if (call->strides[operand][index] == 0 || call->strides[operand][other] == 0)
      continue;
    if (magnitude(call->strides[operand][other]) <= magnitude(call->strides[operand][index]))
      return -1;
    result = 1;
  }
  return result;
}

/* The result's axes from the outermost on, as _operands._memory_order has them. Returns whether that is C order. */
static int result_order(const plain_contraction *call, int32_t *order) {
  int32_t inner[PLAIN_INDICES], index, place, candidate, count = 0, found, axis = 0;
  int is_c = 1, verdict;

  for (index = call->options.index_count - 1; index >= 0; --index) {
    found = count;
    for (candidate = count - 1; candidate >= 0; --candidate) {
      verdict = is_inside(call, index, inner[candidate]);
      if (verdict < 0)
        break;
      if (verdict > 0)
        found = candidate;
    }
    for (place = count++; place > found; --place)
      inner[place] = inner[place - 1];
    inner[found] = index;
  }
  while (count-- > 0) {
    if (inner[count] >= call->options.output_count)
      continue;
    is_c &= inner[count] == axis;
    order[axis++] = inner[count];
  }
  return is_c;
}

/* A new array for the result, described in `call`; NULL where Python has to look. */
static PyObject *make_result(const native_state *state, plain_contraction *call) {
  int32_t order[PLAIN_INDICES], count = call->options.output_count;
  const int is_c = count < 2 || result_order(call, order);
  PyObject *result = plain_array_new(state, call->extents, count, is_c ? NULL : order, call->options.result_dtype);

  if (result == NULL)
    return NULL;
  if (plain_array_read(state, &call->array, result) != 0)
    Py_CLEAR(result);
  call->out.data = call->array.tensor.data;
  call->out.strides = call->array.strides;
  call->out.dtype = call->array.tensor.dtype;
  call->out.byteswapped = 0;
  return result;
}

PyObject *einsum_plain(const native_state *state, PyObject *const *arguments, Py_ssize_t count) {
  plain_contraction call;
  const unsigned char *recipe;
  PyObject *found, *result, *scalar;
  sc_error error;
  sc_status status;

  found = count > 1 && PyUnicode_CheckExact(arguments[0]) ? PyDict_GetItemWithError(state->einsum.recipes, arguments[0])
                                                          : NULL;
  recipe = found == NULL ? NULL : (const unsigned char *)PyBytes_AsString(found);
  if (recipe == NULL || recipe[RECIPE_OPERANDS] != count - 1)
    Py_RETURN_NOTIMPLEMENTED;
  call.options = (sc_contraction){
      .factor_count = recipe[RECIPE_OPERANDS],
      .index_count = recipe[RECIPE_INDICES],
      .output_count = recipe[RECIPE_OUTPUT],
      .extents = call.extents,
      .factors = call.factors,
  };
  if (read_operands(state, &call, recipe, arguments + 1) != 0 || !is_one_step(&call, recipe[RECIPE_SUMS_WITHIN]))
    Py_RETURN_NOTIMPLEMENTED;
  result = make_result(state, &call);
  if (result == NULL)
    Py_RETURN_NOTIMPLEMENTED;
  status = run_contraction(&state->core, &call.options, &call.out, &error);
  if (status != SC_OK) {
    raise_einsum_status(status, &error, call.options.method);
    Py_CLEAR(result);
  } else if (call.options.output_count == 0) {
    scalar = PyObject_GetItem(result, state->einsum.no_index);
    Py_DECREF(result);
    result = scalar;
  }
  return result;
}

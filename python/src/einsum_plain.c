#include "einsum_plain.h"

#include "einsum.h"
#include "einsum_errors.h"
#include "running.h"

#include <string.h>

/* Products up to which nothing but one step can pay, see _path.py. */
enum { PLAIN_WORK = 1 << 13 };

/* Adds an axis's extent and stride. Extents of 1 are broadcast, but not on a diagonal. */
static int add_axis(plain_contraction *call, int operand, int64_t *own, int index, int64_t extent, int64_t stride) {
  if (own[index] != 0 && own[index] != extent)
    return -1;
  own[index] = extent;
  if (extent == 1) {
    if (call->extents[index] == 0)
      call->extents[index] = 1;
    return 0;
  }
  if (call->extents[index] > 1 && call->extents[index] != extent)
    return -1;
  call->extents[index] = extent;
  call->strides[operand][index] += stride;
  return 0;
}

/* The axes of an operand, by its part of the recipe, whose end is returned; NULL where Python has to look. */
static const unsigned char *add_operand(plain_contraction *call, int operand, const unsigned char *recipe) {
  const plain_array *array = &call->operands[operand];
  int64_t own[PLAIN_INDICES] = {0};
  int32_t axis;

  if (array->tensor.ndim != *recipe++)
    return NULL;
  memset(call->strides[operand], 0, sizeof call->strides[operand]);
  for (axis = 0; axis < array->tensor.ndim; ++axis) {
    if (array->shape[axis] < 1 || array->shape[axis] > INT32_MAX)
      return NULL;
    if (*recipe == RECIPE_SUM) {
      plain_sum *sum = &call->sums[call->sum_count++];

      recipe = plain_sum_read(recipe + 1, sum);
      sum->operand = operand;
      sum->extent = array->shape[axis];
      sum->stride = array->strides[axis];
    } else if (add_axis(call, operand, own, *recipe++, array->shape[axis], array->strides[axis]) != 0) {
      return NULL;
    }
  }
  return recipe;
}

static int read_operands(const native_state *state, plain_contraction *call, const unsigned char *recipe,
                         PyObject *const *operands) {
  sc_dtype result = -1, dtype;
  int operand, has_numbers = 0, differ = 0;

  recipe += RECIPE_AXES;
  memset(call->extents, 0, sizeof call->extents);
  call->sum_count = 0;
  for (operand = 0; operand < call->options.factor_count; ++operand) {
    plain_array *array = &call->operands[operand];

    if (Py_TYPE(operands[operand]) != state->ndarray || plain_array_read(state, array, operands[operand]) != 0)
      return -1;
    recipe = add_operand(call, operand, recipe);
    if (recipe == NULL)
      return -1;
    dtype = array->tensor.dtype;
    call->factors[operand] = (sc_factor){.data = array->tensor.data, .strides = call->strides[operand], .dtype = dtype};
    has_numbers |= array->tensor.ndim == 0;
    differ |= operand > 0 && dtype != result;
    result = operand == 0 ? dtype : state->result_codes[result][dtype];
    if (result < 0)
      return -1;
  }
  /* Before NumPy 2 the values of numbers counted; the common dtype of three is not always that of two and one. */
  if (differ && (has_numbers || call->options.factor_count > 2))
    return -1;
  call->options.result_dtype = result;
  return call->sum_count > 0 ? plain_sums_apply(call) : 0;
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
  return work <= PLAIN_WORK / call->options.factor_count;
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

/* A new array; NULL where Python has to look. */
static PyObject *new_result(const native_state *state, plain_contraction *call) {
  int32_t order[PLAIN_INDICES], count = call->options.output_count;
  const int is_c = count < 2 || result_order(call, order);
  PyObject *result = plain_array_new(state, call->extents, count, is_c ? NULL : order, call->options.result_dtype);

  if (result != NULL && plain_array_read(state, &call->result, result) != 0)
    Py_CLEAR(result);
  return result;
}

/* Whether the result can be written to the array that is given for it. */
static int takes_result(const native_state *state, plain_contraction *call, PyObject *given) {
  const plain_array *result = &call->result;
  int operand;

  if (Py_TYPE(given) != state->ndarray || !array_is_writeable(given) ||
      plain_array_read(state, &call->result, given) != 0 || result->tensor.dtype != call->options.result_dtype ||
      result->tensor.ndim != call->options.output_count ||
      memcmp(result->shape, call->extents, (size_t)result->tensor.ndim * sizeof(*result->shape)) != 0 ||
      !array_is_nested(result))
    return 0;
  for (operand = 0; operand < call->options.factor_count; ++operand) {
    if (!arrays_are_disjoint(result, &call->operands[operand]))
      return 0;
  }
  return 1;
}

/* A number in place of an array without axes. */
static PyObject *number_of(const native_state *state, PyObject *array) {
  PyObject *number = PyObject_GetItem(array, state->einsum.no_index);

  Py_DECREF(array);
  return number;
}

PyObject *einsum_plain(const native_state *state, PyObject *const *arguments, Py_ssize_t count, PyObject *given) {
  plain_contraction call;
  const unsigned char *recipe;
  PyObject *found, *result;
  sc_error error;
  sc_status status;

  found = count > 1 && PyUnicode_CheckExact(arguments[0]) ? PyDict_GetItemWithError(state->einsum.recipes, arguments[0])
                                                          : NULL;
  recipe = found == NULL ? NULL : (const unsigned char *)PyBytes_AsString(found);
  if (recipe != NULL && recipe[RECIPE_OPERANDS] == 0 && count == 2 && given == Py_None &&
      Py_TYPE(arguments[1]) == state->ndarray && array_ndim(arguments[1]) == recipe[RECIPE_VIEW_AXES])
    return PyObject_CallFunctionObjArgs(state->einsum.numpy_einsum, arguments[0], arguments[1], NULL);
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
  if (given == Py_None) {
    result = new_result(state, &call);
    if (result == NULL)
      Py_RETURN_NOTIMPLEMENTED;
  } else {
    if (!takes_result(state, &call, given))
      Py_RETURN_NOTIMPLEMENTED;
    Py_INCREF(given);
    result = given;
  }
  call.out =
      (sc_factor){.data = call.result.tensor.data, .strides = call.result.strides, .dtype = call.result.tensor.dtype};
  status = run_contraction(&state->core, &call.options, &call.out, &error);
  if (status != SC_OK) {
    raise_einsum_status(status, &error, call.options.method);
    Py_CLEAR(result);
  } else if (call.options.output_count == 0 && given == Py_None) {
    result = number_of(state, result);
  }
  return result;
}

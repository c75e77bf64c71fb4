#include "matrix.h"

#include "arguments.h"
#include "buffers.h"
#include "errors.h"
#include "running.h"

/* The numbers of an axis, in the order of sc_matrix_axis: a tuple of them for all axes each. */
enum { SAMPLES, OUTPUTS, TAPS, STEP, DILATION, PADDING, AXIS_NUMBERS };
static const char *const number_names[AXIS_NUMBERS] = {"samples", "outputs", "taps", "step", "dilation", "padding"};

/* One call's descriptors and the storage that they point into. */
typedef struct matrix_call {
  array_buffer kernel, pointers, indices, lines, data;
  const core_library *core;
  sc_matrix matrix;
  sc_matrix_axis axes[SC_MAX_DIMS];
} matrix_call;

static void release_call(matrix_call *call) {
  array_buffer_release(&call->data);
  array_buffer_release(&call->lines);
  array_buffer_release(&call->indices);
  array_buffer_release(&call->pointers);
  array_buffer_release(&call->kernel);
}

static int64_t *axis_number(sc_matrix_axis *axis, int number) {
  int64_t *const numbers[AXIS_NUMBERS] = {&axis->samples, &axis->outputs,  &axis->taps,
                                          &axis->step,    &axis->dilation, &axis->padding};

  return numbers[number];
}

/* A tuple of AXIS_NUMBERS tuples of one length. */
static int read_axes(PyObject *object, matrix_call *call) {
  int64_t values[SC_MAX_DIMS];
  int number, axis, length, count = 0;

  if (!PyTuple_Check(object) || PyTuple_Size(object) != AXIS_NUMBERS) {
    PyErr_Format(PyExc_TypeError, "axes: expected a tuple of %d tuples", AXIS_NUMBERS);
    return -1;
  }
  for (number = 0; number < AXIS_NUMBERS; ++number) {
    length = int64_list(PyTuple_GetItem(object, number), number_names[number], values);
    if (length < 0)
      return -1;
    if (number > 0 && length != count) {
      PyErr_Format(PyExc_ValueError, "axes: %d of %s, %d of samples", length, number_names[number], count);
      return -1;
    }
    count = length;
    for (axis = 0; axis < count; ++axis)
      *axis_number(&call->axes[axis], number) = values[axis];
  }
  call->matrix.axis_count = count;
  call->matrix.axes = call->axes;
  return 0;
}

/* What every function takes first. */
enum { AXES, BOUNDARY, BY_COLUMNS, GROUPS, FILTERS, CHANNELS, THREADS, REST };

static int read_matrix(matrix_call *call, PyObject *module, PyObject *const *arguments) {
  sc_matrix *matrix = &call->matrix;

  call->core = &native_state_of(module)->core;
  return read_axes(arguments[AXES], call) != 0 ||
                 int32_value(arguments[BOUNDARY], "boundary", &matrix->boundary) != 0 ||
                 int32_value(arguments[BY_COLUMNS], "by_columns", &matrix->by_columns) != 0 ||
                 int64_value(arguments[GROUPS], "groups", &matrix->groups) != 0 ||
                 int64_value(arguments[FILTERS], "filters", &matrix->filters) != 0 ||
                 int64_value(arguments[CHANNELS], "channels", &matrix->channels) != 0 ||
                 int32_value(arguments[THREADS], "threads", &matrix->threads) != 0
             ? -1
             : 0;
}

/* Python has checked what users write: what is left are sizes. */
static PyObject *raise_matrix_status(sc_status status, const sc_error *error) {
  if (status == SC_SIZE_OVERFLOW) {
    PyErr_SetString(PyExc_OverflowError, "the matrix has more rows, columns or entries than 64 bits count");
    return NULL;
  }
  return raise_common_status(status, error, argument_name(error->argument));
}

static PyObject *none_unless(sc_status status, const sc_error *error) {
  if (status != SC_OK)
    return raise_matrix_status(status, error);
  Py_RETURN_NONE;
}

/* ---- Where windows lie, how large a matrix is ----------------------------------------------------------------- */

PyObject *native_slide_axes(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { OPERATION, A_SHAPE, V_SHAPE, MODE, KIND, STRIDES, DILATIONS, ARGUMENTS };
  int64_t a_extents[SC_MAX_DIMS], v_extents[SC_MAX_DIMS], stride[SC_MAX_DIMS], dilation[SC_MAX_DIMS];
  int64_t values[SC_MAX_DIMS];
  sc_matrix_axis axes[SC_MAX_DIMS];
  sc_sliding options = {.result_dtype = SC_FLOAT64};
  PyObject *result, *numbers;
  sc_tensor a, v;
  sc_error error;
  sc_status status;
  int number, axis;

  if (!takes("slide_axes", count, ARGUMENTS) ||
      int32_value(arguments[OPERATION], "operation", &options.operation) != 0 ||
      int32_value(arguments[MODE], "mode", &options.mode) != 0 ||
      int32_value(arguments[KIND], "boundary", &options.boundary) != 0 ||
      shape_tensor(arguments[A_SHAPE], "shape", a_extents, &a) != 0 ||
      shape_tensor(arguments[V_SHAPE], "kernel", v_extents, &v) != 0 ||
      optional_list(arguments[STRIDES], "stride", v.ndim, "axis of kernel", stride, &options.stride) != 0 ||
      optional_list(arguments[DILATIONS], "dilation", v.ndim, "axis of kernel", dilation, &options.dilation) != 0)
    return NULL;
  options.window_ndim = v.ndim;
  status = native_state_of(module)->core.sliding_axes(&a, &v, &options, axes, &error);
  if (status != SC_OK)
    return raise_status(status, &error, &a, &v, &options);
  result = PyTuple_New(AXIS_NUMBERS);
  for (number = 0; result != NULL && number < AXIS_NUMBERS; ++number) {
    for (axis = 0; axis < a.ndim; ++axis)
      values[axis] = *axis_number(&axes[axis], number);
    numbers = tuple_of_int64(values, a.ndim);
    if (numbers == NULL || PyTuple_SetItem(result, number, numbers) != 0)
      Py_CLEAR(result);
  }
  return result;
}

PyObject *native_matrix_count(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { ARGUMENTS = REST };
  matrix_call call = {.kernel = {.held = 0}};
  sc_matrix_size size;
  sc_error error;
  sc_status status;

  if (!takes("matrix_count", count, ARGUMENTS) || read_matrix(&call, module, arguments) != 0)
    return NULL;
  status = call.core->matrix_count(&call.matrix, &size, &error);
  if (status != SC_OK)
    return raise_matrix_status(status, &error);
  return Py_BuildValue("LLLL", (long long)size.lines, (long long)size.crossed, (long long)size.entries,
                       (long long)size.blocks);
}

/* ---- Writing --------------------------------------------------------------------------------------------------- */

/* The kernel and its dtype's code, which is the data's too. */
enum { KERNEL = REST, CODE, ARRAYS };

static int read_kernel(matrix_call *call, PyObject *const *arguments, int32_t *code) {
  return int32_value(arguments[CODE], "code", code) != 0 ||
                 array_buffer_acquire(&call->kernel, arguments[KERNEL], *code, 0, 0) != 0
             ? -1
             : 0;
}

static sc_status write_compressed(const void *context, const sc_control *control, sc_error *error) {
  const matrix_call *call = (const matrix_call *)context;

  return call->core->matrix_compressed(&call->matrix, &call->kernel.tensor, &call->pointers.tensor,
                                       &call->indices.tensor, call->lines.held ? &call->lines.tensor : NULL,
                                       &call->data.tensor, control, error);
}

static sc_status write_dense(const void *context, const sc_control *control, sc_error *error) {
  const matrix_call *call = (const matrix_call *)context;

  return call->core->matrix_dense(&call->matrix, &call->kernel.tensor, &call->data.tensor, control, error);
}

static sc_status write_blocks(const void *context, const sc_control *control, sc_error *error) {
  const matrix_call *call = (const matrix_call *)context;

  return call->core->matrix_blocks(&call->matrix, &call->kernel.tensor, &call->pointers.tensor, &call->indices.tensor,
                                   &call->data.tensor, control, error);
}

/* pointers, indices, data, the indices' code: what compressed lines and blocks share. */
enum { POINTERS = ARRAYS, INDICES, DATA, INDEX_CODE, INDEXED_REST };

static int read_indexed(matrix_call *call, PyObject *module, PyObject *const *arguments, int32_t *index_code) {
  int32_t code;

  if (read_matrix(call, module, arguments) != 0 || read_kernel(call, arguments, &code) != 0 ||
      int32_value(arguments[INDEX_CODE], "index_code", index_code) != 0 ||
      array_buffer_acquire(&call->pointers, arguments[POINTERS], *index_code, 0, 1) != 0 ||
      array_buffer_acquire(&call->indices, arguments[INDICES], *index_code, 0, 1) != 0 ||
      array_buffer_acquire(&call->data, arguments[DATA], code, 0, 1) != 0)
    return -1;
  return 0;
}

PyObject *native_matrix_compressed(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { LINES = INDEXED_REST, ARGUMENTS };
  matrix_call call = {.kernel = {.held = 0}};
  PyObject *result = NULL;
  int32_t index_code;
  sc_error error;

  if (!takes("matrix_compressed", count, ARGUMENTS) || read_indexed(&call, module, arguments, &index_code) != 0)
    goto cleanup;
  if (arguments[LINES] != Py_None && array_buffer_acquire(&call.lines, arguments[LINES], index_code, 0, 1) != 0)
    goto cleanup;
  result = none_unless(run_interruptibly(write_compressed, &call, &error), &error);

cleanup:
  release_call(&call);
  return result;
}

PyObject *native_matrix_dense(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { OUT = ARRAYS, ARGUMENTS };
  matrix_call call = {.kernel = {.held = 0}};
  PyObject *result = NULL;
  int32_t code;
  sc_error error;

  if (!takes("matrix_dense", count, ARGUMENTS) || read_matrix(&call, module, arguments) != 0 ||
      read_kernel(&call, arguments, &code) != 0 || array_buffer_acquire(&call.data, arguments[OUT], code, 0, 1) != 0)
    goto cleanup;
  result = none_unless(run_interruptibly(write_dense, &call, &error), &error);

cleanup:
  release_call(&call);
  return result;
}

PyObject *native_matrix_blocks(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { ARGUMENTS = INDEXED_REST };
  matrix_call call = {.kernel = {.held = 0}};
  PyObject *result = NULL;
  int32_t index_code;
  sc_error error;

  if (!takes("matrix_blocks", count, ARGUMENTS) || read_indexed(&call, module, arguments, &index_code) != 0)
    goto cleanup;
  result = none_unless(run_interruptibly(write_blocks, &call, &error), &error);

cleanup:
  release_call(&call);
  return result;
}

#include "toeplitz.h"

#include "arguments.h"
#include "buffers.h"
#include "errors.h"
#include "running.h"

/* One call's descriptors. */
typedef struct toeplitz_call {
  array_buffer column, row, b, x;
  const core_library *core;
  int32_t threads;
} toeplitz_call;

static void release_call(toeplitz_call *call) {
  array_buffer_release(&call->x);
  array_buffer_release(&call->b);
  array_buffer_release(&call->row);
  array_buffer_release(&call->column);
}

static sc_status solve(const void *context, const sc_control *control, sc_error *error) {
  const toeplitz_call *call = (const toeplitz_call *)context;

  return call->core->toeplitz_solve(&call->column.tensor, &call->row.tensor, &call->b.tensor, &call->x.tensor,
                                    call->threads, control, error);
}

/* The order of a leading minor that is zero, 0 where the system was solved. */
PyObject *native_toeplitz_solve(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
  enum { COLUMN, ROW, B, X, CODE, THREADS, ARGUMENTS };
  toeplitz_call call = {.core = &native_state_of(module)->core};
  PyObject *result = NULL;
  int32_t code;
  sc_error error;
  sc_status status;

  if (!takes("toeplitz_solve", count, ARGUMENTS) || int32_value(arguments[CODE], "code", &code) != 0 ||
      int32_value(arguments[THREADS], "threads", &call.threads) != 0 ||
      array_buffer_acquire(&call.column, arguments[COLUMN], code, 0, 0) != 0 ||
      array_buffer_acquire(&call.row, arguments[ROW], code, 0, 0) != 0 ||
      array_buffer_acquire(&call.b, arguments[B], code, 0, 0) != 0 ||
      array_buffer_acquire(&call.x, arguments[X], code, 0, 1) != 0)
    goto cleanup;
  status = run_interruptibly(solve, &call, &error);
  if (status == SC_OK)
    result = PyLong_FromLong(0);
  else if (status == SC_SINGULAR)
    result = PyLong_FromLongLong(error.value); /* numpy.linalg.LinAlgError is for Python to raise */
  else
    raise_common_status(status, &error, argument_name(error.argument));

cleanup:
  release_call(&call);
  return result;
}

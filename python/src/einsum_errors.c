#include "einsum_errors.h"

#include "errors.h"

static const char *method_name(int32_t method) {
  static const char *const names[] = {"auto", "nest", "gemm", "direct", "reference"};

  return method >= SC_CONTRACT_AUTO && method <= SC_CONTRACT_REFERENCE ? names[method] : "unknown";
}

PyObject *raise_einsum_status(sc_status status, const sc_error *error, int32_t method) {
  const char *name = argument_name(error->argument);

  switch (status) {
  case SC_SIZE_OVERFLOW:
    if (error->axis < 0)
      PyErr_Format(PyExc_OverflowError, "%s spans more memory than a contraction can address", name);
    else
      PyErr_Format(PyExc_OverflowError, "%s[%d] spans more memory than a contraction can address", name,
                   (int)error->axis);
    break;
  case SC_METHOD:
    raise_method(method_name(method));
    break;
  default:
    raise_common_status(status, error, name);
    break;
  }
  return NULL;
}

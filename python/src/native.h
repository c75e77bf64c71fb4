/* native.h: what every C file of the extension sees: Python, the core's contract, and the module's state. */
#ifndef SWIFTCONV_NATIVE_H
#define SWIFTCONV_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "swiftconv.h"

#include "core_library.h"

/* The buffer protocol's extents and strides are handed to the core as they are. */
_Static_assert(sizeof(Py_ssize_t) == sizeof(int64_t), "swiftconv needs a 64-bit platform");

enum { NATIVE_DTYPES = SC_COMPLEX128 + 1 };

/* The arguments of correlate and convolve, in the order of their signature. */
enum {
  SLIDING_A,
  SLIDING_V,
  SLIDING_MODE,
  SLIDING_POSITIONAL,
  SLIDING_AXES = SLIDING_POSITIONAL,
  SLIDING_BOUNDARY,
  SLIDING_FILLVALUE,
  SLIDING_ORIGIN,
  SLIDING_STRIDE,
  SLIDING_DILATION,
  SLIDING_DTYPE,
  SLIDING_OUT,
  SLIDING_METHOD,
  SLIDING_THREADS,
  SLIDING_ARGUMENTS
};

/* A public function: a builtin and the Python function around which it was made; all NULL until then. */
typedef struct sliding_function {
  PyMethodDef definition;
  PyObject *function, *docstring;
  PyObject *names[SLIDING_ARGUMENTS], *defaults[SLIDING_ARGUMENTS]; /* no default: NULL */
} sliding_function;

/* einsum: a builtin and the Python function around which it was made; all NULL until then. */
typedef struct einsum_function {
  PyMethodDef definition;
  PyObject *function, *docstring;
  PyObject *recipes; /* dict from subscripts to bytes, see einsum_plain.h; Python fills it */
  PyObject *numpy_einsum;
  PyObject *no_index; /* an empty tuple */
} einsum_function;

typedef struct native_state {
  core_library core;
  PyTypeObject *ndarray;                                  /* numpy.ndarray, NULL until initialize() */
  PyObject *empty;                                        /* numpy.empty */
  PyObject *dtypes[NATIVE_DTYPES];                        /* numpy.dtype objects by code, NULL where NumPy has none */
  signed char result_codes[NATIVE_DTYPES][NATIVE_DTYPES]; /* numpy.result_type of two codes, -1 where there is none */
  PyObject *mode_codes, *boundary_codes, *method_codes;   /* dicts from name to code */
  PyObject *zero, *one, *fill, *automatic;                /* the default objects that plain calls know by identity */
  PyObject *out, *optimize, *run_general;                 /* names of arguments and of a method, interned */
  sliding_function functions[2];                          /* correlate and convolve, by operation */
  einsum_function einsum;
} native_state;

static inline native_state *native_state_of(PyObject *module) { return (native_state *)PyModule_GetState(module); }

#endif

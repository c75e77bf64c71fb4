/* core_library.h: the Swift core, one shared library per ISA level, opened when the module is executed. */
#ifndef SWIFTCONV_CORE_LIBRARY_H
#define SWIFTCONV_CORE_LIBRARY_H

#include <Python.h>

#include "swiftconv.h"

typedef struct core_library {
  PyObject *path; /* str: the file that was opened */
  int32_t (*abi_version)(void);
  const char *(*isa)(void);
  int32_t (*get_num_threads)(void);
  int32_t (*set_num_threads)(int32_t count);
  sc_status (*sliding_shape)(const sc_tensor *, const sc_tensor *, const sc_sliding *, int64_t *, sc_error *);
  sc_status (*sliding_run)(const sc_tensor *, const sc_tensor *, const sc_tensor *, const sc_sliding *,
                           const sc_control *, sc_error *);
  sc_status (*sliding_explain)(const sc_tensor *, const sc_tensor *, const sc_tensor *, const sc_sliding *,
                               sc_explanation *, sc_error *);
  sc_status (*conv_shape)(const sc_tensor *, const sc_tensor *, const sc_conv *, int64_t *, sc_error *);
  sc_status (*conv_run)(const sc_tensor *, const sc_tensor *, const sc_tensor *, const sc_tensor *, const sc_conv *,
                        const sc_control *, sc_error *);
  sc_status (*conv_explain)(const sc_tensor *, const sc_tensor *, const sc_tensor *, const sc_tensor *, const sc_conv *,
                            sc_explanation *, sc_error *);
  sc_status (*patches_shape)(const sc_tensor *, const sc_patches *, int64_t *, sc_error *);
  sc_status (*patches_gather)(const sc_tensor *, const sc_tensor *, const sc_patches *, const sc_control *, sc_error *);
  sc_status (*patches_scatter)(const sc_tensor *, const sc_tensor *, const sc_patches *, const sc_control *,
                               sc_error *);
  sc_status (*conv_plan_create)(const sc_tensor *, const sc_tensor *, const sc_conv *, sc_conv_plan **, sc_error *);
  void (*conv_plan_destroy)(sc_conv_plan *);
  sc_status (*conv_plan_shape)(const sc_conv_plan *, const sc_tensor *, int64_t *, sc_error *);
  sc_status (*conv_plan_run)(sc_conv_plan *, const sc_tensor *, const sc_tensor *, int32_t, const sc_control *,
                             sc_error *);
  sc_status (*conv_plan_prepare)(sc_conv_plan *, const sc_tensor *, const sc_tensor *, sc_error *);
  int64_t (*conv_plan_bytes)(const sc_conv_plan *);
  sc_status (*pool_shape)(const sc_tensor *, const sc_pool *, int64_t *, sc_error *);
  sc_status (*pool_run)(const sc_tensor *, const sc_tensor *, const sc_tensor *, const sc_pool *, const sc_control *,
                        sc_error *);
  sc_status (*contract_run)(const sc_contraction *, const sc_factor *, const sc_control *, sc_error *);
  sc_status (*contract_explain)(const sc_contraction *, const sc_factor *, sc_explanation *, sc_error *);
  sc_status (*sliding_axes)(const sc_tensor *, const sc_tensor *, const sc_sliding *, sc_matrix_axis *, sc_error *);
  sc_status (*matrix_count)(const sc_matrix *, sc_matrix_size *, sc_error *);
  sc_status (*matrix_compressed)(const sc_matrix *, const sc_tensor *, const sc_tensor *, const sc_tensor *,
                                 const sc_tensor *, const sc_tensor *, const sc_control *, sc_error *);
  sc_status (*matrix_dense)(const sc_matrix *, const sc_tensor *, const sc_tensor *, const sc_control *, sc_error *);
  sc_status (*matrix_blocks)(const sc_matrix *, const sc_tensor *, const sc_tensor *, const sc_tensor *,
                             const sc_tensor *, const sc_control *, sc_error *);
  sc_status (*toeplitz_solve)(const sc_tensor *, const sc_tensor *, const sc_tensor *, const sc_tensor *, int32_t,
                              const sc_control *, sc_error *);
} core_library;

/* Opens `<directory of extension_file>/_core/libswiftconv-<isa>` for the best level that the CPU supports and the
 * installation has, or the level in SWIFTCONV_ISA. Returns 0, or -1 with an ImportError set. The library stays open
 * for the life of the process: its worker threads may be alive. */
int core_library_open(core_library *core, PyObject *extension_file);

#endif

#include "explanation.h"

/* clang-format off */
PyObject *explanation_dict(const sc_explanation *explanation, const char *isa) {
  return Py_BuildValue("{s:s,s:s,s:s,s:s,s:s,s:L,s:L,s:L,s:L,s:L,s:L,s:L,s:L,s:L}",
                       "algorithm", explanation->algorithm,
                       "kernel", explanation->kernel,
                       "isa", isa,
                       "input", explanation->input,
                       "output", explanation->output,
                       "vector_axis", (long long)explanation->vector_axis,
                       "vector_lanes", (long long)explanation->vector_lanes,
                       "tile_rows", (long long)explanation->tile_rows,
                       "tile_columns", (long long)explanation->tile_columns,
                       "block_rows", (long long)explanation->block_rows,
                       "block_columns", (long long)explanation->block_columns,
                       "workspace_bytes", (long long)explanation->workspace_bytes,
                       "tasks", (long long)explanation->tasks,
                       "threads", (long long)explanation->threads);
}
/* clang-format on */

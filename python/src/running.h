/* running.h: a run of the core without the GIL, which a signal can stop. */
#ifndef SWIFTCONV_RUNNING_H
#define SWIFTCONV_RUNNING_H

#include "native.h"

/* One call of the core: `context` holds its operands. */
typedef sc_status (*core_call)(const void *context, const sc_control *control, sc_error *error);

sc_status run_interruptibly(core_call call, const void *context, sc_error *error);

sc_status run_sliding(const core_library *core, const sc_tensor *a, const sc_tensor *v, const sc_tensor *out,
                      const sc_sliding *options, sc_error *error);

#endif

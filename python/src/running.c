#include "running.h"

/* Called by the thread that runs the core, which does not hold the GIL. An exception that a signal handler raises
 * stays set in `*context` until the run is over. */
static int32_t signal_arrived(void *context) {
  PyThreadState **thread = (PyThreadState **)context;
  int raised;

  PyEval_RestoreThread(*thread);
  raised = PyErr_CheckSignals() != 0;
  *thread = PyEval_SaveThread();
  return raised;
}

sc_status run_interruptibly(core_call call, const void *context, sc_error *error) {
  PyThreadState *thread;
  sc_control control;
  sc_status status;

  control.interrupted = signal_arrived;
  control.context = &thread;
  /* Py_BEGIN_ALLOW_THREADS, spelled out because the callback needs the thread's state. */
  thread = PyEval_SaveThread();
  status = call(context, &control, error);
  PyEval_RestoreThread(thread);
  return status;
}

typedef struct sliding_run {
  const core_library *core;
  const sc_tensor *a, *v, *out;
  const sc_sliding *options;
} sliding_run;

static sc_status call_sliding(const void *context, const sc_control *control, sc_error *error) {
  const sliding_run *run = context;

  return run->core->sliding_run(run->a, run->v, run->out, run->options, control, error);
}

sc_status run_sliding(const core_library *core, const sc_tensor *a, const sc_tensor *v, const sc_tensor *out,
                      const sc_sliding *options, sc_error *error) {
  const sliding_run run = {core, a, v, out, options};

  return run_interruptibly(call_sliding, &run, error);
}

/* explanation.h: what the core would do, for Python. */
#ifndef SWIFTCONV_EXPLANATION_H
#define SWIFTCONV_EXPLANATION_H

#include <Python.h>

#include "swiftconv.h"

PyObject *explanation_dict(const sc_explanation *explanation, const char *isa);

#endif

/* conv_plan.h: the type under nn.ConvolutionPlan: a core's plan, and the memory that it reads. */
#ifndef SWIFTCONV_CONV_PLAN_H
#define SWIFTCONV_CONV_PLAN_H

#include "native.h"

/* Adds the type to the module. Returns 0, or -1 with an exception set. */
int add_conv_plan_type(PyObject *module);

#endif

/* cpus.h: the CPUs that this process may run on. */
#ifndef SWIFTCONV_CPUS_H
#define SWIFTCONV_CPUS_H

/* Honours the affinity mask where the system has one; at least 1. */
int sc_machine_cpu_count(void);

#endif

/* isa_level.h: the ISA levels that the core is built for on this architecture, lowest first. */
#ifndef SWIFTCONV_ISA_LEVEL_H
#define SWIFTCONV_ISA_LEVEL_H

#if defined(__x86_64__)
enum { ISA_LEVELS = 4 };
#elif defined(__aarch64__) || defined(__arm64__)
enum { ISA_LEVELS = 1 };
#else
#error "swiftconv supports x86-64 and arm64"
#endif

extern const char *const isa_level_names[ISA_LEVELS];

/* Index of the highest level that this CPU and its operating system support. */
int isa_level_of_cpu(void);

/* Index of the level of that name, or -1. */
int isa_level_named(const char *name);

#endif

/* A C target needs one translation unit; the contract is the header alone. */
#include "swiftconv.h"

// A replacement that is weak: another image's could stand for it, so the tuple's first word is a bind.
#define MALLOC_LINKAGE __attribute__((weak, visibility("default")))
#include "shim.h"

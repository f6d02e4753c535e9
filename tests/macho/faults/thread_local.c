// A thread-local on the path of malloc.
static __thread unsigned long calls;
#define LOCKED_PATH calls++;
#include "shim.h"

// A zone without an introspection.
#define INTROSPECTION NULL
#include "shim.h"

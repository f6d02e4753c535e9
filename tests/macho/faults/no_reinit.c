// A zone of version 16 whose introspection ends before version 9.
#define REINIT NULL
#include "shim.h"

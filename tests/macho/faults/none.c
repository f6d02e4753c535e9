// No fault: every law holds.
#include "shim.h"

// fork's child gives the lock back instead of making it anew.
#define REINIT zone_unlock
#include "shim.h"

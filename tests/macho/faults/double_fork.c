// Both ways through fork: the zone's introspection, and tuples.
#include "fork_path.h"
#define MORE_TUPLES FORK_TUPLES
#include "shim.h"

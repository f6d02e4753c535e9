// No fault either, but tuples alone, without a registered zone: the system sends typed calls on to the plain
// names, and fork goes through tuples.
#include "fork_path.h"
#define WITHOUT_ZONE
#define MORE_TUPLES FORK_TUPLES
#include "shim.h"

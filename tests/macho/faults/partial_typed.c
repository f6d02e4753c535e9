// One typed function of all: the system sends none of them on any more.
#include "fork_path.h"
#define WITHOUT_ZONE
static void *typed_malloc(size_t size, uint64_t type);
#define MORE_TUPLES FORK_TUPLES TUPLE(typed_malloc, malloc_type_malloc)
#include "shim.h"

static void *typed_malloc(size_t size, uint64_t type) {
    (void)type;
    return shim_malloc(size);
}

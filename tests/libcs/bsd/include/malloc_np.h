/* FreeBSD's header of what is no standard's, for laws that are compiled with musl's. */
#include <malloc.h>

/* rpmalloc on Windows without a C library, whose blocks nobody could tell from the heap's: what it finds before its
   own text. MinGW's gcc has no thread-local variables there but such as allocate. Hence the way that rpmalloc has for
   Haiku, a pthread key, which here is a slot. */
#include <errno.h>
#include <windows.h>
#undef FORCEINLINE

/* Read by nobody: the shim sets the C library's own. */
static int heap_errno;
#undef errno
#define errno heap_errno

/* Large pages, for which advapi32.dll is asked, which needs a C library: there are none. */
#define GetLargePageMinimum() 0
#define OpenProcessToken(process, access, token) 0
#undef LookupPrivilegeValue
#define LookupPrivilegeValue(system, name, value) 0
#define AdjustTokenPrivileges(token, off, new_state, size, old_state, length) 0

typedef DWORD pthread_key_t;

static inline int pthread_key_create(pthread_key_t *key, void (*end)(void *))
{
    (void)end; /* the shim says when a thread ends */
    *key = TlsAlloc();
    return *key == TLS_OUT_OF_INDEXES;
}

static inline int pthread_key_delete(pthread_key_t key)
{
    return !TlsFree(key);
}

static inline void *pthread_getspecific(pthread_key_t key)
{
    DWORD error = GetLastError(); /* a look that succeeds clears it */
    void *value = TlsGetValue(key);
    SetLastError(error);
    return value;
}

static inline int pthread_setspecific(pthread_key_t key, void *value)
{
    return !TlsSetValue(key, value);
}

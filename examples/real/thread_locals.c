/* Thread-local variables without a heap: where the system allocates a thread's own when it first looks at one, a
   heap cannot have them. This is what -femulated-tls, which MinGW's gcc always means, calls for each look. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* As gcc and clang lay it out. `place` is 0 until some thread has looked. */
struct variable {
    size_t size;
    size_t alignment;
    uintptr_t place;
    const void *initial;
};

/* What a thread has: its variables, each with a byte before it that tells whether it has its initial value. */
enum { ROOM = 4096 };

#ifdef _WIN32
#include <windows.h>

/* One more than its number. */
static DWORD slot;

static DWORD the_slot(void)
{
    DWORD none = 0, made, known = __atomic_load_n(&slot, __ATOMIC_RELAXED);
    if (known != 0)
        return known - 1;
    made = TlsAlloc();
    if (made == TLS_OUT_OF_INDEXES)
        __builtin_trap();
    if (__atomic_compare_exchange_n(&slot, &none, made + 1, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return made;
    TlsFree(made);
    return none - 1;
}

static char *room(void)
{
    DWORD error = GetLastError(); /* a look that succeeds clears it */
    char *found = TlsGetValue(the_slot());
    SetLastError(error);
    return found;
}

static char *new_room(void)
{
    char *made = VirtualAlloc(NULL, ROOM, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (made == NULL || !TlsSetValue(the_slot(), made))
        __builtin_trap();
    return made;
}

/* For who sees threads off. */
void thread_locals_end(void)
{
    char *found = room();
    if (found == NULL)
        return;
    TlsSetValue(the_slot(), NULL);
    VirtualFree(found, 0, MEM_RELEASE);
}
#else
#include <pthread.h>
#include <sys/mman.h>

/* One more than its number. */
static pthread_key_t key;
static void end(void *room);

static pthread_key_t the_key(void)
{
    pthread_key_t none = 0, made, known = __atomic_load_n(&key, __ATOMIC_RELAXED);
    if (known != 0)
        return known - 1;
    if (pthread_key_create(&made, end) != 0)
        __builtin_trap();
    if (__atomic_compare_exchange_n(&key, &none, made + 1, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return made;
    pthread_key_delete(made);
    return none - 1;
}

/* Other keys' destructors may still look: it goes in a later round. */
static void end(void *room)
{
    char *rounds = room;
    if (++*rounds < 3)
        pthread_setspecific(the_key(), room);
    else
        munmap(room, ROOM);
}

static char *room(void)
{
    return pthread_getspecific(the_key());
}

static char *new_room(void)
{
    void *made = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED || pthread_setspecific(the_key(), made) != 0)
        __builtin_trap();
    return made;
}
#endif

/* Finds a variable its place, which is the same in all rooms. Of two threads that come at once, one loses some bytes. */
static uintptr_t place(struct variable *variable)
{
    static uintptr_t used = 1; /* the first byte counts rounds */
    uintptr_t none = 0, at, before = __atomic_load_n(&used, __ATOMIC_RELAXED);
    do {
        at = (before + 1 + variable->alignment - 1) / variable->alignment * variable->alignment;
        if (at + variable->size > ROOM)
            __builtin_trap();
    } while (!__atomic_compare_exchange_n(&used, &before, at + variable->size, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    if (__atomic_compare_exchange_n(&variable->place, &none, at, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return at;
    return none;
}

void *__emutls_get_address(void *looked_at)
{
    struct variable *variable = looked_at;
    uintptr_t at = __atomic_load_n(&variable->place, __ATOMIC_RELAXED);
    if (at == 0)
        at = place(variable);
    char *mine = room();
    if (mine == NULL)
        mine = new_room();
    char *value = mine + at;
    if (!value[-1]) {
        value[-1] = 1;
        if (variable->initial != NULL)
            memcpy(value, variable->initial, variable->size);
    }
    return value;
}

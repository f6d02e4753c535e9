// Destructors of other keys and the C library itself still use the heap when a thread's cleanup has run, or while it waits for its round.
#include "aware.h"

#include <dlfcn.h>

static pthread_key_t early, late;
static unsigned rounds;

static void again(void *value)
{
    free(OPAQUE(malloc(200)));
    void *block = OPAQUE(aligned_alloc(64, 64));
    free(OPAQUE(realloc(block, 300)));
    free(OPAQUE(calloc(3, 3)));
    if (value != &late) {
        return;
    }
    rounds++;
    pthread_setspecific(late, value);
}

static void *work(void *argument)
{
    pthread_setspecific(early, &early);
    pthread_setspecific(late, &late);
    CHECK(dlsym(RTLD_DEFAULT, "there is no such name") == NULL && dlerror() != NULL, "an error; saw a function");
    CHECK(dlsym(RTLD_DEFAULT, "there is no such name") == NULL, "an error; saw a function");
    use();
    return argument;
}

int main(void)
{
    pthread_t thread;
    use(); /* so that the heap's key, which its first call may make, is before these */
    /* More keys than a C library has room for in each thread: glibc allocates for the rest. */
    CHECK(pthread_key_create(&early, again) == 0, "a key; saw an error");
    for (int i = 0; i < 40; i++) {
        CHECK(pthread_key_create(&late, again) == 0, "a key; saw an error");
    }
    for (int i = 0; i < 3; i++) {
        note();
        rounds = 0;
        CHECK(pthread_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread; saw an error");
        CHECK(rounds >= 4, "the destructor in 4 rounds; saw %u", rounds);
        expect(1);
    }
    /* Else nothing came after a cleanup, and nothing was shown. */
    unsigned seen = is_required() ? count(AGAIN) : count(AFTER);
    CHECK(seen >= 3, "calls after each thread's cleanup; saw %u", seen);
    return 0;
}

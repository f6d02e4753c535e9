// A thread that comes to the heap no earlier than in a key's destructor is introduced, and seen off as long as a round is left in which its destructors run.
#include "aware.h"

enum { ROUNDS = 4 };

static pthread_key_t key;
static unsigned round_of_use, round_now;

static void destroy(void *value)
{
    round_now++;
    if (round_now == round_of_use) {
        use();
    }
    if (round_now < ROUNDS) {
        pthread_setspecific(key, value);
    }
}

static void *work(void *argument)
{
    pthread_setspecific(key, &key);
    return argument;
}

int main(void)
{
    pthread_t thread;
    use(); /* the heap's key is older than this one, and comes before it in each round */
    CHECK(pthread_key_create(&key, destroy) == 0, "a key; saw an error");
    for (round_of_use = 1; round_of_use <= ROUNDS; round_of_use++) {
        note();
        round_now = 0;
        CHECK(pthread_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread; saw an error");
        CHECK(round_now == ROUNDS, "the destructor in %d rounds; saw %u", ROUNDS, round_now);
        CHECK(count(INITS) - inits_before == 1, "a thread to be introduced; saw %u", count(INITS) - inits_before);
        /* One that is told of threads knows all of them from their beginning. Of one that first calls in
         * the last two rounds, nobody hears again: the heap keeps what it has for it. */
        unsigned known = is_required() && round_of_use > ROUNDS - 2 ? 0 : 1;
        unsigned ended = count(CLEANUPS) - count(AGAIN) - cleanups_before;
        CHECK(ended == known, "%u threads to be seen off after a first call in round %u; saw %u", known, round_of_use, ended);
    }
    return 0;
}

// A block may be freed or resized by another thread than the one that allocated it, also after that one has ended (C11 7.22.3: the functions act on one heap).
#include "law.h"
#include <pthread.h>

enum { pairs = 3, batches = 60, batch = 200 };

struct channel {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void *blocks[batch];
    size_t sizes[batch];
    int full;
};

static struct channel channels[pairs];

static void *produce(void *argument)
{
    struct channel *channel = (struct channel *)argument;
    unsigned state = (unsigned)(channel - channels) + 1;
    for (int round = 0; round < batches; round++) {
        void *blocks[batch];
        size_t sizes[batch];
        for (unsigned i = 0; i < batch; i++) {
            sizes[i] = 1 + law_random(&state) % (i % 40 ? 400 : 40000);
            blocks[i] = OPAQUE(malloc(OPAQUE((size_t)sizes[i])));
            CHECK(blocks[i] != NULL, "malloc(%zu) to succeed; saw NULL", sizes[i]);
            law_fill(blocks[i], sizes[i], i);
        }
        pthread_mutex_lock(&channel->lock);
        while (channel->full) {
            pthread_cond_wait(&channel->changed, &channel->lock);
        }
        memcpy(channel->blocks, blocks, sizeof blocks);
        memcpy(channel->sizes, sizes, sizeof sizes);
        channel->full = 1;
        pthread_cond_signal(&channel->changed);
        pthread_mutex_unlock(&channel->lock);
    }
    return NULL;
}

static void *consume(void *argument)
{
    struct channel *channel = (struct channel *)argument;
    for (int round = 0; round < batches; round++) {
        void *blocks[batch];
        size_t sizes[batch];
        pthread_mutex_lock(&channel->lock);
        while (!channel->full) {
            pthread_cond_wait(&channel->changed, &channel->lock);
        }
        memcpy(blocks, channel->blocks, sizeof blocks);
        memcpy(sizes, channel->sizes, sizeof sizes);
        channel->full = 0;
        pthread_cond_signal(&channel->changed);
        pthread_mutex_unlock(&channel->lock);
        for (unsigned i = 0; i < batch; i++) {
            CHECK(law_intact(blocks[i], sizes[i], i) == sizes[i], "a block of another thread to be intact; saw other bytes");
            if (i % 4 == 0) {
                blocks[i] = OPAQUE(realloc(blocks[i], OPAQUE(sizes[i] + 300)));
                CHECK(blocks[i] != NULL && law_intact(blocks[i], sizes[i], i) == sizes[i],
                      "realloc() of another thread's block to keep its content; saw %p", blocks[i]);
            }
            free(blocks[i]);
        }
    }
    return NULL;
}

static void *leave_behind(void *argument)
{
    void **blocks = (void **)argument;
    for (unsigned i = 0; i < 2000; i++) {
        blocks[i] = OPAQUE(malloc(OPAQUE((size_t)(1 + i % 500))));
        CHECK(blocks[i] != NULL, "malloc() to succeed; saw NULL");
        law_fill(blocks[i], 1 + i % 500, i);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[2 * pairs];
    for (int i = 0; i < pairs; i++) {
        pthread_mutex_init(&channels[i].lock, NULL);
        pthread_cond_init(&channels[i].changed, NULL);
        CHECK(pthread_create(&threads[2 * i], NULL, produce, &channels[i]) == 0, "a thread to start; saw an error");
        CHECK(pthread_create(&threads[2 * i + 1], NULL, consume, &channels[i]) == 0, "a thread to start; saw an error");
    }
    for (int i = 0; i < 2 * pairs; i++) {
        pthread_join(threads[i], NULL);
    }
    static void *left[2000];
    for (int round = 0; round < 10; round++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, leave_behind, left) == 0, "a thread to start; saw an error");
        pthread_join(thread, NULL);
        for (unsigned i = 0; i < 2000; i++) {
            CHECK(law_intact(left[i], 1 + i % 500, i) == 1 + i % 500, "a block of an ended thread to be intact; saw other bytes");
            free(left[i]);
        }
    }
    return 0;
}

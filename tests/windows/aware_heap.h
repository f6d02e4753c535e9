/* What a heap was told of threads. */
enum {
    AWARE_INITS,       /* threads introduced */
    AWARE_CLEANUPS,    /* cleanups, those after a thread's own end too */
    AWARE_AGAIN,       /* threads introduced again after they were seen off */
    AWARE_AFTER,       /* calls of threads that were seen off */
    AWARE_STRANGERS,   /* calls of threads that were never introduced */
    AWARE_OUT_OF_TURN, /* hooks of a thread in the wrong order */
    AWARE_CREATED,     /* whether there may be several threads */
    AWARE_COUNTS
};

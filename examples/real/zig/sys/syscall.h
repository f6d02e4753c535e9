/* jemalloc includes it on every Unix, and uses nothing of it on Apple's. */

/* What counted_heap.c counts. */
struct counters {
    long allocated, resized, freed;
    long foreign; /* blocks of other heaps that came back to this one */
};

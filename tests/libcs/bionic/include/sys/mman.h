#pragma once
#include <stddef.h>
/* off_t has 32 bits on 32-bit systems, whatever _FILE_OFFSET_BITS says of others' */
void *mmap(void *wish, size_t size, int protection, int flags, int file, long offset);
int munmap(void *block, size_t size);
int mprotect(void *block, size_t size, int protection);
int madvise(void *block, size_t size, int advice);
void *mremap(void *block, size_t size, size_t new_size, int flags, ...);
#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_PRIVATE 0x2
#define MAP_FIXED 0x10
#define MAP_ANON 0x20
#define MAP_NORESERVE 0x4000
#define MAP_FAILED ((void *)-1)
#define MADV_DONTNEED 4
#define MREMAP_MAYMOVE 1
#define MREMAP_FIXED 2

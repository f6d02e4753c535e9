// mallinfo() and mallinfo2() can be called and report nothing negative and nothing larger than the process (mallinfo(3)).
//@ symbols = ["mallinfo", "mallinfo2"]
#include "law.h"

int main(void)
{
    enum { count = 2000 };
    static void *blocks[count];
    for (int round = 0; round < 2; round++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        struct mallinfo info = mallinfo();
#pragma GCC diagnostic pop
        const int fields[] = {info.arena,   info.ordblks,  info.smblks,   info.hblks,    info.hblkhd,
                              info.usmblks, info.fsmblks, info.uordblks, info.fordblks, info.keepcost};
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
            CHECK(fields[i] >= 0, "field %zu of mallinfo() not to be negative; saw %d", i, fields[i]);
        }
#if __GLIBC_PREREQ(2, 33)
        struct mallinfo2 info2 = mallinfo2();
        const size_t fields2[] = {info2.arena,   info2.ordblks,  info2.smblks,   info2.hblks,    info2.hblkhd,
                                  info2.usmblks, info2.fsmblks, info2.uordblks, info2.fordblks, info2.keepcost};
        size_t process = law_process_bytes(0);
        for (size_t i = 0; i < sizeof fields2 / sizeof *fields2; i++) {
            CHECK(process == 0 || fields2[i] <= process, "field %zu of mallinfo2() not to exceed the process's %zu bytes; saw %zu", i,
                  process, fields2[i]);
        }
#endif
        for (size_t i = 0; i < count; i++) {
            free(blocks[i]);
            blocks[i] = OPAQUE(malloc(OPAQUE(i % 1000)));
            CHECK(blocks[i] != NULL, "malloc() to succeed after mallinfo(); saw NULL");
        }
    }
    for (size_t i = 0; i < count; i++) {
        free(blocks[i]);
    }
    return 0;
}

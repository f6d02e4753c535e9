#pragma once
#if defined __aarch64__
#define SYS_nanosleep 101
#elif defined __x86_64__
#define SYS_nanosleep 35
#else
#define SYS_nanosleep 162
#endif

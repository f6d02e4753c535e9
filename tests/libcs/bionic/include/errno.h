/* What simple_heap takes of bionic's headers, as bionic declares it; NDKs are not to be had here. */
#pragma once
int *__errno(void) __attribute__((const));
#define errno (*__errno())
#define ENOMEM 12
#define EINVAL 22

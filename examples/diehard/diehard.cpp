// The library: one heap, and the rendered header that makes it every program's malloc.
#include "diehard.hpp"
#include "redirect.hpp"

ALLOC8_REDIRECT(DieHard);

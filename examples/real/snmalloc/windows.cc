// snmalloc's functions in C, and two that Windows needs beside them.
#include "snmalloc/override/malloc.cc"

extern "C"
{
  void thread_locals_end();

  // Whose a block is: those of the C libraries, from before the hooks, come to free as well.
  bool sn_owns(void* ptr)
  {
    // Also of addresses that it has never seen, and before its first block.
    return snmalloc::Config::Backend::get_metaentry<true>(snmalloc::address_cast(ptr)).is_owned();
  }

  // The last of a thread.
  void sn_thread_cleanup()
  {
    _malloc_thread_cleanup();
    thread_locals_end();
  }
}

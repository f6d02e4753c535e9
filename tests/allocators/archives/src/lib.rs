//! Nothing: the allocators' crates are dependencies for the static libraries that their build scripts leave.

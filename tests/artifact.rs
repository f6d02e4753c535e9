//! What the readers of `src/artifact` say of files that real compilers and linkers made.
//!
//! Each test builds its files, because the claim is about what these tools do today.
mod artifact {
    mod archive;
    mod binding;
    mod cross;
    mod foreign;
    mod malformed;
    mod program;
    mod shared;
    mod toolbox;
}

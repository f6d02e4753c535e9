//! Windows' specs are what import libraries, headers and compilers say.
mod common;
mod spec_windows {
    mod conditions;
    mod exports;
    mod mutations;
    mod prototypes;
    mod toolbox;
}

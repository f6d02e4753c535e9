//! Empty: a package must have a target, and this one has dependencies alone.

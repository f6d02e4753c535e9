//! What a built library, archive or program really contains, read from its bytes.

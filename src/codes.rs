//! What each diagnostic's code means: stable, and told by `explain`.

/// A code's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// `A8001`.
    pub code: &'static str,
    /// One line.
    pub title: &'static str,
    /// What causes it and what to do.
    pub text: &'static str,
}

/// The page of a code.
pub fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|c| c.code.eq_ignore_ascii_case(code))
}

/// All codes, in order.
pub static CODES: &[Code] = &[];

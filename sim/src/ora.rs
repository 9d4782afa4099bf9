//! Errors as Oracle numbers them. Clients look at the number; the text is for people.

use std::fmt;

/// An error that a client gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OraError {
    /// The number: 942 for ORA-00942.
    pub code: u32,
    /// The text without the `ORA-nnnnn: ` in front.
    pub text: String,
    /// Where in the statement it is, in characters from 0, if that is known.
    pub position: Option<usize>,
}

impl OraError {
    /// An error without a position.
    pub fn new(code: u32, text: impl Into<String>) -> Self {
        Self { code, text: text.into(), position: None }
    }

    /// The same error at a place of the statement.
    pub fn at(mut self, position: usize) -> Self {
        self.position = Some(position);
        self
    }
}

impl fmt::Display for OraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ORA-{:05}: {}", self.code, self.text)
    }
}

impl std::error::Error for OraError {}

//! Errors inside a block.

use crate::ora::OraError;

/// An error on its way to a handler.
#[derive(Debug, Clone)]
pub(super) struct Raised {
    pub(super) error: OraError,
    /// The exception that RAISE named, if the block declared it.
    pub(super) name: Option<String>,
    /// The line of the statement that failed.
    pub(super) line: usize,
}

/// The number of an exception that the block declares and gives no number.
pub(super) const OWN: u32 = 6510;

/// What PL/SQL names.
const NAMED: [(&str, u32); 18] = [
    ("ACCESS_INTO_NULL", 6530),
    ("CASE_NOT_FOUND", 6592),
    ("CURSOR_ALREADY_OPEN", 6511),
    ("DUP_VAL_ON_INDEX", 1),
    ("INVALID_CURSOR", 1001),
    ("INVALID_NUMBER", 1722),
    ("LOGIN_DENIED", 1017),
    ("NO_DATA_FOUND", 1403),
    ("NOT_LOGGED_ON", 1012),
    ("PROGRAM_ERROR", 6501),
    ("ROWTYPE_MISMATCH", 6504),
    ("STORAGE_ERROR", 6500),
    ("SUBSCRIPT_BEYOND_COUNT", 6533),
    ("SYS_INVALID_ROWID", 1410),
    ("TIMEOUT_ON_RESOURCE", 51),
    ("TOO_MANY_ROWS", 1422),
    ("VALUE_ERROR", 6502),
    ("ZERO_DIVIDE", 1476),
];

/// The number of a predefined exception.
pub(super) fn predefined(name: &str) -> Option<u32> {
    let name = name.strip_prefix("STANDARD.").unwrap_or(name);
    NAMED.iter().find(|named| named.0 == name).map(|named| named.1)
}

/// What is said of an exception whose text is not known here.
const UNHANDLED: &str = "PL/SQL: unhandled exception";

/// The text of a predefined exception that RAISE names.
pub(super) fn text(code: u32) -> &'static str {
    match code {
        1403 => "no data found",
        1422 => "exact fetch returns more than requested number of rows",
        1476 => "divisor is equal to zero",
        1722 => "invalid number",
        6502 => "PL/SQL: numeric or value error",
        6501 => "PL/SQL: program error",
        6592 => "CASE not found while executing CASE statement",
        6511 => "PL/SQL: cursor already open",
        1001 => "invalid cursor",
        1 => "unique constraint violated",
        51 => "timeout occurred while waiting for a resource",
        _ => UNHANDLED,
    }
}

/// The text of SQLERRM for a number that is no error at hand.
pub(super) fn message(code: i64) -> String {
    let number = match code {
        0 => return "ORA-0000: normal, successful completion".into(),
        1 => return "User-Defined Exception".into(),
        100 => 1403,
        2.. => return format!(" -{code}: non-ORACLE exception "),
        _ => u32::try_from(code.unsigned_abs()).unwrap_or(u32::MAX),
    };
    match text(number) {
        UNHANDLED => {}
        known => return format!("ORA-{number:05}: {known}"),
    }
    format!("ORA-{number:05}: Message {number} not found;  product=RDBMS; facility=ORA")
}

impl Raised {
    /// An exception of the block's own: SQLCODE 1, and ORA-06510 if nobody handles it.
    pub(super) fn own(name: &str, line: usize) -> Self {
        let error = OraError::new(6510, "PL/SQL: unhandled user-defined exception");
        Self { error, name: Some(name.to_owned()), line }
    }

    /// SQLCODE.
    pub(super) fn sqlcode(&self) -> i64 {
        match self.error.code {
            6510 if self.name.is_some() => 1,
            1403 => 100,
            code => -i64::from(code),
        }
    }

    /// SQLERRM.
    pub(super) fn sqlerrm(&self) -> String {
        if self.sqlcode() == 1 { "User-Defined Exception".into() } else { self.error.to_string() }
    }

    /// A session that was killed is not asked.
    pub(super) fn catchable(&self) -> bool {
        !matches!(self.error.code, 28 | 45 | 600 | 1012 | 3113)
    }

    /// What the client gets.
    pub(super) fn unhandled(self) -> OraError {
        let text = format!("{}\nORA-06512: at line {}", self.error.text, self.line);
        OraError { text, position: None, ..self.error }
    }
}

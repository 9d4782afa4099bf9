//! What a statement needs besides tables: the time, the session, its settings.

use super::language::{AMERICAN, Language, NumericCharacters};
use crate::value::Value;

/// A moment: seconds since 1970 in UTC, and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Seconds.
    pub seconds: i64,
    /// Nanoseconds within the second.
    pub nanos: u32,
}

/// The session that runs a statement, as the statement sees it.
pub trait Environment {
    /// The time now. It has to stay the same while one statement runs.
    fn now(&self) -> Moment;

    /// What SYSDATE adds to UTC, in minutes.
    fn database_offset(&self) -> i16;

    /// What CURRENT_DATE adds to UTC, in minutes, as SESSIONTIMEZONE tells.
    fn session_offset(&self) -> i16;

    /// USER.
    fn user(&self) -> String;

    /// UID.
    fn user_id(&self) -> u32;

    /// SYS_CONTEXT; both names are upper-case. `None`: there is no such parameter in USERENV (ORA-02003). A namespace
    /// that does not exist gives `Some(Null)`.
    fn context(&self, namespace: &str, parameter: &str) -> Option<Value>;

    /// SESSIONTIMEZONE: the offset, or the name of a region.
    fn session_zone(&self) -> String {
        super::datetime::offset_text(self.session_offset())
    }

    /// NLS_DATE_LANGUAGE.
    fn language(&self) -> &'static Language {
        AMERICAN
    }

    /// NLS_NUMERIC_CHARACTERS.
    fn numeric_characters(&self) -> NumericCharacters {
        NumericCharacters::default()
    }

    /// NLS_DATE_FORMAT.
    fn date_format(&self) -> String {
        "DD-MON-RR".into()
    }

    /// NLS_TIMESTAMP_FORMAT.
    fn timestamp_format(&self) -> String {
        "DD-MON-RR HH.MI.SSXFF AM".into()
    }

    /// NLS_TIMESTAMP_TZ_FORMAT.
    fn timestamp_tz_format(&self) -> String {
        "DD-MON-RR HH.MI.SSXFF AM TZR".into()
    }
}

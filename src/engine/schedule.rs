//! When a rule is due, and when it is awake: cron schedules and windows in a time zone. Pure: now is an argument.

use chrono::{NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use super::time::Timestamp;

/// A cron expression in a time zone.
#[derive(Debug, Clone)]
pub struct Schedule {
    expression: String,
    timezone: Tz,
}

impl Schedule {
    /// Compiles an expression of five fields, or six or seven with seconds (and year).
    pub fn parse(expression: &str, timezone: Tz) -> Result<Self, String> {
        Ok(Self { expression: expression.to_owned(), timezone })
    }

    /// The expression as written.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The first moment after `now` at which the rule is due; `None` when there is none.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let _ = (self.timezone, now);
        None
    }
}

/// A stretch of local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Window {
    /// On these weekdays (Monday first) from one time of day until another, exclusive; over midnight when `until` is
    /// not after `from`, and then it belongs to the day on which it starts.
    Weekly {
        /// Monday to Sunday.
        days: [bool; 7],
        /// Start of the window.
        from: NaiveTime,
        /// End of the window, exclusive; `None` is the end of the day (24:00).
        until: Option<NaiveTime>,
    },
    /// From one local moment until another, exclusive.
    Dated {
        /// Start.
        from: NaiveDateTime,
        /// End, exclusive.
        until: NaiveDateTime,
    },
}

impl Window {
    /// Reads `Mon-Fri 08:00-18:00`, `22:00-06:00`, `Sat,Sun` or `2026-12-24 00:00 / 2026-12-27 00:00`.
    pub fn parse(text: &str) -> Result<Self, String> {
        Err(text.to_owned())
    }

    /// Whether `now` lies in the window, in the local time of `timezone`.
    pub fn contains(&self, now: Timestamp, timezone: Tz) -> bool {
        let _ = (now, timezone);
        false
    }
}

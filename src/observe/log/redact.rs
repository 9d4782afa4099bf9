//! What the log says of people: the values that a configuration wants withheld, and the reasons of a decision within
//! bounds. Everything personal in a line goes through here, whatever the format. The text of statements is withheld
//! always: it may hold secrets. What a policy's author wrote about such a value is withheld with it, since a test that
//! held tells the value.

use std::borrow::Cow;

use crate::engine::condition::Field;
use crate::engine::explain::Reason;
use crate::engine::guard::Spared;
use crate::engine::spare::SpareReason;

/// Stands where a value is withheld.
pub const WITHHELD: &str = "(withheld)";

/// Reasons in one line. A rule that needs more is told whole by `explain`, and by the audit.
pub const REASONS_MAX: usize = 16;

/// Bytes of one observed value, or of one test: a long list of names is cut.
pub const REASON_BYTES_MAX: usize = 256;

/// Values that tell of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personal {
    /// Database users: USERNAME, and the schema, which mostly is the same.
    Username,
    /// The client's operating system user.
    Osuser,
    /// The client's machine, terminal, port and process, and the program, into whose name clients write the machine.
    Machine,
    /// What the application says of itself and of its users: module, action, client info and client identifier.
    Client,
}

/// Which of them are withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Redaction(u8);

impl FromIterator<Personal> for Redaction {
    fn from_iter<I: IntoIterator<Item = Personal>>(personal: I) -> Self {
        Self(personal.into_iter().fold(0, |bits, it| bits | it.bit()))
    }
}

impl Personal {
    const fn bit(self) -> u8 {
        1 << self as u8
    }

    const fn of(field: Field) -> Option<Self> {
        Some(match field {
            Field::Username | Field::Schemaname => Self::Username,
            Field::Osuser => Self::Osuser,
            Field::Machine | Field::Terminal | Field::Port | Field::Process | Field::Program => {
                Self::Machine
            }
            Field::Module | Field::Action | Field::ClientInfo | Field::ClientIdentifier => {
                Self::Client
            }
            _ => return None,
        })
    }
}

impl Redaction {
    fn withholds(self, personal: Personal) -> bool {
        self.0 & personal.bit() != 0
    }

    /// A user name as the log may say it.
    pub(super) fn username(self, username: Option<&str>) -> Option<&str> {
        let shown = if self.withholds(Personal::Username) { WITHHELD } else { username? };
        username.map(|_| shown)
    }

    /// The reasons of a decision as the log may say them.
    pub(super) fn reasons(self, reasons: &[Reason]) -> String {
        let mut shown: Vec<String> =
            reasons.iter().take(REASONS_MAX).map(|reason| self.reason(reason)).collect();
        if let Some(more) = reasons.len().checked_sub(REASONS_MAX).filter(|more| *more > 0) {
            shown.push(format!("and {more} more"));
        }
        shown.join("; ")
    }

    fn reason(self, reason: &Reason) -> String {
        let Reason { field, observed: _, test } = reason;
        let asked = Field::named(field);
        if asked.and_then(Personal::of).is_some_and(|personal| self.withholds(personal)) {
            return format!("{field} {WITHHELD}");
        }
        let seen = without_statement(reason);
        format!("{field} {} ({})", cut(seen, REASON_BYTES_MAX), cut(test, REASON_BYTES_MAX))
    }

    /// Why a session stays as the log may say it. These sentences quote tests of policies, or whoever held the session
    /// back.
    pub(super) fn detail(self, spared: &Spared) -> &str {
        let quotes = matches!(
            spared.reason,
            SpareReason::ProtectedByName(_)
                | SpareReason::Unless
                | SpareReason::Silenced
                | SpareReason::Paused
        );
        if quotes && self != Self::default() { WITHHELD } else { spared.detail.as_str() }
    }
}

/// What was observed, but the text of a statement: that may hold secrets, and leaves the daemon nowhere.
pub fn without_statement(reason: &Reason) -> &str {
    match Field::named(reason.field) {
        Some(Field::SqlText | Field::SqlTextNormalized) => WITHHELD,
        _ => &reason.observed,
    }
}

/// The reasons of a decision for those outside.
pub fn without_statements(reasons: &[Reason]) -> Vec<Reason> {
    let one = |it: &Reason| Reason { observed: without_statement(it).to_owned(), ..it.clone() };
    reasons.iter().map(one).collect()
}

/// At most so much of a text, and a sign that there was more.
pub(super) fn cut(text: &str, bytes_max: usize) -> Cow<'_, str> {
    let end = text.floor_char_boundary(bytes_max);
    if end == text.len() { text.into() } else { format!("{}…", &text[..end]).into() }
}

#[cfg(test)]
mod tests;

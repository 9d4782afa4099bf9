//! Why a matched session stays, and why a rule stands still: closed lists, because their text is what people read.

use std::fmt;
use std::sync::Arc;

use super::protect::Protection;

/// Why a matched session is not ended. The order is the order in which reasons are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SpareReason {
    /// A built-in protection.
    Protected(Protection),
    /// An entry of `protect`.
    ProtectedByName(Arc<str>),
    /// The rule's `unless` is true.
    Unless,
    /// A `protect` or `unless` cannot be decided.
    Undecided,
    /// The rule's `for` still runs.
    Pending,
    /// `victims` chose others, or the action cannot be taken.
    NotSelected,
    /// `keep` leaves it to its group.
    Kept,
    /// Another rule has it.
    Claimed,
    /// Beyond a limit, with `on_exceed: truncate`.
    Limit,
    /// The rule found too many and stands still.
    Halted,
    /// Its undo is more than `max_undo_records`, or not known.
    Undo,
    /// A silence holds.
    Silenced,
    /// The daemon is paused.
    Paused,
    /// The rule's breaker is open.
    Breaker,
    /// Another daemon leads.
    Follower,
    /// An instance is missing, and the rule counts across instances.
    Partial,
    /// It is no longer what was judged.
    Changed,
}

impl SpareReason {
    /// The word in plans, logs and tests.
    pub fn because(&self) -> String {
        match self {
            Self::ProtectedByName(name) => format!("protect:{name}"),
            other => other.word().to_owned(),
        }
    }

    /// The word without the name of a `protect` entry: a closed list, fit for a metric's label.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Protected(protection) => protection.name(),
            Self::ProtectedByName(_) => "protect",
            Self::Unless => "unless",
            Self::Undecided => "undecided",
            Self::Pending => "pending",
            Self::NotSelected => "not-selected",
            Self::Kept => "kept",
            Self::Claimed => "claimed",
            Self::Limit => "limit",
            Self::Halted => "halted",
            Self::Undo => "undo",
            Self::Silenced => "silenced",
            Self::Paused => "paused",
            Self::Breaker => "breaker",
            Self::Follower => "follower",
            Self::Partial => "partial",
            Self::Changed => "changed",
        }
    }

    /// Every reason that is not a built-in protection, with its meaning.
    pub fn documented() -> [(Self, &'static str); 16] {
        [
            (Self::ProtectedByName(Arc::from("NAME")), "the entry NAME of `protect` holds"),
            (Self::Unless, "the rule's `unless` holds"),
            (Self::Undecided, "a `protect` or `unless` cannot be decided"),
            (Self::Pending, "the rule's `for` still runs"),
            (Self::NotSelected, "`victims` chose others, or the action cannot be taken"),
            (Self::Kept, "`keep` leaves it to its group"),
            (Self::Claimed, "another rule has it"),
            (Self::Limit, "beyond a limit, with `on_exceed: truncate`"),
            (Self::Halted, "the rule found more than a limit allows and stands still"),
            (Self::Undo, "its undo is more than `max_undo_records`, or not known"),
            (Self::Silenced, "a silence holds"),
            (Self::Paused, "the daemon is paused"),
            (Self::Breaker, "the rule's breaker is open"),
            (Self::Follower, "another daemon leads"),
            (Self::Partial, "an instance is missing"),
            (Self::Changed, "it is no longer what was judged"),
        ]
    }

    /// True for reasons that only come up for candidates: `pending` is said before them.
    pub const fn is_after_pending(&self) -> bool {
        !matches!(
            self,
            Self::Protected(_) | Self::ProtectedByName(_) | Self::Unless | Self::Undecided
        )
    }
}

/// Why a rule stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HaltReason {
    /// It found more than a limit allows.
    Limit,
    /// Outside its windows.
    Window,
    /// Its `only_when` does not hold, or is not known to.
    OnlyWhen,
    /// It is confined to other databases.
    Database,
    /// An instance is missing, and it counts across instances.
    Partial,
}

impl HaltReason {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Limit, Self::Window, Self::OnlyWhen, Self::Database, Self::Partial];

    /// What it means.
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Limit => "it found more than a limit allows",
            Self::Window => "outside its windows",
            Self::OnlyWhen => "its `only_when` does not hold, or is not known to",
            Self::Database => "it is confined to other databases",
            Self::Partial => "an instance is missing, and it counts across instances",
        }
    }

    /// The word in plans, logs and tests.
    pub const fn because(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Window => "window",
            Self::OnlyWhen => "only-when",
            Self::Database => "database",
            Self::Partial => "partial",
        }
    }
}

/// A sentence for people; shared where it is the same for many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// One of ours.
    Fixed(&'static str),
    /// One made for the occasion.
    Text(Arc<str>),
}

impl Detail {
    /// A sentence made for the occasion.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// The sentence.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Text(text) => text,
        }
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

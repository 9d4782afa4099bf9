//! What became of a tick: the approved plan, one [`Outcome`] for each of its ends, and what the tick itself went
//! through. Log, audit, metrics and the output of the command line are views of this one value; nothing here decides.

use std::fmt;
use std::sync::Arc;

use super::breaker::BreakerChange;
use super::guard::{ApprovedPlan, End};
use super::policy::Mode;
use super::pursuit::Verified;
use super::seen::Seen;
use super::standing::{Authority, Hold};
use super::time::{Span, Timestamp};

/// What became of one end. Closed: its words are labels of metrics and keys of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The session or its statement is ended.
    Ended,
    /// The server will end it (ORA-00031: marked for kill), and later observations tell when.
    Accepted,
    /// It was gone before (ORA-00030).
    AlreadyGone,
    /// It was no longer what was judged, and stays.
    Changed,
    /// Dry run: it would have been ended.
    Simulated,
    /// The rule only reports: there was nothing to do.
    Reported,
    /// The server or the account does not allow it; trying again changes nothing.
    Refused(Refusal),
    /// It was not ended.
    Failed(Failure),
    /// Sent, and no answer came in time; a later observation tells.
    Unknown,
}

/// Why an end was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// A privilege is missing, or the service forbids the statement (ORA-01031).
    Privilege,
    /// The server says that it is no user session (ORA-00029): a protection has failed.
    NotUserSession,
    /// The server says that it is our own session (ORA-00027): a protection has failed.
    OwnSession,
    /// This release, or this way of ending sessions, does not know the action.
    Unsupported,
}

/// Why an end failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Failure {
    /// The connection was lost before the statement was sent.
    Disconnected,
    /// The server did not understand us: a bug.
    Malformed,
    /// The server answered with an error that we do not know.
    Server,
    /// It was not tried: the daemon was leaving, nothing could be written down, the rule's breaker had opened, or
    /// what the plan rests on was too old or had changed.
    NotTried,
}

impl Outcome {
    /// The word in logs, audit and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Accepted => "accepted",
            Self::AlreadyGone => "already-gone",
            Self::Changed => "changed",
            Self::Simulated => "simulated",
            Self::Reported => "reported",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The word for the kind of refusal or failure.
    pub const fn kind(self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => Some(refusal.word()),
            Self::Failed(failure) => Some(failure.word()),
            Self::Ended
            | Self::Accepted
            | Self::AlreadyGone
            | Self::Changed
            | Self::Simulated
            | Self::Reported
            | Self::Unknown => None,
        }
    }

    /// True when what was decided was done, or would have been.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Ended | Self::Accepted | Self::Simulated)
    }

    /// True when somebody should look: what was decided was not done, or nobody knows.
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Refused(_) | Self::Failed(_) | Self::Unknown)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        self.kind().map_or(Ok(()), |kind| write!(f, " ({kind})"))
    }
}

impl Refusal {
    /// The word in logs, audit and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Privilege => "privilege",
            Self::NotUserSession => "not-user-session",
            Self::OwnSession => "own-session",
            Self::Unsupported => "unsupported",
        }
    }
}

impl Failure {
    /// The word in logs, audit and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Malformed => "malformed",
            Self::Server => "server",
            Self::NotTried => "not-tried",
        }
    }
}

/// Whether a database's enforcing rules enforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Acting {
    /// Every rule does what its mode says.
    #[default]
    AsRulesSay,
    /// Nothing is ended, whatever the rules say: `--dry-run`, a capture, no audit to write to, or a database that is
    /// not open for writing.
    DryRun,
}

impl Acting {
    /// Whether an end by a rule of this mode is only a rehearsal.
    pub fn is_dry_run(self, mode: Mode) -> bool {
        self == Self::DryRun || mode == Mode::DryRun
    }
}

/// Names one tick, and no other one: not after a restart, nor in another daemon, unless that started in the same
/// microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TickId {
    /// When the daemon started.
    pub run: Timestamp,
    /// Counts the daemon's ticks since then, over all databases, from 1.
    pub number: u64,
}

/// `1774744200123456-17`: the microsecond in which the daemon started, since 1970, and the number.
impl fmt::Display for TickId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.run.0, self.number)
    }
}

/// Due times of one rule that went by without a tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// The rule's name.
    pub rule: Arc<str>,
    /// How many, as far as they were counted.
    pub ticks: u64,
}

/// Everything about one tick.
#[derive(Debug, Clone)]
pub struct TickReport {
    /// Which tick.
    pub tick: TickId,
    /// What was decided.
    pub plan: ApprovedPlan,
    /// What became of each end, in the plan's order: one for one.
    pub outcomes: Vec<Outcome>,
    /// What was found of the sessions that were ended before.
    pub verified: Vec<Verified>,
    /// Breakers that opened or closed, in the order in which they did.
    pub breakers: Vec<BreakerChange>,
    /// Due times that went by since the last report, by rule name.
    pub missed: Vec<Missed>,
    /// From the first look to the last outcome.
    pub duration: Span,
    /// What of it was spent on what.
    pub phases: Phases,
    /// Whether enforcing rules enforced at this tick.
    pub acting: Acting,
    /// Whether this daemon leads, if that was asked: it is only when a rule that is due enforces.
    pub authority: Option<Authority>,
    /// Pauses and silences.
    pub holds: Vec<Hold>,
    /// The names of the rules that were due.
    pub due: Vec<Arc<str>>,
    /// What was seen.
    pub seen: Seen,
}

/// What the time of a tick was spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Phases {
    /// Looking at the database.
    pub look: Span,
    /// Deciding, and asking who leads.
    pub decide: Span,
    /// Writing down and ending.
    pub act: Span,
}

impl TickReport {
    /// Of a tick that has decided, and done nothing yet.
    pub fn of(tick: TickId, plan: ApprovedPlan, seen: Seen) -> Self {
        Self {
            tick,
            acting: plan.acting(),
            plan,
            outcomes: Vec::new(),
            verified: Vec::new(),
            breakers: Vec::new(),
            missed: Vec::new(),
            duration: Span::ZERO,
            phases: Phases::default(),
            authority: None,
            holds: Vec::new(),
            due: Vec::new(),
            seen,
        }
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        self.plan.database()
    }

    /// Each end with its outcome, in the plan's order.
    pub fn ends(&self) -> impl Iterator<Item = (&End, Outcome)> {
        self.plan.ends().iter().zip(self.outcomes.iter().copied())
    }

    /// How many ends came out so.
    pub fn count(&self, wanted: fn(Outcome) -> bool) -> usize {
        self.outcomes.iter().filter(|outcome| wanted(**outcome)).count()
    }
}

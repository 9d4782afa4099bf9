//! Compiled policies: valid by construction, in file order. `config` builds them; nobody else does.

use std::fmt;
use std::sync::Arc;

use chrono_tz::Tz;

use super::condition::{Comparison, Condition, Field, Leaf, Pattern};
use super::schedule::Schedule;
use super::time::{Span, Timestamp};
use super::window::Window;

/// Everything that a set of policy files says.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    /// Rules in file order: files in the order they were named, then as written.
    pub rules: Vec<Rule>,
    /// `protect` entries of all files: they hold for every rule.
    pub protections: Vec<Exemption>,
    /// Named queries of all files.
    pub queries: Vec<Query>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Unique over all files.
    pub name: String,
    /// The file it stands in, as it was named.
    pub file: String,
    /// Free text.
    pub description: Option<String>,
    /// Free text, carried into log, audit and notifications.
    pub owner: Option<String>,
    /// Free text, likewise.
    pub runbook: Option<String>,
    /// What makes two versions of a rule the same rule over a reload: its timers and counts survive then.
    pub identity: RuleIdentity,
    /// Whether matches are really ended.
    pub mode: Mode,
    /// When it is due.
    pub schedule: Schedule,
    /// In which its windows are meant.
    pub timezone: Tz,
    /// Who is matched.
    pub condition: Condition,
    /// Who is spared although matched; any entry that may be true spares.
    pub unless: Vec<Exemption>,
    /// `for`: how long a match must hold without a break.
    pub hold: Span,
    /// Younger sessions are `too-young`; zero switches the check off.
    pub min_session_age: Span,
    /// Which of the candidates.
    pub victims: Victims,
    /// What is done to them.
    pub action: Action,
    /// How many at most.
    pub limits: Limits,
    /// When it is put back to a dry run by itself; `None` is never.
    pub breaker: Option<Breaker>,
    /// If not empty, the rule is awake in these windows only.
    pub only_during: Vec<Window>,
    /// The rule sleeps in these.
    pub never_during: Vec<Window>,
    /// The rule sleeps until all hold.
    pub only_when: Vec<PopulationTest>,
    /// Databases that it is confined to; empty means all.
    pub databases: Vec<Pattern>,
    /// Built-in protections that it lifts.
    pub allow_protected: Vec<Liftable>,
}

/// Name and a hash of what decides whom it matches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleIdentity {
    /// The rule's name.
    pub name: String,
    /// Of `match` and `unless` as written: a rule that asks something else is another rule.
    pub fingerprint: u64,
}

/// Whether a rule ends sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// It says whom it would end.
    #[default]
    DryRun,
    /// It ends them.
    Enforce,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DryRun => "dry-run",
            Self::Enforce => "enforce",
        })
    }
}

/// An entry of `protect` or `unless`.
#[derive(Debug, Clone)]
pub struct Exemption {
    /// Its name; entries of `unless` may go without.
    pub name: Option<String>,
    /// Whom it spares.
    pub condition: Condition,
    /// The moment from which on it no longer does.
    pub until: Option<Timestamp>,
}

/// A named query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Its name.
    pub name: String,
    /// A SELECT returning INST_ID, SID, SERIAL#.
    pub sql: String,
    /// How often it is asked.
    pub every: Span,
    /// How long it may take.
    pub deadline: Span,
}

/// From candidates to victims.
#[derive(Debug, Clone, Default)]
pub struct Victims {
    /// What makes a group; empty: one group.
    pub group_by: Vec<GroupKey>,
    /// What must hold of a group.
    pub having: Having,
    /// The order within a group; ties and the default order are by logon time and identity.
    pub order: Vec<OrderKey>,
    /// How many to leave out at the front.
    pub skip: usize,
    /// How many to take at most.
    pub take: Option<usize>,
    /// How many live sessions of the group must be left.
    pub keep: usize,
}

impl Victims {
    /// True when every candidate is a victim.
    pub fn is_everybody(&self) -> bool {
        self.having.is_empty() && self.skip == 0 && self.take.is_none() && self.keep == 0
    }
}

/// One item of `group_by`.
#[derive(Debug, Clone)]
pub enum GroupKey {
    /// The value of a field.
    Field(Field),
    /// What the first group of a regular expression captures in a field of text.
    Capture {
        /// The expression.
        regex: regex::Regex,
        /// The field.
        of: Field,
    },
}

impl GroupKey {
    /// What tells two keys apart.
    fn identity(&self) -> (Field, Option<&str>) {
        match self {
            Self::Field(field) => (*field, None),
            Self::Capture { regex, of } => (*of, Some(regex.as_str())),
        }
    }
}

impl PartialEq for GroupKey {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for GroupKey {}

impl std::hash::Hash for GroupKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// Conditions on the candidates of a group.
#[derive(Debug, Clone, Default)]
pub struct Having {
    /// How many there are.
    pub count: Vec<Comparison>,
    /// Holds of all.
    pub every: Option<Condition>,
    /// Holds of at least one.
    pub some: Option<Condition>,
}

impl Having {
    /// True when nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.count.is_empty() && self.every.is_none() && self.some.is_none()
    }
}

/// One key of `order`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderKey {
    /// The field.
    pub field: Field,
    /// `-field`: the largest first. NULL is last either way.
    pub descending: bool,
}

/// What is done to a victim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it is only named.
    Report,
    /// The first rung, and what follows if the session is still there. Never empty.
    Ladder(Arc<[Rung]>),
}

impl Action {
    /// The texts of all rungs: `cancel_sql`, `kill immediate after 60s`.
    pub fn rungs(&self) -> Vec<String> {
        match self {
            Self::Report => vec!["report".to_owned()],
            Self::Ladder(rungs) => rungs.iter().map(ToString::to_string).collect(),
        }
    }

    /// The verb of the first rung; `None` for `report`.
    pub fn first(&self) -> Option<Verb> {
        match self {
            Self::Report => None,
            Self::Ladder(rungs) => rungs.first().map(|rung| rung.verb),
        }
    }

    /// The first rung as text, without its `after`.
    pub fn first_text(&self) -> &'static str {
        self.first().map_or("report", Verb::text)
    }
}

/// One rung of a ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// What is done.
    pub verb: Verb,
    /// How long after the previous rung; zero for the first.
    pub after: Span,
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb.text())?;
        if self.after > Span::ZERO {
            write!(f, " after {}", exact_span(self.after))?;
        }
        Ok(())
    }
}

/// Up to two minutes in seconds (`60s`), then in the largest unit that divides it (`5m`).
fn exact_span(span: Span) -> String {
    const SECONDS_UP_TO: i64 = 120;
    let seconds = span.0 / super::time::MICROS_PER_SECOND;
    if span.0 % super::time::MICROS_PER_SECOND == 0 && seconds < SECONDS_UP_TO {
        return format!("{seconds}s");
    }
    let units = super::time::UNITS;
    let (unit, micros) =
        units.into_iter().find(|(_, micros)| span.0 % micros == 0).unwrap_or(("ms", 1_000));
    format!("{}{unit}", span.0 / micros)
}

/// How a session or its statement is ended (facts, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// ALTER SYSTEM CANCEL SQL; 18c and later.
    CancelSql,
    /// ALTER SYSTEM KILL SESSION; the call blocks up to 60 s.
    KillPlain,
    /// … IMMEDIATE
    KillImmediate,
    /// … NOREPLAY
    KillNoreplay,
    /// … FORCE; documented from 23ai.
    KillForce,
    /// ALTER SYSTEM DISCONNECT SESSION … POST_TRANSACTION
    DisconnectPostTransaction,
    /// … IMMEDIATE
    DisconnectImmediate,
}

impl Verb {
    /// All of them, the mildest first.
    pub const ALL: [Self; 7] = [
        Self::CancelSql,
        Self::KillPlain,
        Self::KillImmediate,
        Self::KillNoreplay,
        Self::KillForce,
        Self::DisconnectPostTransaction,
        Self::DisconnectImmediate,
    ];

    /// True for DISCONNECT SESSION, which takes a session of one's own instance (facts, section 2.1).
    pub const fn disconnects(self) -> bool {
        matches!(self, Self::DisconnectPostTransaction | Self::DisconnectImmediate)
    }

    /// As policies and plans spell it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::CancelSql => "cancel_sql",
            Self::KillPlain => "kill plain",
            Self::KillImmediate => "kill immediate",
            Self::KillNoreplay => "kill noreplay",
            Self::KillForce => "kill force",
            Self::DisconnectPostTransaction => "disconnect post_transaction",
            Self::DisconnectImmediate => "disconnect immediate",
        }
    }
}

/// How many a rule may end. `None` is `unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Victims of one tick.
    pub per_tick: Option<u64>,
    /// Percent of the live user sessions that are not protected, in thousandths of a percent.
    pub percent_thousandths: Option<u64>,
    /// Victims within an hour, this tick included.
    pub per_hour: Option<u64>,
    /// Ends that are started within a second.
    pub per_second: Option<u64>,
    /// Undo records of one session.
    pub max_undo_records: Option<u64>,
    /// What happens beyond the first three of these.
    pub on_exceed: OnExceed,
}

impl Limits {
    /// No limit at all, as a database has by default: its rules have their own.
    pub const UNLIMITED: Self = Self {
        per_tick: None,
        percent_thousandths: None,
        per_hour: None,
        per_second: None,
        max_undo_records: None,
        on_exceed: OnExceed::Halt,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_tick: Some(10),
            percent_thousandths: Some(10_000),
            per_hour: Some(60),
            per_second: None,
            max_undo_records: Some(1_000_000),
            on_exceed: OnExceed::Halt,
        }
    }
}

/// What a rule does that found too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnExceed {
    /// Ends nobody: a set larger than expected means that the rule is wrong.
    #[default]
    Halt,
    /// Ends the first ones in the plan's order.
    Truncate,
}

/// When an enforcing rule is put back to a dry run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// Ends in a row that failed.
    pub failures: u64,
    /// Ended sessions that were back at once, within an hour.
    pub reconnects: u64,
    /// What *at once* means.
    pub within: Span,
    /// How long it stays open.
    pub reset: Reset,
}

impl Default for Breaker {
    fn default() -> Self {
        let reset = Reset::After(Span::seconds(3_600));
        Self { failures: 5, reconnects: 20, within: Span::seconds(10), reset }
    }
}

/// When a breaker closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// So long after it opened, by the database's clock.
    After(Span),
    /// When policies are loaded again.
    Reload,
}

/// One test of `only_when`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PopulationTest {
    /// What is measured.
    pub measure: PopulationMeasure,
    /// What must hold of it, in stored units (thousandths of a percent for the usages).
    pub comparisons: Vec<Comparison>,
    /// As written.
    pub shown: String,
}

/// What `only_when` can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PopulationMeasure {
    /// Sessions in percent of the limit, the highest of all instances.
    SessionUsage,
    /// Processes in percent of the limit, the highest of all instances.
    ProcessUsage,
    /// Candidates of the rule.
    Matching,
    /// ACTIVE user sessions.
    ActiveSessions,
}

impl PopulationMeasure {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::SessionUsage, Self::ProcessUsage, Self::Matching, Self::ActiveSessions];

    /// The key in a policy.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SessionUsage => "session_usage",
            Self::ProcessUsage => "process_usage",
            Self::Matching => "matching",
            Self::ActiveSessions => "active_sessions",
        }
    }

    /// True when the value is a percentage.
    pub const fn is_percent(self) -> bool {
        matches!(self, Self::SessionUsage | Self::ProcessUsage)
    }
}

/// Built-in protections that a rule may lift in writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Liftable {
    /// Scheduler job slaves.
    JobSlave,
    /// Data Pump masters and workers.
    DataPump,
    /// RMAN channels.
    Rman,
    /// GoldenGate, Streams, XStream.
    Replication,
    /// Sessions with an XA branch.
    XaBranch,
    /// Sessions that ask to be kept.
    SelfProtected,
}

impl Liftable {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::JobSlave,
        Self::DataPump,
        Self::Rman,
        Self::Replication,
        Self::XaBranch,
        Self::SelfProtected,
    ];

    /// The name in a policy.
    pub const fn name(self) -> &'static str {
        match self {
            Self::JobSlave => "job-slave",
            Self::DataPump => "data-pump",
            Self::Rman => "rman",
            Self::Replication => "replication",
            Self::XaBranch => "xa-branch",
            Self::SelfProtected => "self-protected",
        }
    }
}

impl Rule {
    /// Whether it ends sessions by itself, where nothing else holds it back.
    pub fn enforces(&self) -> bool {
        self.mode == Mode::Enforce && self.action != Action::Report
    }

    /// Every leaf the rule looks at, in the order of the file: `match`, `unless`, `having`.
    pub fn leaves(&self) -> Vec<&Leaf> {
        let having = &self.victims.having;
        std::iter::once(&self.condition)
            .chain(self.unless.iter().map(|exemption| &exemption.condition))
            .chain(having.every.iter())
            .chain(having.some.iter())
            .flat_map(Condition::leaves)
            .collect()
    }
}

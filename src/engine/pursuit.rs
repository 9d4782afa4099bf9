//! What becomes of sessions after an end that was sent: whether they are gone, and what is due while they are not.
//!
//! An answer of the server is not believed; the next snapshots are (facts, sections 2.5 and 6.3). The next rung of a
//! ladder is taken only while the rule still matches, and only when its time has come by the database's clock. Dry
//! runs are never pursued. A restart of the daemon takes up what the audit tells of it ([`Recalled`]); whoever it does
//! not tell of is met with the first rung again.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::guard::{ApprovedPlan, End};
use super::policy::{Action, Mode, PolicySet, Rule, Verb};
use super::report::Outcome;
use super::session::{
    Column, NumberColumn, Session, SessionKey, SessionLife, Snapshot, TextColumn,
};
use super::text::counted;
use super::time::{Span, Timestamp};

/// How often the last rung is repeated. What three more did not end, a fourth does not.
pub const RETRIES_MAX: u32 = 3;

/// How long after the last rung it is repeated: what a plain KILL may take (facts, section 2.2).
pub const RETRY_AFTER: Span = Span::seconds(60);

/// Sessions pursued at once, per database. With so many nobody new is ended: who is not pursued would be ended again
/// and again.
pub const PURSUITS_MAX: usize = 10_000;

/// The sessions that are pursued, by rule.
#[derive(Debug, Clone, Default)]
pub(super) struct Pursuits(BTreeMap<Arc<str>, BTreeMap<SessionLife, Pursuit>>);

/// One session life that a rule is about to end.
#[derive(Debug, Clone)]
struct Pursuit {
    username: Option<String>,
    action: Action,
    /// The last rung that was taken.
    rung: usize,
    verb: Verb,
    outcome: Outcome,
    /// How often that rung was repeated.
    retries: u32,
    /// When it was taken, at the latest.
    taken: Option<Timestamp>,
    /// SQL_ID and SQL_EXEC_ID of what was cancelled.
    statement: (Option<String>, Option<i64>),
    /// The undo records that were there when its end was first seen under way.
    undo_from: Option<i64>,
    /// What the last look after that said.
    finding: Option<Finding>,
}

/// What a later snapshot says of a pursued session. Closed: its words are keys of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    /// It is gone.
    Gone,
    /// STATUS KILLED and SERVER PSEUDO: it is ended, and only its client has not noticed.
    Unnoticed,
    /// The statement that was cancelled no longer runs; the session stays.
    Cancelled,
    /// STATUS KILLED with a server of its own: it is on its way, perhaps rolling back.
    Ending {
        /// Undo records when that was first seen.
        from: Option<i64>,
        /// Undo records now.
        to: Option<i64>,
    },
    /// It is still there, as if nothing had been sent.
    StillThere,
    /// Its instance did not answer, or the row lacks what would tell.
    NotKnown,
}

impl Finding {
    /// The word in log and audit.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Unnoticed => "unnoticed",
            Self::Cancelled => "cancelled",
            Self::Ending { .. } => "ending",
            Self::StillThere => "still-there",
            Self::NotKnown => "not-known",
        }
    }

    /// True when nothing more is to be done or to be awaited.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Gone | Self::Unnoticed | Self::Cancelled)
    }
}

/// What was found of one pursued session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The rule that ended it.
    pub rule: Arc<str>,
    /// Who.
    pub life: SessionLife,
    /// USERNAME.
    pub username: Option<String>,
    /// What was done last.
    pub verb: Verb,
    /// What was answered then.
    pub outcome: Outcome,
    /// What was found.
    pub finding: Finding,
    /// How long after that, by the database's clock, if both times are known.
    pub after: Option<Span>,
}

/// An end that an earlier run of the daemon wrote down before it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recalled {
    /// The rule.
    pub rule: String,
    /// Who.
    pub life: SessionLife,
    /// USERNAME.
    pub username: Option<String>,
    /// What was to be done.
    pub verb: Verb,
    /// When it was decided, by the database's clock.
    pub taken: Option<Timestamp>,
    /// What came of it; unknown where the run did not come to write that down.
    pub outcome: Outcome,
    /// Whether it is over: nothing was sent, or the session was found to be gone.
    pub is_over: bool,
}

/// What is due for a session that a rule chose.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// This rung, now.
    Rung(usize),
    /// A rung later on; when, for people.
    Later(String),
    /// Nothing more; why, for people.
    Exhausted(String),
}

impl Pursuits {
    /// What is due for this session.
    pub(super) fn due(&self, rule: &Rule, life: SessionLife, now: Option<Timestamp>) -> Due {
        let Some(pursuit) = self.get(&rule.name, life) else { return Due::Rung(0) };
        let Action::Ladder(rungs) = &rule.action else { return Due::Rung(0) };
        if pursuit.finding != Some(Finding::StillThere) {
            let verb = pursuit.verb.text();
            return Due::Later(format!("what became of it since {verb} is not known"));
        }
        let next = pursuit.rung + 1;
        let (rung, wait) = match rungs.get(next) {
            Some(rung) => (next, rung.after),
            None if pursuit.retries < RETRIES_MAX => (pursuit.rung, RETRY_AFTER),
            None => {
                let times = counted(u64::from(pursuit.retries), "repetition");
                let verb = pursuit.verb.text();
                return Due::Exhausted(format!("still there after {verb} and {times}"));
            }
        };
        let verb = rungs.get(rung).map_or("", |rung| rung.verb.text());
        match now.zip(pursuit.taken) {
            Some((now, taken)) if now.since(taken) >= wait => Due::Rung(rung),
            Some((_, taken)) => Due::Later(format!("{verb} is due at {}", taken.plus(wait))),
            None => Due::Later(format!("{verb} is due {wait} after {}", pursuit.verb.text())),
        }
    }

    /// The database's clock was set by so much.
    pub(super) fn shift(&mut self, by: Span) {
        for pursuit in self.0.values_mut().flat_map(BTreeMap::values_mut) {
            pursuit.taken = pursuit.taken.map(|at| at.plus(by));
        }
    }

    /// How many sessions may be taken up yet.
    pub(super) fn room(&self) -> usize {
        PURSUITS_MAX.saturating_sub(self.len())
    }

    /// True when the rule pursues the session.
    pub(super) fn has(&self, rule: &str, life: SessionLife) -> bool {
        self.get(rule, life).is_some()
    }

    /// True when some rule has sent for the session itself: it may go at any moment, though it is still there.
    pub(super) fn is_leaving(&self, life: SessionLife) -> bool {
        self.0.keys().filter_map(|rule| self.get(rule, life)).any(|it| it.verb != Verb::CancelSql)
    }

    /// Takes up what was sent. `at` is a time not before the last outcome.
    pub(super) fn take_up(
        &mut self,
        plan: &ApprovedPlan,
        outcomes: &[Outcome],
        at: Option<Timestamp>,
    ) {
        for (end, outcome) in plan.ends().iter().zip(outcomes) {
            let was_sent = matches!(outcome, Outcome::Ended | Outcome::Accepted | Outcome::Unknown);
            if let (true, false, Some(verb)) = (was_sent, plan.is_dry_run(end), end.verb()) {
                let of_rule = self.0.entry(Arc::clone(&end.rule)).or_default();
                let before = of_rule.get(&end.life);
                of_rule.insert(end.life, Pursuit::of(end, verb, *outcome, at, before));
            }
        }
    }

    /// Takes up what an earlier run sent, or may have sent, as long as the rule has that rung. Which statement was to
    /// be cancelled is not known any more, so whoever runs it is met with the first rung.
    pub(super) fn resume(&mut self, policies: &PolicySet, recalled: &Recalled) {
        let Recalled { rule, life, username, verb, taken, outcome, is_over } = recalled;
        let rule = policies.rules.iter().find(|it| it.name == *rule && it.mode == Mode::Enforce);
        let Some(rule) = rule else { return };
        let Action::Ladder(rungs) = &rule.action else { return };
        let Some(rung) = rungs.iter().position(|rung| rung.verb == *verb) else { return };
        let of_rule = self.0.entry(rule.name.as_str().into()).or_default();
        // A later record of the same session says more.
        of_rule.remove(life);
        if *is_over || *verb == Verb::CancelSql || self.room() == 0 {
            return;
        }
        let pursuit = Pursuit {
            username: username.clone(),
            action: rule.action.clone(),
            rung,
            verb: *verb,
            outcome: *outcome,
            retries: 0,
            taken: *taken,
            statement: (None, None),
            undo_from: None,
            finding: None,
        };
        self.0.entry(rule.name.as_str().into()).or_default().insert(*life, pursuit);
    }

    /// Looks for every pursued session; what is over is forgotten.
    pub(super) fn verify(&mut self, snapshot: &Snapshot, missing: &[u32]) -> Vec<Verified> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let rows: FxHashMap<SessionKey, usize> =
            snapshot.sessions.iter().map(|session| (session.key(), session.row())).collect();
        let now = snapshot.known_time();
        let mut found = Vec::new();
        for (rule, pursuits) in &mut self.0 {
            pursuits.retain(|life, pursuit| {
                let row = rows.get(&life.key).map(|row| snapshot.sessions.get(*row));
                let finding = match row {
                    None if missing.contains(&life.key.inst_id) => Finding::NotKnown,
                    None => Finding::Gone,
                    Some(session) => pursuit.find(*life, session),
                };
                pursuit.finding = Some(finding);
                found.push(Verified {
                    rule: Arc::clone(rule),
                    life: *life,
                    username: pursuit.username.clone(),
                    verb: pursuit.verb,
                    outcome: pursuit.outcome,
                    finding,
                    after: now.zip(pursuit.taken).map(|(now, taken)| now.since(taken)),
                });
                !finding.is_over()
            });
        }
        self.0.retain(|_, pursuits| !pursuits.is_empty());
        found
    }

    /// Forgets those of rules that are no longer there, enforce no more or do something else.
    pub(super) fn retain(&mut self, policies: &PolicySet) {
        let by_name: FxHashMap<&str, &Rule> =
            policies.rules.iter().map(|rule| (rule.name.as_str(), rule)).collect();
        self.0.retain(|name, pursuits| {
            let rule = by_name.get(&**name).filter(|rule| rule.mode == Mode::Enforce);
            pursuits.retain(|_, it| rule.is_some_and(|rule| rule.action == it.action));
            !pursuits.is_empty()
        });
    }

    /// A row that does not say when its session logged on may be any life under that key.
    fn get(&self, rule: &str, life: SessionLife) -> Option<&Pursuit> {
        let of_rule = self.0.get(rule)?;
        let of_key = || of_rule.iter().find(|(pursued, _)| pursued.key == life.key);
        let any = || of_key().map(|(_, pursuit)| pursuit);
        of_rule.get(&life).or_else(|| if life.logon_time.is_none() { any() } else { None })
    }

    fn len(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }
}

impl Pursuit {
    fn of(
        end: &End,
        verb: Verb,
        outcome: Outcome,
        taken: Option<Timestamp>,
        before: Option<&Self>,
    ) -> Self {
        let same_rung = before.filter(|before| before.rung == end.rung);
        Self {
            username: end.username.clone(),
            action: end.action.clone(),
            rung: end.rung,
            verb,
            outcome,
            retries: same_rung.map_or(0, |before| before.retries + 1),
            taken,
            statement: (end.witness.sql_id.clone(), end.witness.sql_exec_id),
            undo_from: None,
            finding: None,
        }
    }

    /// What a row under the session's key says. Two rows are of one life only where both say when they logged on.
    fn find(&mut self, life: SessionLife, session: Session<'_>) -> Finding {
        let now = session.life();
        if now != life {
            let told = now.logon_time.is_some() && life.logon_time.is_some();
            return if told { Finding::Gone } else { Finding::NotKnown };
        }
        if session.text(TextColumn::Status).is_none() {
            return Finding::NotKnown;
        }
        if session.is(TextColumn::Status, "KILLED") {
            return self.find_killed(session);
        }
        match self.verb {
            Verb::CancelSql => self.find_cancelled(session),
            _ => Finding::StillThere,
        }
    }

    fn find_killed(&mut self, session: Session<'_>) -> Finding {
        if session.is(TextColumn::Server, "PSEUDO") {
            return Finding::Unnoticed;
        }
        let to = session.number(NumberColumn::UsedUrec);
        self.undo_from = self.undo_from.or(to);
        Finding::Ending { from: self.undo_from, to }
    }

    fn find_cancelled(&self, session: Session<'_>) -> Finding {
        if !session.is(TextColumn::Status, "ACTIVE") {
            return Finding::Cancelled;
        }
        if !session.has(Column::Text(TextColumn::SqlId)) {
            return Finding::NotKnown;
        }
        let (sql_id, sql_exec_id) = &self.statement;
        let same = session.text(TextColumn::SqlId) == sql_id.as_deref()
            && session.number(NumberColumn::SqlExecId) == *sql_exec_id;
        if same { Finding::StillThere } else { Finding::Cancelled }
    }
}

//! One database as it is shown: what was last seen of it, and counts since the daemon started.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::minutes::Minutes;
use super::{RuleCard, Told};
use crate::engine::policy::Mode;
use crate::engine::report::{Acting, Outcome, Phases, TickReport};
use crate::engine::seen::Seen;
use crate::engine::session::Fetched;
use crate::engine::standing::Authority;
use crate::engine::time::{Span, Timestamp};

/// Upper bounds of how long ticks took, in seconds: from a look at an idle database to one that met every deadline.
pub const DURATION_BOUNDS: [f64; 10] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0];

/// A tick that runs longer than this is told as one that does not come back.
pub const RUNNING_LONG: Duration = Duration::from_mins(2);

/// One database.
#[derive(Debug, Clone, Default)]
pub struct DatabaseCard {
    /// What became of the last look.
    pub look: Look,
    /// When a look last succeeded, by the machine's clock.
    pub seen_at: Option<Timestamp>,
    /// The database's own time at that look, if it told it.
    pub taken_at: Option<Timestamp>,
    /// Sessions at that look, in all.
    pub sessions: usize,
    /// What that look saw.
    pub seen: Seen,
    /// What the reader of that look should know.
    pub warnings: Vec<String>,
    /// Since when a tick runs.
    pub running: Option<Instant>,
    /// Why the last tick could not be written down; nobody was ended then.
    pub unaudited: Option<String>,
    /// Whether enforcing rules enforced at the last tick.
    pub acting: Acting,
    /// Whether this daemon leads, as far as it was asked.
    pub authority: Option<Authority>,
    /// When it was asked, by the machine's clock.
    pub asked_at: Option<Timestamp>,
    /// Pauses and silences at the last tick.
    pub holds: Vec<HoldCard>,
    /// How ticks went.
    pub ticks: Ticks,
    /// How long they took.
    pub durations: Durations,
    /// What looks cost, in all.
    pub fetched: Fetched,
    /// The rules that were due here, by name.
    pub rules: BTreeMap<Arc<str>, RuleState>,
}

/// What became of a look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Look {
    /// None came back yet.
    #[default]
    Never,
    /// It saw the database.
    Seen,
    /// It did not; why.
    NotSeen(String),
}

/// A pause or a silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldCard {
    /// A silence; otherwise a pause.
    pub is_silence: bool,
    /// The rule that it is confined to.
    pub rule: Option<Arc<str>>,
    /// Whose word, and why.
    pub why: Arc<str>,
}

/// How many ticks came to which end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ticks {
    /// They saw, decided and wrote down.
    pub done: u64,
    /// They could not look.
    pub not_seen: u64,
    /// They could not write down.
    pub unaudited: u64,
}

/// How long ticks took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Durations {
    /// How many took at most so long and longer than the bound before; those beyond the last bound come last.
    pub counts: [u64; DURATION_BOUNDS.len() + 1],
    /// All of it.
    pub sum: Span,
    /// What it was spent on.
    pub phases: Phases,
}

/// A rehearsal, or in earnest; ordered so that rehearsals come first.
pub type IsDryRun = bool;

/// One rule on one database.
#[derive(Debug, Clone, Default)]
pub struct RuleState {
    /// Sessions that matched when it was last due.
    pub matching: usize,
    /// When that was, by the machine's clock.
    pub due_at: Option<Timestamp>,
    /// When it is due next, by the machine's clock.
    pub next: Option<Timestamp>,
    /// Why it stood still when it was last due: the word, and for people.
    pub stands: Option<(&'static str, String)>,
    /// Why its breaker is open.
    pub broken: Option<Arc<str>>,
    /// Matches over all ticks.
    pub matched: BTreeMap<IsDryRun, u64>,
    /// Ends by outcome.
    pub ends: BTreeMap<(IsDryRun, Outcome), u64>,
    /// Matched sessions that stayed, by the word for why.
    pub spared: BTreeMap<(IsDryRun, &'static str), u64>,
    /// Ticks at which it stood still, by the word for why.
    pub halted: BTreeMap<(IsDryRun, &'static str), u64>,
    /// Due times that went by.
    pub missed: u64,
    /// The last hour.
    pub minutes: Minutes,
}

impl DatabaseCard {
    /// A tick has begun, and these are the next ones.
    pub fn begun<'a>(&mut self, due: impl Iterator<Item = (&'a str, Option<Timestamp>)>) {
        self.running = Some(Instant::now());
        self.next(due);
    }

    /// When each rule is due next.
    pub fn next<'a>(&mut self, due: impl Iterator<Item = (&'a str, Option<Timestamp>)>) {
        for (rule, next) in due {
            self.rule(rule).next = next;
        }
    }

    /// These rules' breakers are open, with why: a database that comes back brings its own.
    pub fn broken(&mut self, open: Vec<(String, String)>) {
        for (rule, why) in open {
            self.rule(&rule).broken.get_or_insert_with(|| why.into());
        }
    }

    /// A look failed.
    pub fn not_seen(&mut self, why: String) {
        self.running = None;
        self.look = Look::NotSeen(why);
        self.ticks.not_seen += 1;
        // What other daemons do meanwhile is not known.
        self.forget_authority();
    }

    /// Who leads is not known, or not asked any more.
    pub(super) fn forget_authority(&mut self) {
        (self.authority, self.asked_at) = (None, None);
    }

    /// Whether the last look succeeded, and no tick has been running for long: what it says is recent then.
    pub fn is_reached(&self, now: Instant) -> bool {
        let long = |since: Instant| now.saturating_duration_since(since) > RUNNING_LONG;
        self.look == Look::Seen && !self.running.is_some_and(long)
    }

    pub(super) fn retain(&mut self, is_in_force: impl Fn(&str) -> bool) {
        self.rules.retain(|rule, _| is_in_force(rule));
    }

    pub(super) fn ticked(&mut self, told: &Told<'_>, rules: &[RuleCard], now: Timestamp) {
        let Told { report, unaudited } = told;
        let ended =
            if unaudited.is_some() { &mut self.ticks.unaudited } else { &mut self.ticks.done };
        *ended += 1;
        self.unaudited.clone_from(unaudited);
        self.running = None;
        self.look = Look::Seen;
        self.seen_at = Some(now);
        self.taken_at = report.plan.taken_at();
        self.sessions = report.plan.sessions();
        self.seen = report.seen.clone();
        self.warnings = report.plan.warnings().to_vec();
        self.acting = report.acting;
        if report.authority.is_some() {
            self.authority.clone_from(&report.authority);
            self.asked_at = Some(now);
        }
        self.holds = report.holds.iter().map(HoldCard::of).collect();
        self.durations.add(report);
        let Fetched { rows, bytes, round_trips } = report.seen.fetched;
        self.fetched.rows += rows;
        self.fetched.bytes += bytes;
        self.fetched.round_trips += round_trips;
        self.count(report, rules, now);
        // A tick that outlived a reload still told of rules that are gone.
        self.retain(|rule| rules.iter().any(|it| *it.name == *rule));
    }

    fn count(&mut self, report: &TickReport, rules: &[RuleCard], now: Timestamp) {
        let modes: BTreeMap<&str, Mode> = rules.iter().map(|it| (&*it.name, it.mode)).collect();
        let mode = |rule: &str| modes.get(rule).copied().unwrap_or(Mode::DryRun);
        let is_dry_run = |rule: &str| report.acting.is_dry_run(mode(rule));
        let mut matched: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for rule in &report.due {
            matched.insert(rule, (0, 0));
        }
        for (end, outcome) in report.ends() {
            let counts = matched.entry(&end.rule).or_default();
            counts.0 += 1;
            counts.1 += usize::from(outcome.is_done());
            let key = (report.acting.is_dry_run(end.mode), outcome);
            *self.rule(&end.rule).ends.entry(key).or_default() += 1;
        }
        for spared in report.plan.spared() {
            matched.entry(&spared.rule).or_default().0 += 1;
            let key = (is_dry_run(&spared.rule), spared.reason.word());
            *self.rule(&spared.rule).spared.entry(key).or_default() += 1;
        }
        for (name, (matching, ended)) in matched {
            let state = self.rule(name);
            *state.matched.entry(is_dry_run(name)).or_default() += matching as u64;
            (state.matching, state.due_at, state.stands) = (matching, Some(now), None);
            state.minutes.tell(matching, ended, now);
        }
        for halted in report.plan.halted() {
            let key = (is_dry_run(&halted.rule), halted.reason.because());
            let state = self.rule(&halted.rule);
            *state.halted.entry(key).or_default() += 1;
            state.stands = Some((halted.reason.because(), halted.detail.to_string()));
        }
        for change in &report.breakers {
            self.rule(&change.rule).broken.clone_from(&change.opened);
        }
        for missed in &report.missed {
            self.rule(&missed.rule).missed += missed.ticks;
        }
    }

    /// Rules that are not in force are let go of again, so that their number is that of the policies.
    fn rule(&mut self, name: &str) -> &mut RuleState {
        if !self.rules.contains_key(name) {
            self.rules.insert(Arc::from(name), RuleState::default());
        }
        self.rules.get_mut(name).expect("it was put there")
    }
}

impl HoldCard {
    fn of(hold: &crate::engine::standing::Hold) -> Self {
        let is_silence = hold.condition.is_some();
        Self { is_silence, rule: hold.rule.clone(), why: Arc::clone(&hold.why) }
    }
}

impl Durations {
    fn add(&mut self, report: &TickReport) {
        let seconds = report.duration.to_duration().as_secs_f64();
        let at = DURATION_BOUNDS.iter().position(|bound| seconds <= *bound);
        self.counts[at.unwrap_or(DURATION_BOUNDS.len())] += 1;
        let plus = |sum: &mut Span, more: Span| *sum = Span(sum.0.saturating_add(more.0));
        plus(&mut self.sum, report.duration);
        plus(&mut self.phases.look, report.phases.look);
        plus(&mut self.phases.decide, report.phases.decide);
        plus(&mut self.phases.act, report.phases.act);
    }
}

//! What the daemon shows of itself: one value, which the loop keeps up to date and which metrics, health and the status
//! page are views of. Reading it costs the loop no more than a few pointers, and changes nothing.

pub mod database;
pub mod minutes;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::log::redact::without_statements;
use super::notify::Told as HookTold;
use crate::engine::explain::Reason;
use crate::engine::guard::End;
use crate::engine::policy::{Mode, PolicySet, Rule};
use crate::engine::report::{Outcome, TickReport};
use crate::engine::session::SessionLife;
use crate::engine::time::Timestamp;
use database::DatabaseCard;

/// Decisions that are shown, over all databases; the audit has them all.
pub const DECISIONS_SHOWN_MAX: usize = 200;

/// Shared by the loop, which writes, and whoever shows it.
#[derive(Debug, Clone)]
pub struct Board(Arc<Mutex<State>>);

/// What is shown.
#[derive(Debug, Clone)]
pub struct State {
    /// By the machine's clock.
    pub started: Timestamp,
    /// What the daemon is about.
    pub stage: Stage,
    /// When the loop last turned.
    pub turned: Instant,
    /// Nobody is ended, whatever the rules say.
    pub all_dry_run: bool,
    /// The rules in force, in file order.
    pub rules: Arc<[RuleCard]>,
    /// What became of reloads.
    pub loads: Loads,
    /// The databases under watch, by name.
    pub databases: BTreeMap<String, Arc<DatabaseCard>>,
    /// The latest decisions, the newest first.
    pub decisions: VecDeque<Arc<Decision>>,
    /// Lines of the log that found no room.
    pub log_lines_lost: u64,
    /// What became of messages, by hook.
    pub hooks: BTreeMap<String, HookTold>,
}

/// What the daemon is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Loading for the first time.
    Loading,
    /// Starting ticks when they are due.
    Watching,
    /// About to leave.
    Leaving,
}

/// What became of loading policies and configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loads {
    /// How often it succeeded, the start included.
    pub succeeded: u64,
    /// How often it failed, and what was in force stayed.
    pub failed: u64,
    /// Whether the last one failed.
    pub last_failed: bool,
    /// When it last succeeded, by the machine's clock.
    pub succeeded_at: Option<Timestamp>,
}

/// A rule in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleCard {
    /// Its name.
    pub name: Arc<str>,
    /// The file it stands in.
    pub file: String,
    /// Free text.
    pub description: Option<String>,
    /// Free text.
    pub owner: Option<String>,
    /// Free text, often an address.
    pub runbook: Option<String>,
    /// Its own mode.
    pub mode: Mode,
    /// The rungs of its action, in order; `report` alone for a rule that only reports.
    pub action: Vec<String>,
    /// Its cron expression.
    pub schedule: String,
    /// In which the expression is meant.
    pub timezone: &'static str,
}

/// Something that was done to a session, or would have been.
#[derive(Debug, Clone)]
pub struct Decision {
    /// By the machine's clock.
    pub at: Timestamp,
    /// The database.
    pub database: String,
    /// The rule.
    pub rule: Arc<str>,
    /// Whose session.
    pub life: SessionLife,
    /// USERNAME.
    pub username: Option<String>,
    /// `kill immediate`, `report`.
    pub action: &'static str,
    /// A rehearsal.
    pub dry_run: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// The leaves that made `match` true.
    pub reasons: Vec<Reason>,
}

/// How a tick ended that saw its database.
#[derive(Debug)]
pub struct Told<'a> {
    /// What it did.
    pub report: &'a TickReport,
    /// Why it could not be written down.
    pub unaudited: Option<String>,
}

impl Board {
    /// Of a daemon that has not loaded anything yet.
    pub fn new(started: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State {
            started,
            stage: Stage::Loading,
            turned: Instant::now(),
            all_dry_run: true,
            rules: Arc::default(),
            loads: Loads::default(),
            databases: BTreeMap::new(),
            decisions: VecDeque::new(),
            log_lines_lost: 0,
            hooks: BTreeMap::new(),
        })))
    }

    /// What is shown now.
    pub fn read(&self) -> State {
        self.state().clone()
    }

    /// Changes one database's card, if the database is under watch.
    pub fn card(&self, database: &str, change: impl FnOnce(&mut DatabaseCard)) {
        if let Some(card) = self.state().databases.get_mut(database) {
            // A reader may hold on to the card as it was.
            change(Arc::make_mut(card));
        }
    }

    /// The loop turned.
    pub fn turned(&self, stage: Stage, log_lines_lost: u64) {
        let mut state = self.state();
        (state.stage, state.turned) = (stage, Instant::now());
        state.log_lines_lost = log_lines_lost;
    }

    /// Something else is in force from now on.
    pub fn loaded<'a>(
        &self,
        policies: &PolicySet,
        databases: impl Iterator<Item = &'a str>,
        all_dry_run: bool,
        now: Timestamp,
    ) {
        let mut state = self.state();
        state.rules = policies.rules.iter().map(RuleCard::of).collect();
        state.all_dry_run = all_dry_run;
        let Loads { succeeded, last_failed, succeeded_at, .. } = &mut state.loads;
        (*succeeded, *last_failed, *succeeded_at) = (*succeeded + 1, false, Some(now));
        let mut before = std::mem::take(&mut state.databases);
        for name in databases {
            let mut card = before.remove(name).unwrap_or_default();
            let rules = Arc::clone(&state.rules);
            Arc::make_mut(&mut card).retain(|rule| rules.iter().any(|it| *it.name == *rule));
            state.databases.insert(name.to_owned(), card);
        }
    }

    /// These hooks are told from now on.
    pub fn hooks<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let mut state = self.state();
        let mut before = std::mem::take(&mut state.hooks);
        let kept = names.map(|name| (name.to_owned(), before.remove(name).unwrap_or_default()));
        state.hooks = kept.collect();
    }

    /// Counts what became of a message.
    pub fn told<T: Default>(&self, hook: &str, count: impl FnOnce(&mut HookTold) -> T) -> T {
        self.state().hooks.get_mut(hook).map(count).unwrap_or_default()
    }

    /// What was to be loaded was not.
    pub fn not_loaded(&self) {
        let mut state = self.state();
        state.loads.failed += 1;
        state.loads.last_failed = true;
    }

    /// A tick came to its end.
    pub fn ticked(&self, told: &Told<'_>, now: Timestamp) {
        let report = told.report;
        let mut state = self.state();
        let rules = Arc::clone(&state.rules);
        if let Some(card) = state.databases.get_mut(report.database()) {
            Arc::make_mut(card).ticked(told, &rules, now);
        }
        for (end, outcome) in report.ends() {
            if state.decisions.len() == DECISIONS_SHOWN_MAX {
                state.decisions.pop_back();
            }
            state.decisions.push_front(Arc::new(Decision::of(report, end, outcome, now)));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RuleCard {
    fn of(rule: &Rule) -> Self {
        Self {
            name: Arc::from(rule.name.as_str()),
            file: rule.file.clone(),
            description: rule.description.clone(),
            owner: rule.owner.clone(),
            runbook: rule.runbook.clone(),
            mode: rule.mode,
            action: rule.action.rungs(),
            schedule: rule.schedule.expression().to_owned(),
            timezone: rule.timezone.name(),
        }
    }
}

impl Decision {
    fn of(report: &TickReport, end: &End, outcome: Outcome, at: Timestamp) -> Self {
        Self {
            at,
            database: report.database().to_owned(),
            rule: Arc::clone(&end.rule),
            life: end.life,
            username: end.username.clone(),
            action: end.verb_text(),
            dry_run: report.acting.is_dry_run(end.mode),
            outcome,
            reasons: without_statements(&end.reasons),
        }
    }
}

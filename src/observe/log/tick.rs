//! What a tick says: one summary, a line for each decision, and what else it met.

use std::collections::BTreeMap;

use super::kind::say;
use super::redact::{Redaction, label};
use super::{LevelHandle, Lost, Settings};
use crate::engine::breaker::BreakerChange;
use crate::engine::guard::{End, Halted, Spared};
use crate::engine::pursuit::{Finding, Verified};
use crate::engine::report::{Outcome, TickReport};
use crate::engine::spare::HaltReason;
use crate::engine::time::{MICROS_PER_SECOND, Span, Timestamp};

/// Warnings remembered so as not to be repeated. Beyond it all are forgotten, and said once more.
pub const WARNINGS_REMEMBERED_MAX: usize = 1_000;

/// A warning that was not seen for this long is said again when it comes back. Longer than the schedules of most
/// rules, so that a rule's warning is not news each time the rule is due.
pub const WARNING_IS_NEWS_AFTER: Span = Span::seconds(3_600);

/// Writes ticks to the log.
#[derive(Debug, Default)]
pub struct TickLog {
    /// By database and text: when it was last seen.
    warnings: BTreeMap<(String, String), Timestamp>,
    /// Counts the lines that were not written.
    lost: Option<Lost>,
    /// How many of them were told.
    lost_told: usize,
    level: Option<LevelHandle>,
    redact: Redaction,
    /// Tells ticks instead.
    teller: Option<Teller>,
}

/// Tells ticks in a way of its own.
pub struct Teller(pub Box<dyn FnMut(&TickReport) + Send>);

impl std::fmt::Debug for Teller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Teller")
    }
}

impl TickLog {
    pub(super) fn new(lost: Lost, level: LevelHandle, settings: Settings) -> Self {
        let (lost, level) = (Some(lost), Some(level));
        Self { lost, level, redact: settings.redact, ..Self::default() }
    }

    /// Ticks are told by `teller` and not logged.
    pub fn told_by(teller: Teller) -> Self {
        Self { teller: Some(teller), ..Self::default() }
    }

    #[cfg(test)]
    pub(super) fn of_lost(lost: Lost) -> Self {
        Self { lost: Some(lost), ..Self::default() }
    }

    /// From here on the log is written so, by whomever.
    pub fn apply(&mut self, settings: Settings) {
        self.redact = settings.redact;
        if let Some(level) = &self.level {
            // It fails only once the log is gone.
            level.modify(|level| *level = settings.level).ok();
        }
    }

    /// One summary, and a line for each decision.
    pub fn tick(&mut self, report: &TickReport) {
        if let Some(Teller(tell)) = &mut self.teller {
            return tell(report);
        }
        let redact = self.redact;
        summary(report);
        for (end, outcome) in report.ends() {
            decision(report, end, outcome, redact);
        }
        report.verified.iter().for_each(|verified| looked_after(report, verified, redact));
        report.plan.spared().iter().for_each(|spared| stays(report, spared, redact));
        report.plan.halted().iter().for_each(|halted| stood_still(report, halted));
        report.breakers.iter().for_each(|change| broke(report, change));
        self.warnings(report);
        self.lost();
    }

    /// What the log withholds.
    pub const fn redact(&self) -> Redaction {
        self.redact
    }

    /// How many lines were not written since the start.
    pub fn lines_lost(&self) -> u64 {
        self.lost.as_ref().map_or(0, |lost| lost.count() as u64)
    }

    /// Says how many lines were lost, until it is known that there was room to say it.
    pub fn lost(&mut self) {
        let Some(counter) = &self.lost else { return };
        let lost = counter.count();
        if lost == self.lost_told {
            return;
        }
        say!(LinesLost, lost = lost);
        if counter.count() == lost {
            self.lost_told = lost;
        }
    }

    fn warnings(&mut self, report: &TickReport) {
        let (database, tick) = (report.database(), report.tick);
        let now = report.plan.taken_at().unwrap_or_default();
        if self.warnings.len() >= WARNINGS_REMEMBERED_MAX {
            self.warnings.clear();
        }
        for warning in report.plan.warnings() {
            let key = (database.to_owned(), warning.clone());
            let before = self.warnings.insert(key, now);
            if before.is_none_or(|before| now.since(before) > WARNING_IS_NEWS_AFTER) {
                let detail = warning.as_str();
                say!(
                    Warning,
                    database = database,
                    tick = tracing::field::display(tick),
                    detail = detail
                );
            }
        }
        for missed in &report.missed {
            say!(
                Missed,
                rule = &*missed.rule,
                database = database,
                tick = tracing::field::display(tick),
                missed = missed.ticks
            );
        }
    }
}

fn summary(report: &TickReport) {
    say!(
        Tick,
        database = report.database(),
        tick = tracing::field::display(report.tick),
        sessions = report.plan.sessions(),
        ended = report.count(|it| matches!(it, Outcome::Ended | Outcome::Accepted)),
        would_end = report.count(|it| it == Outcome::Simulated),
        reported = report.count(|it| it == Outcome::Reported),
        gone_or_changed = report.count(|it| matches!(it, Outcome::AlreadyGone | Outcome::Changed)),
        trouble = report.count(Outcome::is_trouble),
        spared = report.plan.spared().len(),
        halted = report.plan.halted().len(),
        missed = report.missed.iter().map(|missed| missed.ticks).sum::<u64>(),
        duration_ms = report.duration.0 / 1_000
    );
}

fn decision(report: &TickReport, end: &End, outcome: Outcome, redact: Redaction) {
    let (owner, runbook) = (label(end.owner.as_deref()), label(end.runbook.as_deref()));
    macro_rules! line {
        ($kind:ident) => {
            say!(
                $kind,
                rule = &*end.rule,
                owner = owner.as_deref(),
                runbook = runbook.as_deref(),
                database = report.database(),
                tick = tracing::field::display(report.tick),
                inst_id = end.life.key.inst_id,
                sid = end.life.key.sid,
                serial = end.life.key.serial,
                username = redact.username(end.username.as_deref()),
                action = end.verb_text(),
                outcome = outcome.word(),
                because = outcome.kind(),
                mode = tracing::field::display(end.mode),
                dry_run = report.acting.is_dry_run(end.mode),
                reasons = redact.reasons(&end.reasons)
            )
        };
    }
    match outcome {
        Outcome::Ended => line!(Ended),
        Outcome::Accepted => line!(Ending),
        Outcome::AlreadyGone => line!(AlreadyGone),
        Outcome::Changed => line!(Changed),
        Outcome::Simulated => line!(WouldEnd),
        Outcome::Reported => line!(Reported),
        Outcome::Refused(_) => line!(Refused),
        Outcome::Failed(_) => line!(Failed),
        Outcome::Unknown => line!(Unknown),
    }
}

/// What is over is news, and a rollback that is watched is; the rest was said when it was done.
fn looked_after(report: &TickReport, verified: &Verified, redact: Redaction) {
    let Verified { rule, life, username, verb, outcome, finding, after } = verified;
    let (from, to) = match finding {
        Finding::Ending { from, to } => (*from, *to),
        _ => (None, None),
    };
    macro_rules! line {
        ($kind:ident) => {
            say!(
                $kind,
                rule = &**rule,
                database = report.database(),
                tick = tracing::field::display(report.tick),
                inst_id = life.key.inst_id,
                sid = life.key.sid,
                serial = life.key.serial,
                username = redact.username(username.as_deref()),
                action = verb.text(),
                outcome = outcome.word(),
                finding = finding.word(),
                seconds = after.map(|after| after.0 / MICROS_PER_SECOND),
                undo_from = from,
                undo = to
            )
        };
    }
    match finding {
        Finding::StillThere | Finding::NotKnown => line!(NotVerified),
        _ => line!(Verified),
    }
}

fn broke(report: &TickReport, change: &BreakerChange) {
    let (rule, database, tick) =
        (&*change.rule, report.database(), tracing::field::display(report.tick));
    if let Some(why) = &change.opened {
        say!(BreakerOpened, rule = rule, database = database, tick = tick, detail = &**why);
    } else {
        say!(BreakerClosed, rule = rule, database = database, tick = tick);
    }
}

fn stays(report: &TickReport, spared: &Spared, redact: Redaction) {
    say!(
        Spared,
        rule = &*spared.rule,
        database = report.database(),
        tick = tracing::field::display(report.tick),
        inst_id = spared.life.key.inst_id,
        sid = spared.life.key.sid,
        serial = spared.life.key.serial,
        because = spared.reason.because().as_str(),
        detail = redact.detail(spared)
    );
}

/// A rule that sleeps as it was told to is no news; one that met a limit, or could not see everything, is.
fn stood_still(report: &TickReport, halted: &Halted) {
    macro_rules! line {
        ($kind:ident) => {
            say!(
                $kind,
                rule = &*halted.rule,
                database = report.database(),
                tick = tracing::field::display(report.tick),
                because = halted.reason.because(),
                detail = halted.detail.as_str()
            )
        };
    }
    match halted.reason {
        HaltReason::Limit | HaltReason::Partial => line!(Halted),
        HaltReason::Window | HaltReason::OnlyWhen | HaltReason::Database => line!(Asleep),
    }
}

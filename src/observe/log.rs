//! The log: what a tick decided and did, as structured events with stable keys. Levels go by what the operator has to
//! do: nothing (debug), know (info), look soon (warn), act now (error). The text of statements is never logged, nor is
//! anything else that a rule observed: `explain` and the audit say why.
//!
//! A thread of its own writes it, so that a reader who stands still stops nobody. Lines that find no room are lost, and
//! how many is said when there is room again; the audit, which has to be whole, is another matter.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::{debug, info, warn};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::MakeWriter;

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

/// How the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line: `timestamp` (RFC 3339, UTC), `level`, `message`, and the event's own keys.
    Json,
}

/// There is a log already.
#[derive(Debug, thiserror::Error)]
#[error("the log cannot be set up")]
pub struct LogInitError(#[source] Box<dyn Error + Send + Sync>);

/// Lines that wait to be written, some 20 MiB of them. More than one tick over the largest captures writes at once, so
/// that a reader who reads loses nothing.
pub const LINES_WAITING_MAX: usize = 65_536;

/// How long the last lines may take when the process leaves.
pub const FLUSH_WITHIN: Duration = Duration::from_secs(2);

/// The log of the process, until it is closed.
#[derive(Debug)]
pub struct Log {
    worker: WorkerGuard,
    lost: ErrorCounter,
}

/// Sends everything up to `level` to standard error, for the whole process.
pub fn init(format: LogFormat, level: LevelFilter) -> Result<Log, LogInitError> {
    let color = io::stderr().is_terminal();
    let (writer, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING_MAX)
        .thread_name("log")
        .finish(io::stderr());
    let lost = writer.error_counter();
    let subscriber = subscriber(format, level, color, writer);
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|cause| LogInitError(Box::new(cause)))?;
    Ok(Log { worker, lost })
}

impl Log {
    /// Where ticks are written to.
    pub fn of_ticks(&self) -> TickLog {
        TickLog { lost: Some(self.lost.clone()), ..TickLog::default() }
    }

    /// Writes what is left, and these last words after it, unless that takes longer than [`FLUSH_WITHIN`]: a reader
    /// that stands still must not keep the process either.
    pub fn close(self, last_words: String) {
        let (done, is_done) = mpsc::channel();
        let flush = move || {
            drop(self.worker);
            // There is nobody left to tell, here and below.
            io::stderr().write_all(last_words.as_bytes()).ok();
            done.send(()).ok();
        };
        if thread::Builder::new().name("log-close".to_owned()).spawn(flush).is_ok() {
            is_done.recv_timeout(FLUSH_WITHIN).ok();
        }
    }
}

fn subscriber<W>(
    format: LogFormat,
    level: LevelFilter,
    color: bool,
    writer: W,
) -> Box<dyn tracing::Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(color)
        // It would report a broken standard error on standard error, and panic over it.
        .log_internal_errors(false)
        .with_writer(writer);
    match format {
        LogFormat::Text => Box::new(builder.finish()),
        LogFormat::Json => {
            Box::new(builder.json().flatten_event(true).with_current_span(false).finish())
        }
    }
}

/// Writes ticks to the log.
#[derive(Debug, Default)]
pub struct TickLog {
    /// By database and text: when it was last seen.
    warnings: BTreeMap<(String, String), Timestamp>,
    /// Counts the lines that found no room.
    lost: Option<ErrorCounter>,
    /// How many of them were told.
    lost_told: usize,
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
    /// Ticks are told by `teller` and not logged.
    pub fn told_by(teller: Teller) -> Self {
        Self { teller: Some(teller), ..Self::default() }
    }

    /// One summary, and a line for each decision.
    pub fn tick(&mut self, report: &TickReport) {
        if let Some(Teller(tell)) = &mut self.teller {
            return tell(report);
        }
        summary(report);
        for (end, outcome) in report.ends() {
            decision(report, end, outcome);
        }
        report.verified.iter().for_each(|verified| looked_after(report, verified));
        report.plan.spared().iter().for_each(|spared| stays(report, spared));
        report.plan.halted().iter().for_each(|halted| stood_still(report, halted));
        report.breakers.iter().for_each(|change| broke(report, change));
        self.warnings(report);
        self.lost();
    }

    /// How many lines found no room since the start.
    pub fn lines_lost(&self) -> u64 {
        self.lost.as_ref().map_or(0, |counter| counter.dropped_lines() as u64)
    }

    /// Says how many lines were lost, until it is known that there was room to say it.
    pub fn lost(&mut self) {
        let Some(counter) = &self.lost else { return };
        let lost = counter.dropped_lines();
        if lost == self.lost_told {
            return;
        }
        warn!(lost, "lines of the log were lost since the start: nobody read them in time");
        if counter.dropped_lines() == lost {
            self.lost_told = lost;
        }
    }

    fn warnings(&mut self, report: &TickReport) {
        let now = report.plan.taken_at().unwrap_or_default();
        if self.warnings.len() >= WARNINGS_REMEMBERED_MAX {
            self.warnings.clear();
        }
        for warning in report.plan.warnings() {
            let key = (report.database().to_owned(), warning.clone());
            let before = self.warnings.insert(key, now);
            if before.is_none_or(|before| now.since(before) > WARNING_IS_NEWS_AFTER) {
                warn!(database = report.database(), detail = warning.as_str(), "warning");
            }
        }
        for missed in &report.missed {
            let (rule, ticks) = (&*missed.rule, missed.ticks);
            warn!(database = report.database(), rule, missed = ticks, "due times were missed");
        }
    }
}

fn summary(report: &TickReport) {
    info!(
        database = report.database(),
        tick = %report.tick,
        sessions = report.plan.sessions(),
        ended = report.count(|it| matches!(it, Outcome::Ended | Outcome::Accepted)),
        would_end = report.count(|it| it == Outcome::Simulated),
        reported = report.count(|it| it == Outcome::Reported),
        gone_or_changed = report.count(|it| matches!(it, Outcome::AlreadyGone | Outcome::Changed)),
        trouble = report.count(Outcome::is_trouble),
        spared = report.plan.spared().len(),
        halted = report.plan.halted().len(),
        missed = report.missed.iter().map(|missed| missed.ticks).sum::<u64>(),
        duration_ms = report.duration.0 / 1_000,
        "tick"
    );
}

fn decision(report: &TickReport, end: &End, outcome: Outcome) {
    let dry_run = report.acting.is_dry_run(end.mode);
    // Macros fix the level, so the event is written twice; the keys are the same.
    macro_rules! line {
        ($level:ident) => {
            $level!(
                rule = &*end.rule,
                database = report.database(),
                inst_id = end.life.key.inst_id,
                sid = end.life.key.sid,
                serial = end.life.key.serial,
                username = end.username.as_deref(),
                action = end.verb_text(),
                outcome = outcome.word(),
                because = outcome.kind(),
                mode = %end.mode,
                dry_run,
                "{}",
                message(outcome)
            )
        };
    }
    if outcome.is_trouble() {
        line!(warn);
    } else {
        line!(info);
    }
}

const fn message(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ended => "ended",
        Outcome::Accepted => "ending",
        Outcome::AlreadyGone => "already gone",
        Outcome::Changed => "not ended: it changed",
        Outcome::Simulated => "would end",
        Outcome::Reported => "reported",
        Outcome::Refused(_) => "not ended: refused",
        Outcome::Failed(_) => "not ended: failed",
        Outcome::Unknown => "may be ended: no answer came in time",
    }
}

/// What is over is news, and a rollback that is watched is; the rest was said when it was done.
fn looked_after(report: &TickReport, verified: &Verified) {
    let Verified { rule, life, username, verb, outcome, finding, after } = verified;
    let (undo_from, undo) = match finding {
        Finding::Ending { from, to } => (*from, *to),
        _ => (None, None),
    };
    macro_rules! line {
        ($level:ident) => {
            $level!(
                rule = &**rule,
                database = report.database(),
                inst_id = life.key.inst_id,
                sid = life.key.sid,
                serial = life.key.serial,
                username = username.as_deref(),
                action = verb.text(),
                outcome = outcome.word(),
                finding = finding.word(),
                seconds = after.map(|after| after.0 / MICROS_PER_SECOND),
                undo_from,
                undo,
                "verified"
            )
        };
    }
    match finding {
        Finding::StillThere | Finding::NotKnown => line!(debug),
        _ => line!(info),
    }
}

fn broke(report: &TickReport, change: &BreakerChange) {
    let (rule, database) = (&*change.rule, report.database());
    if let Some(why) = &change.opened {
        warn!(rule, database, detail = &**why, "breaker open: the rule is back to a dry run");
    } else {
        warn!(rule, database, "breaker closed: the rule enforces again");
    }
}

fn stays(report: &TickReport, spared: &Spared) {
    let Spared { rule, life, reason, detail } = spared;
    debug!(
        rule = &**rule,
        database = report.database(),
        inst_id = life.key.inst_id,
        sid = life.key.sid,
        serial = life.key.serial,
        because = reason.because().as_str(),
        detail = detail.as_str(),
        "spared"
    );
}

/// A rule that sleeps as it was told to is no news; one that met a limit, or could not see everything, is.
fn stood_still(report: &TickReport, halted: &Halted) {
    let Halted { rule, reason, detail } = halted;
    let (rule, database, because) = (&**rule, report.database(), reason.because());
    match reason {
        HaltReason::Limit | HaltReason::Partial => {
            warn!(rule, database, because, detail = detail.as_str(), "halted");
        }
        HaltReason::Window | HaltReason::OnlyWhen | HaltReason::Database => {
            debug!(rule, database, because, detail = detail.as_str(), "asleep");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::level_filters::LevelFilter;

    use super::{LogFormat, TickLog, subscriber};
    use crate::engine::policy::Mode;
    use crate::engine::report::{Missed, Outcome, Refusal, TickId, TickReport};
    use crate::engine::seen::Seen;
    use crate::engine::time::Span;
    use crate::observe::fixture::{NOON, RuleSketch, plan_of, snapshot};

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panicked").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, level: LevelFilter, log: impl FnOnce()) -> Vec<String> {
        let captured = Captured::default();
        let writer = captured.clone();
        let subscriber = subscriber(format, level, false, move || writer.clone());
        tracing::subscriber::with_default(subscriber, log);
        let bytes = captured.0.lock().expect("nobody panicked").clone();
        let text = String::from_utf8(bytes).expect("a log is text");
        text.lines().map(str::to_owned).collect()
    }

    fn report(mode: Mode, outcome: Outcome) -> TickReport {
        let rule = RuleSketch { name: "idle", mode, ..RuleSketch::default() };
        let plan = plan_of(&[rule.build()], &snapshot(&[(7, "APP\nX"), (8, "SYS")]));
        TickReport {
            outcomes: vec![outcome],
            missed: vec![Missed { rule: "idle".into(), ticks: 2 }],
            duration: Span(1_500),
            ..TickReport::of(TickId { run: NOON, number: 1 }, plan, Seen::default())
        }
    }

    #[test]
    fn json_lines_have_stable_keys_and_begin_with_the_time_in_utc() {
        let report = report(Mode::DryRun, Outcome::Simulated);
        let lines =
            logged(LogFormat::Json, LevelFilter::DEBUG, || TickLog::default().tick(&report));
        let texts: Vec<String> = lines
            .iter()
            .map(|line| {
                let (time, rest) = line.split_once(',').expect("there is more than a time");
                let time = time.strip_prefix(r#"{"timestamp":""#).expect("it comes first");
                assert!(time.ends_with("Z\""), "{time}");
                rest.to_owned()
            })
            .collect();
        assert_eq!(
            texts,
            [
                concat!(
                    r#""level":"INFO","message":"tick","database":"prod","tick":"1774785600000000-1","#,
                    r#""sessions":2,"ended":0,"would_end":1,"reported":0,"gone_or_changed":0,"#,
                    r#""trouble":0,"spared":1,"halted":0,"missed":2,"duration_ms":1}"#
                ),
                concat!(
                    r#""level":"INFO","message":"would end","rule":"idle","database":"prod","#,
                    r#""inst_id":1,"sid":7,"serial":70,"username":"APP\nX","#,
                    r#""action":"kill immediate","outcome":"simulated","mode":"dry-run","#,
                    r#""dry_run":true}"#
                ),
                concat!(
                    r#""level":"DEBUG","message":"spared","rule":"idle","database":"prod","#,
                    r#""inst_id":1,"sid":8,"serial":80,"because":"oracle-maintained","#,
                    r#""detail":"an account that Oracle or the platform maintains"}"#
                ),
                concat!(
                    r#""level":"WARN","message":"due times were missed","database":"prod","#,
                    r#""rule":"idle","missed":2}"#
                ),
            ]
        );
    }

    #[test]
    fn a_user_name_cannot_begin_a_line_of_the_log() {
        let report = report(Mode::Enforce, Outcome::Ended);
        let lines = logged(LogFormat::Text, LevelFilter::INFO, || TickLog::default().tick(&report));
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[1].contains(r#"ended rule="idle""#), "{}", lines[1]);
    }

    #[test]
    fn trouble_is_a_warning_and_says_its_kind() {
        let report = report(Mode::Enforce, Outcome::Refused(Refusal::Privilege));
        let lines = logged(LogFormat::Json, LevelFilter::WARN, || TickLog::default().tick(&report));
        assert!(lines[0].contains(r#""outcome":"refused","because":"privilege""#), "{}", lines[0]);
    }

    #[test]
    fn a_limit_is_a_warning() {
        let rule = RuleSketch { per_tick: Some(0), ..RuleSketch::default() };
        let mut report = report(Mode::DryRun, Outcome::Simulated);
        report.plan = plan_of(&[rule.build()], &snapshot(&[(7, "APP")]));
        report.outcomes.clear();
        let lines = logged(LogFormat::Json, LevelFilter::WARN, || TickLog::default().tick(&report));
        assert!(lines[0].contains(r#""message":"halted","rule":"rule""#), "{}", lines[0]);
    }
}

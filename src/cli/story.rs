//! What a daemon does, told for people who watch: a few lines a tick, with the reasons that the log leaves out.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::engine::guard::End;
use crate::engine::pursuit::Finding;
use crate::engine::report::{Outcome, TickReport};
use crate::engine::spare::HaltReason;
use crate::engine::text::{counted, printable};

/// Ends shown of one rule at one tick; the rest is counted.
const ENDS_SHOWN_MAX: usize = 4;

/// Tells ticks, and leaves out what was told before and has not changed.
#[derive(Debug, Default)]
pub(super) struct Story {
    halted: Vec<String>,
    warned: Vec<String>,
}

impl Story {
    /// Writes what happened at one tick.
    pub(super) fn tell(&mut self, report: &TickReport, to: &mut dyn Write) -> io::Result<()> {
        let plan = &report.plan;
        let time = plan.taken_at().map(|at| at.to_utc().format("%H:%M:%S").to_string());
        write!(
            to,
            "{}  {}: ",
            time.unwrap_or_default(),
            counted(plan.sessions() as u64, "session")
        )?;
        let ended = report.count(|it| matches!(it, Outcome::Ended | Outcome::Accepted));
        let would = report.count(|it| it == Outcome::Simulated);
        let reported = report.count(|it| it == Outcome::Reported);
        let gone = report.count(|it| matches!(it, Outcome::AlreadyGone | Outcome::Changed));
        let told = [
            (ended, "ended"),
            (would, "would be ended"),
            (reported, "reported"),
            (gone, "gone or changed meanwhile"),
            (report.count(Outcome::is_trouble), "in trouble"),
        ];
        let mut told: Vec<String> = told
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        told.extend(spared(report));
        let told = if told.is_empty() { "nobody matches".to_owned() } else { told.join(", ") };
        writeln!(to, "{told} ({} ms)", report.duration.0 / 1_000)?;
        ends(report, to)?;
        verified(report, to)?;
        self.changes(report, to)
    }

    /// Rules that stand still, breakers and warnings, when they are news.
    fn changes(&mut self, report: &TickReport, to: &mut dyn Write) -> io::Result<()> {
        let mut halted = Vec::new();
        for it in report.plan.halted() {
            if matches!(it.reason, HaltReason::Limit | HaltReason::Partial) {
                if !self.halted.contains(&it.rule.to_string()) {
                    writeln!(to, "          {} stands still: {}", it.rule, it.detail)?;
                }
                halted.push(it.rule.to_string());
            }
        }
        self.halted = halted;
        for change in &report.breakers {
            match &change.opened {
                Some(why) => writeln!(
                    to,
                    "          {} is back to a dry run: {}",
                    change.rule,
                    printable(why)
                )?,
                None => writeln!(to, "          {} enforces again", change.rule)?,
            }
        }
        for warning in report.plan.warnings() {
            if !self.warned.contains(warning) {
                writeln!(to, "          note: {}", printable(warning))?;
                self.warned.push(warning.clone());
            }
        }
        Ok(())
    }
}

fn ends(report: &TickReport, to: &mut dyn Write) -> io::Result<()> {
    let mut last = None;
    let mut shown = 0;
    let all: Vec<(&End, Outcome)> = report.ends().collect();
    for (end, outcome) in &all {
        if last != Some(&end.rule) {
            last = Some(&end.rule);
            shown = 0;
            let of_rule = all.iter().filter(|(other, _)| other.rule == end.rule).count();
            writeln!(to, "          {} ({of_rule})", end.rule)?;
        }
        shown += 1;
        if shown > ENDS_SHOWN_MAX {
            continue;
        }
        let because: Vec<String> =
            end.reasons.iter().map(|it| format!("{} {}", it.field, it.observed)).collect();
        writeln!(
            to,
            "            {:<22} {:<14} {} of {}: {}",
            outcome_word(*outcome),
            end.life.key.to_string(),
            end.verb_text(),
            printable(end.username.as_deref().unwrap_or("nobody")),
            printable(&because.join(", "))
        )?;
    }
    Ok(())
}

/// How many stay, and why.
fn spared(report: &TickReport) -> Option<String> {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for it in report.plan.spared() {
        *reasons.entry(it.reason.because()).or_default() += 1;
    }
    let why: Vec<String> = reasons.iter().map(|(why, count)| format!("{count} {why}")).collect();
    let all = report.plan.spared().len();
    (all > 0).then(|| format!("{all} spared: {}", why.join(", ")))
}

/// What became of those that were ended at earlier ticks.
fn verified(report: &TickReport, to: &mut dyn Write) -> io::Result<()> {
    let count = |wanted: fn(&Finding) -> bool| {
        report.verified.iter().filter(|it| wanted(&it.finding)).count()
    };
    let gone = count(|it| matches!(it, Finding::Gone));
    if gone > 0 {
        writeln!(to, "          of those ended before, {gone} are seen to be gone")?;
    }
    for it in &report.verified {
        if let Finding::Ending { from: Some(from), to: Some(left) } = &it.finding {
            let key = it.life.key;
            writeln!(to, "          {key} rolls back: {left} of {from} undo records left")?;
        }
    }
    Ok(())
}

const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ended => "ended",
        Outcome::Accepted => "marked, ends soon",
        Outcome::AlreadyGone => "was gone already",
        Outcome::Changed => "left alone: it changed",
        Outcome::Simulated => "would be ended",
        Outcome::Reported => "reported",
        Outcome::Refused(_) => "refused",
        Outcome::Failed(_) => "failed",
        Outcome::Unknown => "no answer in time",
    }
}

//! What of a tick is news to somebody outside: what was done, and what changed since the tick before. What stays as it
//! was is told once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Event;
use crate::engine::explain::Reason;
use crate::engine::guard::End;
use crate::engine::policy::{Mode, PolicySet};
use crate::engine::report::{Outcome, TickReport};
use crate::engine::session::SessionLife;
use crate::engine::spare::{HaltReason, SpareReason};
use crate::engine::text::counted;
use crate::engine::time::Timestamp;

/// Sessions that one message names; the audit has them all.
pub const SESSIONS_NAMED_MAX: usize = 50;

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What kind of thing.
    pub event: Event,
    /// By the machine's clock.
    pub at: Timestamp,
    /// One sentence for people.
    pub summary: String,
    /// Where.
    pub database: Option<String>,
    /// By which rule.
    pub rule: Option<RuleFact>,
    /// Whether it was a rehearsal, where that can be.
    pub dry_run: Option<bool>,
    /// Why, for people.
    pub detail: Option<String>,
    /// Whose sessions, the first of them.
    pub sessions: Vec<SessionFact>,
    /// How many in all.
    pub sessions_in_all: usize,
}

/// What a message says of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFact {
    /// Its name.
    pub name: Arc<str>,
    /// Free text.
    pub owner: Option<String>,
    /// Free text.
    pub runbook: Option<String>,
}

/// What a message says of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFact {
    /// Who.
    pub life: SessionLife,
    /// USERNAME.
    pub username: Option<String>,
    /// What was done, or is to be.
    pub action: Option<&'static str>,
    /// What became of it.
    pub outcome: Option<&'static str>,
    /// Of which kind a refusal or failure was.
    pub kind: Option<&'static str>,
    /// How long of how long it waits.
    pub detail: Option<String>,
    /// The leaves that made `match` true.
    pub reasons: Vec<Reason>,
}

/// Remembers what was told, so that it is told once.
#[derive(Debug, Default)]
pub struct News {
    databases: BTreeMap<String, Known>,
}

/// What is known outside of one database.
#[derive(Debug, Default)]
struct Known {
    is_unreachable: bool,
    is_unaudited: bool,
    missing: BTreeSet<u32>,
    halted: BTreeSet<Arc<str>>,
    pending: BTreeMap<Arc<str>, FxHashSet<SessionLife>>,
    /// Whom a rule named and nobody ended: they are named again at each of its ticks.
    named: BTreeMap<Arc<str>, FxHashSet<SessionLife>>,
}

impl News {
    /// A database is not watched any more.
    pub fn forget(&mut self, database: &str) {
        self.databases.remove(database);
    }

    /// What a tick that saw its database has to tell.
    pub fn of_tick(
        &mut self,
        report: &TickReport,
        unaudited: Option<&str>,
        policies: &PolicySet,
        now: Timestamp,
    ) -> Vec<Message> {
        let known = self.databases.entry(report.database().to_owned()).or_default();
        known.retain(|rule| policies.rules.iter().any(|it| *it.name == *rule));
        let mut teller = Teller { report, policies, now, messages: Vec::new() };
        if std::mem::take(&mut known.is_unreachable) {
            teller.state(Event::Unreachable, "can be looked at again", None);
        }
        if known.is_unaudited != unaudited.is_some() {
            known.is_unaudited = unaudited.is_some();
            let now = if known.is_unaudited {
                "no audit, so nobody is ended"
            } else {
                "the audit can be written again"
            };
            teller.state(Event::NoAudit, now, unaudited);
        }
        teller.instances(known);
        teller.ends(known);
        teller.halts(known);
        for change in &report.breakers {
            let what = if change.opened.is_some() {
                "breaker open, back to a dry run"
            } else {
                "breaker closed"
            };
            teller.rule(Event::Breaker, &change.rule, what, change.opened.as_deref());
        }
        teller.pending(known);
        teller.messages
    }

    /// What a failed look has to tell.
    pub fn not_seen(&mut self, database: &str, why: &str, now: Timestamp) -> Option<Message> {
        let known = self.databases.entry(database.to_owned()).or_default();
        if std::mem::replace(&mut known.is_unreachable, true) {
            return None;
        }
        let mut message =
            Message::of(Event::Unreachable, now, format!("{database}: cannot be looked at"));
        message.database = Some(database.to_owned());
        message.detail = Some(why.to_owned());
        Some(message)
    }

    /// What a failed reload has to tell.
    pub fn not_reloaded(why: &str, now: Timestamp) -> Message {
        let summary = "not reloaded: what was in force stays".to_owned();
        let message = Message::of(Event::NotReloaded, now, summary);
        Message { detail: Some(why.to_owned()), ..message }
    }
}

impl Known {
    /// Forgets rules that are gone: their number is that of the policies.
    fn retain(&mut self, is_in_force: impl Fn(&str) -> bool) {
        self.halted.retain(|rule| is_in_force(rule));
        self.pending.retain(|rule, _| is_in_force(rule));
        self.named.retain(|rule, _| is_in_force(rule));
    }
}

impl Message {
    fn of(event: Event, at: Timestamp, summary: String) -> Self {
        Self {
            event,
            at,
            summary,
            database: None,
            rule: None,
            dry_run: None,
            detail: None,
            sessions: Vec::new(),
            sessions_in_all: 0,
        }
    }
}

/// What one rule did, of one kind.
type Ends<'a> = Vec<(&'a End, Outcome)>;

struct Teller<'a> {
    report: &'a TickReport,
    policies: &'a PolicySet,
    now: Timestamp,
    messages: Vec<Message>,
}

impl Teller<'_> {
    fn message(&self, event: Event, what: &str) -> Message {
        let database = self.report.database();
        let mut message = Message::of(event, self.now, format!("{database}: {what}"));
        message.database = Some(database.to_owned());
        message
    }

    fn state(&mut self, event: Event, what: &str, why: Option<&str>) {
        let message = self.message(event, what);
        self.messages.push(Message { detail: why.map(str::to_owned), ..message });
    }

    fn about(&self, event: Event, rule: &Arc<str>, what: &str) -> Message {
        let message = self.message(event, &format!("{rule}: {what}"));
        let known = self.policies.rules.iter().find(|it| *it.name == **rule);
        Message {
            rule: Some(RuleFact {
                name: Arc::clone(rule),
                owner: known.and_then(|it| it.owner.clone()),
                runbook: known.and_then(|it| it.runbook.clone()),
            }),
            dry_run: Some(self.report.acting.is_dry_run(known.map_or(Mode::DryRun, |it| it.mode))),
            ..message
        }
    }

    fn rule(&mut self, event: Event, rule: &Arc<str>, what: &str, why: Option<&str>) {
        let mut message = self.about(event, rule, what);
        // Of a rehearsal, too, it is the rule itself that is told of.
        message.detail = why.map(str::to_owned);
        self.messages.push(message);
    }

    fn instances(&mut self, known: &mut Known) {
        let instances = &self.report.seen.instances;
        let missing: BTreeSet<u32> =
            instances.iter().filter(|it| !it.answered).map(|it| it.inst_id).collect();
        if missing != known.missing {
            let what = if missing.is_empty() {
                "all instances answer again".to_owned()
            } else {
                let names: Vec<String> = missing.iter().map(u32::to_string).collect();
                format!("no answer from instance {}", names.join(", "))
            };
            self.state(Event::MissingInstance, &what, None);
            known.missing = missing;
        }
    }

    /// One message a rule for what was done, and one for what went wrong.
    fn ends(&mut self, known: &mut Known) {
        let mut named: BTreeMap<Arc<str>, FxHashSet<SessionLife>> = BTreeMap::new();
        let mut rules: BTreeMap<(&Arc<str>, Event, bool), Ends<'_>> = BTreeMap::new();
        for (end, outcome) in self.report.ends() {
            let event = match outcome {
                Outcome::Ended | Outcome::Accepted | Outcome::Simulated => Event::Ended,
                Outcome::Reported => Event::Reported,
                Outcome::Refused(_) | Outcome::Failed(_) | Outcome::Unknown => Event::Trouble,
                Outcome::AlreadyGone | Outcome::Changed => continue,
            };
            if matches!(outcome, Outcome::Simulated | Outcome::Reported) {
                named.entry(Arc::clone(&end.rule)).or_default().insert(end.life);
                if known.named.get(&end.rule).is_some_and(|before| before.contains(&end.life)) {
                    continue;
                }
            }
            let dry_run = event != Event::Reported && self.report.acting.is_dry_run(end.mode);
            rules.entry((&end.rule, event, dry_run)).or_default().push((end, outcome));
        }
        known.named.retain(|rule, _| !self.report.due.contains(rule));
        known.named.extend(named);
        for ((rule, event, dry_run), ends) in rules {
            let sessions = counted(ends.len() as u64, "session");
            let what = match (event, dry_run) {
                (Event::Ended, true) => format!("would end {sessions} (dry run)"),
                (Event::Ended, false) => format!("ended {sessions}"),
                (Event::Reported, _) => format!("reports {sessions}"),
                _ => format!("could not end {sessions}, or nobody knows"),
            };
            let mut message = self.about(event, rule, &what);
            message.dry_run = Some(dry_run);
            message.sessions_in_all = ends.len();
            let facts = ends.iter().take(SESSIONS_NAMED_MAX).map(|(end, outcome)| SessionFact {
                life: end.life,
                username: end.username.clone(),
                action: Some(end.verb_text()),
                outcome: Some(outcome.word()),
                kind: outcome.kind(),
                detail: None,
                reasons: end.reasons.clone(),
            });
            message.sessions = facts.collect();
            self.messages.push(message);
        }
    }

    /// A rule that stands still tick after tick is told once.
    fn halts(&mut self, known: &mut Known) {
        let worth = |reason| matches!(reason, HaltReason::Limit | HaltReason::Partial);
        let report = self.report;
        for halted in report.plan.halted().iter().filter(|it| worth(it.reason)) {
            if known.halted.insert(Arc::clone(&halted.rule)) {
                let detail = halted.detail.to_string();
                self.rule(Event::Halted, &halted.rule, "stands still", Some(&detail));
            }
        }
        // A rule that was not due may still stand.
        known.halted.retain(|rule| {
            let stands = |it: &&crate::engine::guard::Halted| it.rule == *rule && worth(it.reason);
            !report.due.contains(rule) || report.plan.halted().iter().any(|it| stands(&it))
        });
    }

    /// Each session is told once for as long as it waits without a break.
    fn pending(&mut self, known: &mut Known) {
        let report = self.report;
        let seen = report.seen.pending.iter();
        let names: FxHashMap<SessionLife, &Option<String>> =
            seen.map(|it| (it.life, &it.username)).collect();
        let mut waiting: BTreeMap<Arc<str>, (usize, Vec<SessionFact>)> = BTreeMap::new();
        let mut lives: BTreeMap<Arc<str>, FxHashSet<SessionLife>> = BTreeMap::new();
        for it in report.plan.spared().iter().filter(|it| it.reason == SpareReason::Pending) {
            lives.entry(Arc::clone(&it.rule)).or_default().insert(it.life);
            if known.pending.get(&it.rule).is_some_and(|told| told.contains(&it.life)) {
                continue;
            }
            let (in_all, facts) = waiting.entry(Arc::clone(&it.rule)).or_default();
            *in_all += 1;
            if facts.len() == SESSIONS_NAMED_MAX {
                continue;
            }
            facts.push(SessionFact {
                life: it.life,
                // A look names the first of those that wait.
                username: names.get(&it.life).copied().cloned().flatten(),
                action: None,
                outcome: None,
                kind: None,
                detail: Some(it.detail.to_string()),
                reasons: Vec::new(),
            });
        }
        for (rule, (in_all, sessions)) in waiting {
            let what = format!("{} began to wait", counted(in_all as u64, "session"));
            let mut message = self.about(Event::Pending, &rule, &what);
            (message.sessions, message.sessions_in_all) = (sessions, in_all);
            self.messages.push(message);
        }
        for rule in &report.due {
            known.pending.remove(rule);
        }
        known.pending.extend(lives);
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::{News, SESSIONS_NAMED_MAX};
    use crate::engine::policy::PolicySet;
    use crate::engine::report::{Outcome, TickId, TickReport};
    use crate::engine::seen::{PENDING_NAMED_MAX, Seen};
    use crate::engine::time::Span;
    use crate::observe::fixture::{NOON, RuleSketch, plan_of, snapshot};

    #[test]
    fn a_session_is_told_once_for_as_long_as_its_rule_is_there() {
        let rule = |name| RuleSketch { name, report: true, ..RuleSketch::DEFAULT }.build();
        let mut news = News::default();
        let mut told = |name| {
            let plan = plan_of(&[rule(name)], &snapshot(&[(7, "APP")]));
            let report = TickReport {
                due: vec![name.into()],
                outcomes: vec![Outcome::Reported; plan.ends().len()],
                ..TickReport::of(TickId { run: NOON, number: 1 }, plan, Seen::default())
            };
            let policies = PolicySet { rules: vec![rule(name)], ..PolicySet::default() };
            news.of_tick(&report, None, &policies, NOON).len()
        };
        assert_eq!([told("idle"), told("idle"), told("other"), told("idle")], [1, 0, 1, 1]);
    }

    #[test]
    fn all_that_wait_are_counted_and_each_is_told_once() {
        let rule = RuleSketch { hold: Span::seconds(60), ..RuleSketch::DEFAULT }.build();
        let policies = PolicySet { rules: vec![rule.clone()], ..PolicySet::default() };
        let mut news = News::default();
        let mut told = |sids: Range<u32>| {
            let rows: Vec<(u32, &str)> = sids.map(|sid| (sid, "APP")).collect();
            let seen = snapshot(&rows);
            let plan = plan_of(std::slice::from_ref(&rule), &seen);
            let summary = Seen::of(&seen, &plan);
            let tick = TickId { run: NOON, number: 1 };
            let report =
                TickReport { due: vec!["rule".into()], ..TickReport::of(tick, plan, summary) };
            let told = news.of_tick(&report, None, &policies, NOON);
            told.iter().map(|it| (it.sessions_in_all, it.sessions.len())).collect::<Vec<_>>()
        };
        let many = 3 * u32::try_from(PENDING_NAMED_MAX).expect("it is small");
        assert_eq!(told(1..many + 1), [(3 * PENDING_NAMED_MAX, SESSIONS_NAMED_MAX)]);
        assert_eq!(told(2..many + 2), [(1, 1)], "the first has gone and another one has come");
    }
}

//! What of a tick is news to somebody outside: what was done, and what changed since the tick before. What stays as it
//! was is told once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::Event;
use crate::engine::explain::Reason;
use crate::engine::guard::End;
use crate::engine::policy::{Mode, PolicySet};
use crate::engine::report::{Outcome, TickReport};
use crate::engine::session::SessionLife;
use crate::engine::spare::HaltReason;
use crate::engine::text::counted;
use crate::engine::time::Timestamp;
use crate::observe::log::redact::without_statements;

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
    /// Forgets databases that are watched no more.
    pub fn retain(&mut self, is_watched: impl Fn(&str) -> bool) {
        self.databases.retain(|name, _| is_watched(name));
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
                reasons: without_statements(&end.reasons),
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
        let mut waiting: BTreeMap<Arc<str>, Vec<SessionFact>> = BTreeMap::new();
        let mut lives: BTreeMap<Arc<str>, FxHashSet<SessionLife>> = BTreeMap::new();
        for it in &report.seen.pending {
            lives.entry(Arc::clone(&it.rule)).or_default().insert(it.life);
            if known.pending.get(&it.rule).is_some_and(|told| told.contains(&it.life)) {
                continue;
            }
            waiting.entry(Arc::clone(&it.rule)).or_default().push(SessionFact {
                life: it.life,
                username: it.username.clone(),
                action: None,
                outcome: None,
                kind: None,
                detail: Some(it.detail.clone()),
                reasons: Vec::new(),
            });
        }
        for (rule, mut sessions) in waiting {
            let in_all = sessions.len();
            sessions.truncate(SESSIONS_NAMED_MAX);
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

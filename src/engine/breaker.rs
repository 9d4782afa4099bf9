//! Breakers: a rule whose ends fail, or change nothing because the pool just reconnects, is put back to a dry run for a
//! while. Everything here only ever keeps a rule from ending sessions.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::guard::{ApprovedPlan, End};
use super::policy::{Action, Breaker, Mode, PolicySet, Reset, Rule, Verb};
use super::report::{Failure, Outcome, Refusal};
use super::session::{NumberColumn, Session, SessionLife, Snapshot, TextColumn};
use super::time::{MICROS_PER_SECOND, Span, Timestamp};

/// Reconnects count for so long: as long as `per_hour` looks back.
pub const RECONNECTS_COUNT_FOR: Span = Span::seconds(3_600);

/// Ticks with ends that are remembered for their reconnects, per rule; beyond it the oldest is forgotten. More than one
/// a minute in the hour for which they count.
pub const WAVES_MAX: usize = 120;

/// The breakers of one database, by rule.
#[derive(Debug, Clone, Default)]
pub(super) struct Breakers {
    states: BTreeMap<Arc<str>, State>,
    /// What changed and was not told yet.
    changes: Vec<BreakerChange>,
}

/// What is known of one rule.
#[derive(Debug, Clone, Default)]
struct State {
    /// Ends that failed, since one was done.
    failures: u64,
    waves: Vec<Wave>,
    open: Option<Open>,
}

#[derive(Debug, Clone)]
struct Open {
    /// `None`: nobody knew the time.
    since: Option<Timestamp>,
    why: Arc<str>,
}

/// What tells a pool's sessions from others: program, machine, user name.
type Client = [Option<String>; 3];

/// The sessions that a rule ended at one tick.
#[derive(Debug, Clone)]
struct Wave {
    /// When they were seen, in whole seconds as LOGON_TIME is.
    from: Timestamp,
    /// When the last of them was ended, at the latest.
    ended: Timestamp,
    /// How many of each client did not come back yet.
    away: BTreeMap<Client, u64>,
    /// Sessions that are no reconnects: they were there before, or are counted.
    known: FxHashSet<SessionLife>,
    reconnects: u64,
}

/// A breaker that opened or closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerChange {
    /// The rule's name.
    pub rule: Arc<str>,
    /// Why it opened; `None`: it closed.
    pub opened: Option<Arc<str>>,
}

/// The breakers of a plan's rules while it is carried out: they open as soon as an outcome opens them.
#[derive(Debug, Clone, Default)]
pub struct Fuses(BTreeMap<Arc<str>, Fuse>);

#[derive(Debug, Clone, Copy)]
struct Fuse {
    failures: u64,
    limit: u64,
}

impl Fuses {
    /// Takes in what became of an end that was sent.
    pub fn take(&mut self, end: &End, outcome: Outcome) {
        // A privilege that one rule lacks, all lack.
        if outcome == Outcome::Refused(Refusal::Privilege) {
            self.0.values_mut().for_each(|fuse| fuse.failures = fuse.limit);
        } else if let Some(fuse) = self.0.get_mut(&end.rule) {
            fuse.failures = failures_after(fuse.failures, outcome);
        }
    }

    /// True when nobody else of this end's rule is to be ended.
    pub fn stops(&self, end: &End) -> bool {
        self.0.get(&end.rule).is_some_and(|fuse| fuse.failures >= fuse.limit)
    }
}

/// Failures in a row after one more outcome.
const fn failures_after(failures: u64, outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Ended | Outcome::Accepted => 0,
        Outcome::Failed(Failure::NotTried)
        | Outcome::AlreadyGone
        | Outcome::Changed
        | Outcome::Simulated
        | Outcome::Reported => failures,
        Outcome::Failed(_) | Outcome::Refused(_) | Outcome::Unknown => failures + 1,
    }
}

impl Breakers {
    /// Why the rule's breaker is open and since when, if it is.
    pub(super) fn why_open(&self, rule: &Rule) -> Option<String> {
        let breaker = rule.breaker?;
        let open = self.states.get(rule.name.as_str())?.open.as_ref()?;
        let since = open.since.map_or_else(|| "an unknown time".to_owned(), |at| at.to_string());
        let until = match (breaker.reset, open.since) {
            (Reset::After(span), Some(since)) => format!("until {}", since.plus(span)),
            (Reset::After(span), None) => format!("for {span}"),
            (Reset::Reload, _) => "until a reload".to_owned(),
        };
        Some(format!("open since {since}, {until}: {}", open.why))
    }

    /// The database's clock was set by so much. Whether somebody came back cannot be told across that.
    pub(super) fn shift(&mut self, by: Span) {
        for state in self.states.values_mut() {
            state.waves.clear();
            if let Some(open) = &mut state.open {
                open.since = open.since.map(|at| at.plus(by));
            }
        }
    }

    /// What stops the rest of a rule while a plan is carried out.
    pub(super) fn fuses(&self, policies: &PolicySet) -> Fuses {
        let with_breaker = policies.rules.iter().filter_map(|rule| Some((rule, rule.breaker?)));
        let of_rules = with_breaker.map(|(rule, breaker)| {
            let failures = self.states.get(rule.name.as_str()).map_or(0, |state| state.failures);
            (rule.name.as_str().into(), Fuse { failures, limit: breaker.failures })
        });
        Fuses(of_rules.collect())
    }

    /// Counts who came back, opens what has to open, and closes what had its time. To be done with every snapshot.
    pub(super) fn look(&mut self, policies: &PolicySet, snapshot: &Snapshot) -> Vec<BreakerChange> {
        if let Some(now) = snapshot.known_time() {
            for rule in &policies.rules {
                let Some(breaker) = rule.breaker else { continue };
                let Some(state) = self.states.get_mut(rule.name.as_str()) else { continue };
                if state.closes(breaker, now) {
                    *state = State::default();
                    self.changes
                        .push(BreakerChange { rule: rule.name.as_str().into(), opened: None });
                }
                state.count_reconnects(breaker, snapshot, now);
                let reconnects: u64 = state.waves.iter().map(|wave| wave.reconnects).sum();
                if reconnects >= breaker.reconnects && state.open.is_none() {
                    let why = format!(
                        "{reconnects} of the sessions it ended were back within {} (the same program, machine and \
                         user name)",
                        breaker.within
                    );
                    self.open(&rule.name, Some(now), &why);
                }
            }
        }
        self.told()
    }

    /// Takes in what became of a plan's ends; the last of them was done by `at`.
    pub(super) fn take_up(
        &mut self,
        policies: &PolicySet,
        snapshot: &Snapshot,
        plan: &ApprovedPlan,
        outcomes: &[Outcome],
        at: Option<Timestamp>,
    ) -> Vec<BreakerChange> {
        let sent = plan.ends().iter().zip(outcomes);
        let sent = sent.filter(|(end, _)| end.action != Action::Report && !plan.is_dry_run(end));
        for (end, outcome) in sent {
            let Some(rule) = policies.rules.iter().find(|rule| *rule.name == *end.rule) else {
                continue;
            };
            let Some(breaker) = rule.breaker else { continue };
            let state = self.states.entry(Arc::clone(&end.rule)).or_default();
            state.take(end, *outcome, snapshot, at);
            let failures = state.failures;
            if *outcome == Outcome::Refused(Refusal::Privilege) {
                self.open_all(policies, at);
            } else if failures >= breaker.failures {
                let why = format!("{failures} ends in a row failed, the last was {outcome}");
                self.open(&rule.name, at, &why);
            }
        }
        self.told()
    }

    /// Forgets rules that are gone, no longer enforce or have no breaker, and closes those that wait for a reload.
    pub(super) fn retain(&mut self, policies: &PolicySet) {
        let changes = &mut self.changes;
        self.states.retain(|name, state| {
            let rule = policies.rules.iter().find(|rule| *rule.name == **name);
            let breaker = rule.filter(|rule| rule.mode == Mode::Enforce).and_then(|it| it.breaker);
            let stays = breaker.is_some_and(|breaker| {
                state.open.is_none() || matches!(breaker.reset, Reset::After(_))
            });
            if state.open.is_some() && !stays {
                changes.push(BreakerChange { rule: Arc::clone(name), opened: None });
            }
            stays
        });
    }

    /// A privilege that one rule lacks, all lack.
    fn open_all(&mut self, policies: &PolicySet, at: Option<Timestamp>) {
        let enforcing =
            policies.rules.iter().filter(|rule| rule.enforces() && rule.breaker.is_some());
        for rule in enforcing {
            self.open(&rule.name, at, "the account lacks the privilege to end sessions");
        }
    }

    fn open(&mut self, rule: &str, since: Option<Timestamp>, why: &str) {
        let name: Arc<str> = rule.into();
        let state = self.states.entry(Arc::clone(&name)).or_default();
        if state.open.is_none() {
            let why: Arc<str> = why.into();
            state.open = Some(Open { since, why: Arc::clone(&why) });
            self.changes.push(BreakerChange { rule: name, opened: Some(why) });
        }
    }

    fn told(&mut self) -> Vec<BreakerChange> {
        std::mem::take(&mut self.changes)
    }
}

impl State {
    /// Whether it was open for long enough. What opened at an unknown time counts from the next known one on.
    fn closes(&mut self, breaker: Breaker, now: Timestamp) -> bool {
        let Some(open) = &mut self.open else { return false };
        let since = *open.since.get_or_insert(now);
        matches!(breaker.reset, Reset::After(span) if now.since(since) >= span)
    }

    fn take(&mut self, end: &End, outcome: Outcome, seen: &Snapshot, at: Option<Timestamp>) {
        self.failures = failures_after(self.failures, outcome);
        if matches!(outcome, Outcome::Ended | Outcome::Accepted)
            && end.verb() != Some(Verb::CancelSql)
            && let (Some(from), Some(ended)) = (seen.known_time(), at)
        {
            self.remember(end, from, ended, seen);
        }
    }

    fn remember(&mut self, end: &End, from: Timestamp, ended: Timestamp, seen: &Snapshot) {
        let from = whole_second(from);
        if self.waves.last().is_none_or(|wave| (wave.from, wave.ended) != (from, ended)) {
            let known = seen.sessions.iter().map(Session::life).collect();
            let away = BTreeMap::new();
            self.waves.push(Wave { from, ended, away, known, reconnects: 0 });
        }
        if self.waves.len() > WAVES_MAX {
            self.waves.remove(0);
        }
        let victim = seen.sessions.iter().find(|session| session.life() == end.life);
        if let (Some(wave), Some(victim)) = (self.waves.last_mut(), victim) {
            *wave.away.entry(client(victim)).or_default() += 1;
        }
    }

    /// Every new session is the reconnect of one that was ended, at most.
    fn count_reconnects(&mut self, breaker: Breaker, snapshot: &Snapshot, now: Timestamp) {
        self.waves.retain(|wave| now.since(wave.ended) < RECONNECTS_COUNT_FOR);
        let Some(first) =
            self.waves.iter().filter(|it| !it.away.is_empty()).map(|it| it.from).min()
        else {
            return;
        };
        for session in snapshot.sessions.iter() {
            let Some(logon) = session.time(NumberColumn::LogonTime) else { continue };
            if logon < first {
                continue;
            }
            let (life, client) = (session.life(), client(session));
            let came_back = |wave: &&mut Wave| {
                let in_time = logon >= wave.from && logon <= wave.ended.plus(breaker.within);
                in_time && !wave.known.contains(&life) && wave.away.contains_key(&client)
            };
            let Some(wave) = self.waves.iter_mut().find(came_back) else { continue };
            wave.reconnects += 1;
            if let Some(away) = wave.away.get_mut(&client) {
                *away -= 1;
            }
            wave.away.retain(|_, away| *away > 0);
            for wave in &mut self.waves {
                wave.known.insert(life);
            }
        }
        for wave in self.waves.iter_mut().filter(|it| now > it.ended.plus(breaker.within)) {
            wave.away = BTreeMap::new();
            wave.known = FxHashSet::default();
        }
    }
}

/// LOGON_TIME is a DATE: it has no fraction.
fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp(at.0.div_euclid(MICROS_PER_SECOND) * MICROS_PER_SECOND)
}

fn client(session: Session<'_>) -> Client {
    [TextColumn::Program, TextColumn::Machine, TextColumn::Username]
        .map(|column| session.text(column).map(str::to_owned))
}

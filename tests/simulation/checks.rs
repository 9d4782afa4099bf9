//! What must hold whenever a daemon sends for a session, and after each tick.

use std::sync::Arc;

use orawarden::engine::guard::End;
use orawarden::engine::policy::{Action, Mode, Verb};
use orawarden::engine::pursuit::{Finding, RETRIES_MAX, RETRY_AFTER};
use orawarden::engine::report::{Failure, Outcome, TickReport};
use orawarden::engine::session::SessionLife;
use rac_sim::cluster::SECOND;
use rac_sim::cluster::session::SessionKey;

use crate::policy::RuleSpec;
use crate::truth::Truth;
use crate::world::{Daemon, Held, Memory, View, World};

/// What `per_hour` looks back on.
const HOUR: i64 = 3_600 * SECOND;

pub(crate) const fn model_key(life: SessionLife) -> SessionKey {
    let key = life.key;
    SessionKey { inst_id: key.inst_id, sid: key.sid, serial: key.serial }
}

impl Memory {
    /// Whether the clock was set between the log-on and now, and the daemon can tell: of what was set before its first
    /// look it knows nothing.
    fn lost_age(&self, was: &Truth) -> bool {
        let known = self.began.is_some_and(|(at, jump)| was.logon >= at || was.jump == jump);
        known && self.set_after.is_some_and(|at| was.logon < at)
    }
}

/// Failures in a row that open a breaker.
const FAILURES_MAX: u64 = 5;

impl World {
    /// The daemon was shown something: what has held since when.
    pub(crate) fn remember_matches(&mut self, daemon: usize, due: &[usize]) {
        let own = self.own(daemon);
        let Daemon { policies, view, memory, .. } = &mut self.daemons[daemon];
        for spec in due.iter().map(|at| &policies.specs[*at]).filter(|spec| spec.hold > 0) {
            let asked = (&spec.asks, &spec.users, &spec.unless);
            let before = memory.held.remove(&format!("{}{asked:?}", spec.name)).unwrap_or_default();
            let is_meant = |key: &SessionKey, was: &Truth| {
                was.untouchable.is_none()
                    && !own.contains(key)
                    && !["KILLED", "CACHED"].contains(&was.status)
                    && spec.names(was, policies.protected_machine)
            };
            let meant = view.rows.iter().filter(|(key, was)| is_meant(key, was));
            let since = meant.map(|(key, was)| {
                let life = (*key, was.logon);
                (life, before.get(&life).copied().unwrap_or(view.at))
            });
            memory.held.insert(format!("{}{asked:?}", spec.name), since.collect());
        }
    }

    /// New policies: what they say of who is pursued counts from now on.
    pub(crate) fn remember_policies(&mut self, daemon: usize) {
        let Daemon { policies, memory, view, .. } = &mut self.daemons[daemon];
        // What is older than an hour is over.
        for ended in memory.ended.values_mut() {
            ended.retain(|_, at| view.at - *at < HOUR);
        }
        if Arc::ptr_eq(&policies.specs, &memory.specs) {
            return;
        }
        let before = std::mem::replace(&mut memory.specs, Arc::clone(&policies.specs));
        let same = |name: &str| {
            let of = |specs: &[RuleSpec]| {
                let spec = specs.iter().find(|spec| spec.name == name && spec.enforce);
                spec.map(|spec| spec.ladder.clone())
            };
            of(&before).is_some() && of(&before) == of(&memory.specs)
        };
        memory.rungs.retain(|(name, _), _| same(name));
        memory.on_its_way.retain(|(name, _)| same(name));
        let asked =
            |spec: &RuleSpec| format!("{}{:?}", spec.name, (&spec.asks, &spec.users, &spec.unless));
        let known: Vec<String> = memory.specs.iter().map(asked).collect();
        memory.held.retain(|name, _| known.contains(name));
    }

    /// A statement is about to be sent.
    pub(crate) fn check_sent(&mut self, at: usize, end: &End) {
        let Some(wrong) = self.wrong_to_send(at, end) else { return };
        let what = format!("daemon {at}, rule {}, {}: {wrong}", end.rule, end.life.key);
        self.violate(what);
    }

    fn wrong_to_send(&mut self, at: usize, end: &End) -> Option<String> {
        let hold = self.hold;
        let daemon = &mut self.daemons[at];
        let key = model_key(end.life);
        let name = end.rule.to_string();
        daemon.view.sent.push((name.clone(), key));
        let ended = daemon.memory.ended.entry(name.clone()).or_default();
        ended.insert(end.life, daemon.view.at);
        let Some(at) = daemon.policies.specs.iter().position(|spec| *spec.name == *name) else {
            return Some("no such rule is in force".to_owned());
        };
        let spec = &daemon.policies.specs[at];
        let intent = (Arc::clone(&end.rule), end.life, end.rung);
        let Some(was) = daemon.view.rows.get(&key) else {
            return Some("it was not in what was seen".to_owned());
        };
        let silenced = daemon.view.held == Some(hold)
            && match hold {
                Held::Nobody => false,
                Held::Everybody => true,
                Held::Rule(rule) => rule == at,
                Held::User(user) => *was.username == *user,
            };
        match () {
            () if spec.min_age > 0 && daemon.memory.lost_age(was) => {
                Some("by its age, across a clock that was set".to_owned())
            }
            () if spec.breaker && daemon.view.failures.get(&spec.name) >= Some(&FAILURES_MAX) => {
                Some("after its breaker opened".to_owned())
            }
            () if daemon.follows => Some("by a follower".to_owned()),
            () if daemon.audit.broken => Some("after the audit broke".to_owned()),
            () if !daemon.audit.intents.contains(&intent) => Some("without an intent".to_owned()),
            () if !spec.enforce => Some("by a dry-run rule".to_owned()),
            () if daemon.dry_run => Some("by a daemon that rehearses".to_owned()),
            () if daemon.view.read_only => Some("on a standby".to_owned()),
            () if !spec.names(was, daemon.policies.protected_machine) => {
                Some(format!("the rule does not name it: {spec:?} {was:?}"))
            }
            () if silenced => Some(format!("held back by {hold:?}")),
            () => wrong_count(daemon, spec, was)
                .or_else(|| wrong_instance(&daemon.view, spec, key))
                .or_else(|| wrong_hold(daemon, spec, key, was))
                .or_else(|| wrong_rung(daemon, spec, end)),
        }
    }

    /// What became of what was sent.
    pub(crate) fn remember_sent(&mut self, at: usize, end: &End, outcome: Outcome) {
        let daemon = &mut self.daemons[at];
        if matches!(outcome, Outcome::Ended | Outcome::Accepted | Outcome::Unknown) {
            let of = (end.rule.to_string(), end.life);
            if end.verb() != Some(Verb::CancelSql) && outcome != Outcome::Ended {
                daemon.memory.on_its_way.insert((of.0.clone(), model_key(end.life)));
            }
            daemon.memory.rungs.entry(of).or_default().push((end.rung, daemon.view.at));
        }
        let stats = &mut self.stats;
        stats.sent += 1;
        stats.rungs += u64::from(end.rung > 0);
        match outcome {
            Outcome::Ended | Outcome::Accepted => stats.ended += 1,
            Outcome::Changed => stats.changed += 1,
            Outcome::Unknown => stats.unknown += 1,
            _ => {}
        }
        self.trace(u64::from(end.life.key.sid) << 8 | outcome.word().len() as u64);
    }

    /// A tick came to its end: everything is told, and nothing twice.
    pub(crate) fn check_report(&mut self, at: usize, report: &TickReport) {
        let plan = &report.plan;
        let mut told = std::collections::BTreeSet::new();
        let mut claimed = std::collections::BTreeSet::new();
        let ends = plan.ends().iter().map(|end| (&end.rule, end.life.key));
        let spared = plan.spared().iter().map(|it| (&it.rule, it.life.key));
        let twice = ends.chain(spared).find(|it| !told.insert((it.0.to_string(), it.1)));
        let two = plan.ends().iter().find(|end| !claimed.insert(end.life.key));
        let audit = &self.daemons[at].audit;
        let not_tried = Outcome::Failed(Failure::NotTried);
        let lacks = report.ends().find(|(end, outcome)| {
            end.action != Action::Report
                && *outcome != not_tried
                && !audit.outcomes.contains(&(Arc::clone(&end.rule), end.life))
        });
        let simulated = report.ends().filter(|(_, outcome)| *outcome == Outcome::Simulated);
        self.stats.simulated += simulated.count() as u64;
        let rehearses = self.daemons[at].dry_run || self.daemons[at].view.read_only;
        let wrongly = report.ends().find(|(end, outcome)| {
            (rehearses || end.mode == Mode::DryRun) == outcome_is_real(*outcome)
                && (outcome_is_real(*outcome) || *outcome == Outcome::Simulated)
        });
        let view = &self.daemons[at].view;
        let gone = report.verified.iter().filter(|it| it.finding == Finding::Gone);
        let hasty = gone.map(|it| it.life).find(|it| view.missing.contains(&it.key.inst_id));
        let wrong = match () {
            () if hasty.is_some() => Some(format!("gone, on a missing instance: {hasty:?}")),
            () if plan.ends().len() != report.outcomes.len() => {
                Some("outcomes are missing".to_owned())
            }
            () if twice.is_some() => Some(format!("told twice: {twice:?}")),
            () if two.is_some() => Some(format!("ended twice: {:?}", two.map(|it| it.life))),
            () if lacks.is_some() => {
                Some(format!("not in the audit: {:?}", lacks.map(|it| it.0.life)))
            }
            () if !report.outcomes.is_empty() && !audit.synced && !audit.broken => {
                Some("not synced".to_owned())
            }
            () if wrongly.is_some() => {
                Some(format!("done otherwise: {:?}", wrongly.map(|it| it.1)))
            }
            () => None,
        };
        if let Some(wrong) = wrong {
            self.violate(format!("daemon {at}, tick {}: {wrong}", report.tick));
        }
    }
}

const fn outcome_is_real(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Ended | Outcome::Accepted | Outcome::Unknown)
}

fn wrong_count(daemon: &Daemon, spec: &RuleSpec, was: &Truth) -> Option<String> {
    let Daemon { view, memory, .. } = daemon;
    let of_rule = view.sent.iter().filter(|(rule, _)| *rule == spec.name);
    let in_tick = of_rule.clone().count();
    let recent = |at: &&i64| view.at - **at < HOUR;
    let in_hour = memory.ended.get(&spec.name).map_or(0, |it| it.values().filter(recent).count());
    let users =
        view.rows.values().filter(|row| row.untouchable.is_none() && row.status != "KILLED");
    let users = users.count();
    let group = |row: &Truth| !spec.by_user || row.username == was.username;
    let live = view.rows.values().filter(|row| row.status != "KILLED" && group(row)).count();
    let in_group = |key: &SessionKey| {
        view.rows.get(key).is_some_and(|row| row.status != "KILLED" && group(row))
    };
    let now = of_rule.map(|(_, key)| *key).filter(in_group);
    let before = memory.on_its_way.iter().filter(|(rule, _)| *rule == spec.name);
    let before = before.map(|(_, key)| *key).filter(in_group);
    let gone = now.chain(before).collect::<std::collections::BTreeSet<_>>().len();
    match () {
        () if spec.per_tick.is_some_and(|limit| in_tick > limit) => {
            Some(format!("{in_tick} in one tick, {:?} are allowed", spec.per_tick))
        }
        () if spec.per_hour.is_some_and(|limit| in_hour > limit) => {
            Some(format!("{in_hour} within an hour, {:?} are allowed", spec.per_hour))
        }
        () if spec.percent.is_some_and(|limit| in_tick * 100 > limit * users) => {
            Some(format!("{in_tick} of {users}, {:?} percent are allowed", spec.percent))
        }
        () if spec.keep > 0 && live < spec.keep + gone => {
            Some(format!("{gone} of {live} in its group, {} have to be kept", spec.keep))
        }
        () if was.undo.is_some_and(|undo| undo > spec.max_undo) => {
            Some(format!("undo {:?}, {} allowed", was.undo, spec.max_undo))
        }
        () if was.in_transaction && was.undo.is_none() => Some("of unknown undo".to_owned()),
        () => None,
    }
}

fn wrong_instance(view: &View, spec: &RuleSpec, key: SessionKey) -> Option<String> {
    let hidden = view.missing.contains(&key.inst_id);
    let counts = spec.counts() && !view.missing.is_empty();
    (hidden || counts).then(|| format!("while instances {:?} are missing", view.missing))
}

fn wrong_hold(daemon: &Daemon, spec: &RuleSpec, key: SessionKey, was: &Truth) -> Option<String> {
    if spec.hold == 0 {
        return None;
    }
    let asked = format!("{}{:?}", spec.name, (&spec.asks, &spec.users, &spec.unless));
    let since = daemon.memory.held.get(&asked).and_then(|held| held.get(&(key, was.logon)));
    let held = since.map_or(0, |since| daemon.view.at - since);
    (held < spec.hold * SECOND).then(|| format!("held for {held} of {} s", spec.hold))
}

/// A rung is climbed by observation: one after the other, in time, and not for ever.
fn wrong_rung(daemon: &Daemon, spec: &RuleSpec, end: &End) -> Option<String> {
    let verb = spec.ladder.get(end.rung).map(|rung| rung.0);
    if verb.is_none() || verb != end.verb() {
        return Some(format!("{:?} is not rung {}", end.verb(), end.rung));
    }
    let taken = daemon.memory.rungs.get(&(end.rule.to_string(), end.life));
    let Some((last, at)) = taken.and_then(|taken| taken.last()).copied() else {
        return (end.rung > 0).then(|| "it begins in the middle of its ladder".to_owned());
    };
    if end.rung == 0 && verb == Some(Verb::CancelSql) {
        return None;
    }
    let again = taken.into_iter().flatten().filter(|(rung, _)| *rung == end.rung).count();
    let waited = daemon.view.at - at;
    let due = if end.rung == last { RETRY_AFTER.0 } else { spec.ladder[end.rung].1 * SECOND };
    match () {
        () if end.rung != last && end.rung != last + 1 => {
            Some(format!("rung {} after {last}", end.rung))
        }
        () if again > RETRIES_MAX as usize => Some(format!("repeated {again} times")),
        () if waited < due => Some(format!("after {waited} of {due}")),
        () => None,
    }
}

//! The engine's bounded memory across ticks of one database: `for` timers, counts of the last hour, undo seen,
//! instances seen, and sessions that are pursued until they are gone. It survives a reload of the policies by rule
//! identity. Everything in it can only make the next decision more careful: a lost entry restarts a timer, or begins a
//! ladder anew.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::breaker::{BreakerChange, Breakers, Fuses};
use super::guard::ApprovedPlan;
use super::policy::{Mode, PolicySet, Rule, RuleIdentity};
use super::pursuit::{Due, Pursuits, Recalled, Verified};
use super::report::{Acting, Failure, Outcome};
use super::session::{InstanceState, NumberColumn, Session, SessionLife, Snapshot};
use super::time::{Span, Timestamp};

/// Timers of one rule. A session beyond this many is never old enough; a rule that matches more people than that is
/// wrong anyway.
pub const TIMERS_PER_RULE_MAX: usize = 100_000;

/// Ends remembered for `per_hour`, per rule. No more are taken in; a `per_hour` that is not reached by so many is no
/// limit.
pub const ENDED_PER_RULE_MAX: usize = 100_000;

/// Transactions whose undo is remembered, to see it fall.
pub const UNDO_SEEN_MAX: usize = 100_000;

/// How long an instance is expected after it was last seen. Shorter than a maintenance window, longer than any hang
/// that a cluster tolerates before it evicts a node.
pub const INSTANCE_MEMORY: Span = Span::seconds(3_600);

/// How far the database's clock may be off what the machine's says has passed between two looks. More than the clocks
/// of a cluster's nodes differ and a look takes; less than any rule should depend on.
pub const CLOCK_TOLERANCE: Span = Span::seconds(60);

/// What `per_hour` looks back on.
const HOUR: Span = Span::seconds(3_600);

/// What is remembered between two ticks of one database.
#[derive(Debug, Clone, Default)]
pub struct History {
    timers: BTreeMap<RuleIdentity, Timers>,
    ended: BTreeMap<(Counted, String), Ended>,
    undo: FxHashMap<SessionLife, UndoSeen>,
    instances: BTreeMap<u32, Timestamp>,
    pursuits: Pursuits,
    breakers: Breakers,
    clock: Clock,
}

/// The `for` timers of one rule.
#[derive(Debug, Clone)]
struct Timers {
    /// When the rule was last judged.
    judged: Timestamp,
    /// It was due since then, and nobody looked.
    unseen: bool,
    /// Since when each candidate has been one.
    since: FxHashMap<SessionLife, Timestamp>,
}

/// The database's clock against the machine's.
#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    /// At the last look: the database's time, and how long the machine's clock, which is never set, had run.
    last: Option<(Timestamp, Look)>,
    set: Option<Timestamp>,
}

/// How long the machine's clock had run when the database was asked its time, and when it had told it: at some moment
/// between the two. An answer may take long, and so may whatever stops this process meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// When the database was asked.
    pub began: Span,
    /// When it had answered.
    pub over: Span,
}

/// What the machine's clock says of the database's since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockNews {
    /// It was set by so much, or, where that is not certain, by less.
    Set(Span),
    /// Its time could have been told at any moment within so long, and in that much it may have been set.
    Unsure(Span),
}

/// Under what an end counts: a rehearsal never uses up what may really be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// By an enforcing rule that enforced.
    Enforced,
    /// By an enforcing rule at a tick at which nobody was ended.
    Rehearsed,
    /// By a dry-run rule.
    DryRun,
}

impl Counted {
    /// For a rule of this mode at a tick that is acted on so.
    pub const fn of(mode: Mode, acting: Acting) -> Self {
        match (mode, acting) {
            (Mode::Enforce, Acting::AsRulesSay) => Self::Enforced,
            (Mode::Enforce, Acting::DryRun) => Self::Rehearsed,
            (Mode::DryRun, _) => Self::DryRun,
        }
    }
}

/// Who was ended, and when last; `None` is at a time that nobody knew.
type Ended = FxHashMap<SessionLife, Option<Timestamp>>;

/// The undo of one transaction, as last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct UndoSeen {
    started: Option<i64>,
    records: i64,
    falling: bool,
}

impl History {
    /// Since when the session has been a candidate of the rule without a break, as far as is known.
    pub fn held_since(&self, rule: &RuleIdentity, life: SessionLife) -> Option<Timestamp> {
        self.timers.get(rule)?.since.get(&life).copied()
    }

    /// The sessions that the rule ended, so counted, in the hour before `now`; where that is not known, all that are
    /// remembered.
    pub fn ended_by(
        &self,
        rule: &str,
        counted: Counted,
        now: Option<Timestamp>,
    ) -> FxHashSet<SessionLife> {
        let ended = self.ended.get(&(counted, rule.to_owned())).into_iter().flatten();
        within_the_hour(ended, now).collect()
    }

    /// The sessions that any rule ended, so counted, in the hour before `now`: rules that are no longer there count.
    pub fn ended_by_all(&self, counted: Counted, now: Option<Timestamp>) -> FxHashSet<SessionLife> {
        let so_counted = self.ended.iter().filter(|((under, _), _)| *under == counted);
        within_the_hour(so_counted.flat_map(|(_, ended)| ended), now).collect()
    }

    /// True when the session's undo records are fewer than when last seen, in the same transaction.
    pub fn is_rolling_back(&self, session: Session<'_>) -> bool {
        let Some(records) = session.number(NumberColumn::UsedUrec) else { return false };
        let started = session.number(NumberColumn::StartDate);
        self.undo.get(&session.life()).is_some_and(|seen| seen.next(started, records).falling)
    }

    /// Instances that should have answered and did not: their sessions are unknown.
    pub fn missing_instances(&self, snapshot: &Snapshot) -> Vec<u32> {
        let told = |inst_id: u32| snapshot.instances.iter().find(|it| it.inst_id == inst_id);
        let named = snapshot.instances.iter().filter(|it| it.state == InstanceState::Missing);
        let now = snapshot.known_time();
        let recent = |(_, seen): &(&u32, &Timestamp)| {
            now.is_none_or(|now| now.since(**seen) < INSTANCE_MEMORY)
        };
        let vanished = self.instances.iter().filter(recent).map(|(inst_id, _)| *inst_id);
        let mut missing: Vec<u32> = named
            .map(|instance| instance.inst_id)
            .chain(vanished.filter(|inst_id| told(*inst_id).is_none()))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Holds the database's clock against the machine's, which nobody sets. When the database's was set, or nobody can
    /// tell, all that is remembered moves with it, and the snapshot says since when ages are known. It moves by no less
    /// than was set where that is not certain: what is remembered is rather too young.
    pub fn look_at_clock(&mut self, snapshot: &mut Snapshot, look: Look) -> Option<ClockNews> {
        let now = snapshot.known_time()?;
        let last = self.clock.last.replace((now, look));
        let found = last.and_then(|(then, before)| {
            let passed = now.since(then).0;
            let (least, most) = (look.began.0 - before.over.0, look.over.0 - before.began.0);
            let by = Span(passed - least);
            let plausible = least - CLOCK_TOLERANCE.0..=most + CLOCK_TOLERANCE.0;
            let unsure = Span(most - least);
            match plausible.contains(&passed) {
                false => Some((by, ClockNews::Set(by))),
                true if unsure > CLOCK_TOLERANCE => Some((by, ClockNews::Unsure(unsure))),
                true => None,
            }
        });
        if let Some((by, _)) = found {
            let told_before = now.plus(Span(-by.0));
            self.clock.set = self.clock.set.max(Some(told_before.max(now)));
            self.shift(by);
        }
        snapshot.clock_set = self.clock.set;
        found.map(|(_, news)| news)
    }

    fn shift(&mut self, by: Span) {
        let move_on = |at: &mut Timestamp| *at = at.plus(by);
        for timers in self.timers.values_mut() {
            move_on(&mut timers.judged);
            timers.since.values_mut().for_each(move_on);
        }
        self.ended.values_mut().flat_map(FxHashMap::values_mut).flatten().for_each(move_on);
        self.instances.values_mut().for_each(move_on);
        self.pursuits.shift(by);
        self.breakers.shift(by);
    }

    /// Takes in what one tick saw and decided; whoever was to be ended counts as ended.
    pub fn record(&mut self, snapshot: &Snapshot, plan: &ApprovedPlan) {
        self.record_where(snapshot, plan, |_| true);
    }

    /// The same with what became of it: an end that was not tried uses up no limit.
    pub fn record_done(&mut self, snapshot: &Snapshot, plan: &ApprovedPlan, outcomes: &[Outcome]) {
        let not_tried = Some(&Outcome::Failed(Failure::NotTried));
        self.record_where(snapshot, plan, |at| outcomes.get(at) != not_tried);
    }

    fn record_where(
        &mut self,
        snapshot: &Snapshot,
        plan: &ApprovedPlan,
        counts: impl Fn(usize) -> bool,
    ) {
        let now = snapshot.known_time();
        for (identity, candidates) in plan.timers() {
            let before = self.timers.remove(identity).map(|it| it.since).unwrap_or_default();
            // Without a time nothing says since when.
            let Some(now) = now else { continue };
            let since = |life: &SessionLife| (*life, before.get(life).copied().unwrap_or(now));
            let since = candidates.iter().take(TIMERS_PER_RULE_MAX).map(since).collect();
            let timers = Timers { judged: now, unseen: false, since };
            self.timers.insert(identity.clone(), timers);
        }
        self.record_ends(plan, now, counts);
        self.record_undo(snapshot);
        let Some(now) = now else { return };
        for instance in snapshot.instances.iter().filter(|it| it.state == InstanceState::Answered) {
            self.instances.insert(instance.inst_id, now);
        }
        self.instances.retain(|_, seen| now.since(*seen) < INSTANCE_MEMORY);
    }

    /// Forgets timers of rules that are no longer there. What they ended counts for its hour.
    pub fn retain(&mut self, policies: &PolicySet) {
        let identities: FxHashSet<&RuleIdentity> =
            policies.rules.iter().map(|rule| &rule.identity).collect();
        self.timers.retain(|identity, _| identities.contains(identity));
        self.pursuits.retain(policies);
        self.breakers.retain(policies);
    }

    /// Looks for the sessions that were ended before. To be done with every snapshot, before anything is decided on it.
    pub fn verify(&mut self, snapshot: &Snapshot) -> Vec<Verified> {
        let missing = self.missing_instances(snapshot);
        self.pursuits.verify(snapshot, &missing)
    }

    /// Opens and closes breakers by what a snapshot shows. To be done likewise; answers what changed.
    pub fn look_at_breakers(
        &mut self,
        policies: &PolicySet,
        snapshot: &Snapshot,
    ) -> Vec<BreakerChange> {
        self.breakers.look(policies, snapshot)
    }

    /// Takes in what became of a plan's ends, which took `within` from the look to the last outcome; answers which
    /// breakers opened.
    pub fn settle(
        &mut self,
        policies: &PolicySet,
        snapshot: &Snapshot,
        plan: &ApprovedPlan,
        outcomes: &[Outcome],
        within: Span,
    ) -> Vec<BreakerChange> {
        let at = plan.taken_at().map(|at| at.plus(within));
        self.pursuits.take_up(plan, outcomes, at);
        self.breakers.take_up(policies, snapshot, plan, outcomes, at)
    }

    /// Takes up what earlier runs of the daemon did, in the order in which they wrote it down: limits count it, and who
    /// is not known to be gone is looked for.
    pub fn recall(&mut self, policies: &PolicySet, recalled: &[Recalled]) {
        for it in recalled {
            if it.outcome != Outcome::Failed(Failure::NotTried) {
                let counted = (Counted::Enforced, it.rule.clone());
                let ended = self.ended.entry(counted).or_default();
                if ended.len() < ENDED_PER_RULE_MAX {
                    ended.insert(it.life, it.taken);
                }
            }
            self.pursuits.resume(policies, it);
        }
    }

    /// What stops the rest of a rule while a plan is carried out.
    pub fn fuses(&self, policies: &PolicySet) -> Fuses {
        self.breakers.fuses(policies)
    }

    /// Why the rule's breaker is open and since when, if it is.
    pub fn why_broken(&self, rule: &Rule) -> Option<String> {
        self.breakers.why_open(rule)
    }

    /// What is due for a session that a rule chose.
    pub(super) fn due(&self, rule: &Rule, life: SessionLife, now: Option<Timestamp>) -> Due {
        self.pursuits.due(rule, life, now)
    }

    /// How many more sessions can be pursued.
    pub(super) fn room_for_pursuits(&self) -> usize {
        self.pursuits.room()
    }

    /// True when the rule has ended the session before, and it is not known to be gone.
    pub fn is_pursued(&self, rule: &str, life: SessionLife) -> bool {
        self.pursuits.has(rule, life)
    }

    /// True when some rule has sent for the session itself and it is not known to be gone.
    pub(super) fn is_leaving(&self, life: SessionLife) -> bool {
        self.pursuits.is_leaving(life)
    }

    /// Stops all timers: for a time in which nobody looked, nothing is known to have held without a break.
    pub fn stop_timers(&mut self) {
        self.timers.clear();
    }

    /// The rule was due and nobody looked: a look failed.
    pub fn not_seen(&mut self, rule: &Rule) {
        if let Some(timers) = self.timers.get_mut(&rule.identity) {
            timers.unseen = true;
        }
    }

    /// Stops the timers of a rule where nobody looked, though it was due, for as long as a match has to hold; `missed`
    /// says that due times went by since it was last judged. To be done before anything is decided on the snapshot.
    /// True when somebody's timer begins anew by it.
    pub fn break_timers(&mut self, rule: &Rule, missed: bool, snapshot: &Snapshot) -> bool {
        if missed {
            self.not_seen(rule);
        }
        let now = snapshot.known_time();
        let is_broken = |timers: &Timers| {
            timers.unseen && now.is_none_or(|now| now.since(timers.judged) >= rule.hold)
        };
        let is_broken = self.timers.get(&rule.identity).is_some_and(is_broken);
        is_broken && self.timers.remove(&rule.identity).is_some_and(|it| !it.since.is_empty())
    }

    /// How many timers run.
    pub fn timers_len(&self) -> usize {
        self.timers.values().map(|timers| timers.since.len()).sum()
    }

    fn record_ends(
        &mut self,
        plan: &ApprovedPlan,
        now: Option<Timestamp>,
        counts: impl Fn(usize) -> bool,
    ) {
        self.ended.retain(|_, ended| {
            ended.retain(|_, at| {
                let recent = is_within_the_hour(*at, now);
                // What was ended at an unknown time counts for an hour from the next known one on.
                *at = at.or(now);
                recent
            });
            !ended.is_empty()
        });
        let counting = plan.ends().iter().enumerate().filter(|(at, _)| counts(*at));
        for (_, end) in counting.filter(|(_, end)| end.action.first().is_some()) {
            let counted = Counted::of(end.mode, plan.acting());
            let ended = self.ended.entry((counted, end.rule.to_string())).or_default();
            if ended.len() < ENDED_PER_RULE_MAX || ended.contains_key(&end.life) {
                ended.insert(end.life, now);
            }
        }
    }

    fn record_undo(&mut self, snapshot: &Snapshot) {
        let seen = |session: Session<'_>| {
            let records = session.number(NumberColumn::UsedUrec)?;
            let started = session.number(NumberColumn::StartDate);
            let life = session.life();
            let fresh = UndoSeen { started, records, falling: false };
            Some((life, self.undo.get(&life).map_or(fresh, |seen| seen.next(started, records))))
        };
        self.undo = snapshot.sessions.iter().filter_map(seen).take(UNDO_SEEN_MAX).collect();
    }
}

fn within_the_hour<'a>(
    ended: impl Iterator<Item = (&'a SessionLife, &'a Option<Timestamp>)>,
    now: Option<Timestamp>,
) -> impl Iterator<Item = SessionLife> {
    ended.filter(move |(_, at)| is_within_the_hour(**at, now)).map(|(life, _)| *life)
}

/// True also where one of the times is not known: a limit errs on the careful side.
fn is_within_the_hour(at: Option<Timestamp>, now: Option<Timestamp>) -> bool {
    at.zip(now).is_none_or(|(at, now)| now.since(at) < HOUR)
}

impl UndoSeen {
    /// What is known after seeing `records` now. A transaction that once fell counts as falling until it grows again
    /// or another one begins.
    fn next(self, started: Option<i64>, records: i64) -> Self {
        let same = self.started == started;
        let falling = same && (records < self.records || (self.falling && records == self.records));
        Self { started, records, falling }
    }
}

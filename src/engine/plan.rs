//! Step *plan*: matches and history in, one verdict for every matched session out.
//!
//! Per rule: matched sessions become candidates unless protected, exempted or undecided; candidates are grouped,
//! ordered and selected; then the rules settle between them who claims whom. Limits are the guard's.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::bits::{Bits, Truths};
use super::condition::{Comparison, Condition, Field, Leaf, Truth};
use super::evaluate::{Asleep, Evaluation, RuleEvaluation, is_valid};
use super::explain;
use super::facts::{Facts, Value};
use super::group::{Grouper, KeyPart};
use super::history::History;
use super::policy::{
    Action, GroupKey, Liftable, Mode, OrderKey, PopulationMeasure, PopulationTest, Rule, Rung, Verb,
};
use super::protect::{Protected, missing_evidence, protections};
use super::pursuit::Due;
use super::session::{
    Column, NumberColumn, Session, SessionKey, SessionLife, Snapshot, TextColumn, TimeBasis,
};
use super::spare::{Detail, HaltReason, SpareReason};
use super::standing::Standing;
use super::text::counted;
use super::time::{Span, Timestamp};

/// How a plan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlanOptions {
    /// Plans as if every `for` had run out. For people who look at one snapshot; never for the daemon.
    pub assume_held: bool,
}

/// One verdict for every session that a due rule matched.
#[derive(Debug)]
pub struct Plan<'a> {
    /// What the plan was made of.
    pub evaluation: &'a Evaluation<'a>,
    /// One entry per due rule, in file order.
    pub rules: Vec<RulePlan>,
    /// Instances whose sessions are unknown.
    pub missing_instances: Vec<u32>,
    /// What the reader should know about the source.
    pub warnings: Vec<String>,
}

/// The verdicts of one rule.
#[derive(Debug)]
pub struct RulePlan {
    /// Its number in the policy set.
    pub rule: usize,
    /// Why it stood still, if it did.
    pub halted: Option<(HaltReason, Detail)>,
    /// Its matches in the plan's order.
    pub entries: Vec<Entry>,
    /// Live user sessions that are not protected from it: what `percent` is of.
    pub population: u64,
    /// Who was a candidate; `for` timers run for these.
    pub candidates: Vec<SessionLife>,
}

/// One matched session.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its row in the snapshot.
    pub row: usize,
    /// What becomes of it.
    pub verdict: Verdict,
    /// If it is ended: which rung of the rule's ladder is due.
    pub rung: usize,
}

/// What becomes of a matched session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The rule's action.
    End,
    /// It stays, and why.
    Spare(SpareReason, Detail),
}

/// Makes the plan.
pub fn plan<'a>(
    evaluation: &'a Evaluation<'a>,
    history: &History,
    standing: &Standing,
    options: PlanOptions,
) -> Plan<'a> {
    let mut planner = Planner::new(evaluation, history, options);
    let rules = evaluation.rules.iter().map(|(at, found)| planner.rule(*at, found)).collect();
    let mut plan = Plan {
        evaluation,
        rules,
        missing_instances: history.missing_instances(evaluation.facts.snapshot()),
        warnings: warnings(evaluation),
    };
    settle_claims(&mut plan);
    hold_back_pending(&mut plan, history, options);
    climb_ladders(&mut plan, history, standing);
    plan
}

struct Planner<'a> {
    evaluation: &'a Evaluation<'a>,
    snapshot: &'a Snapshot,
    protected: Vec<Protected>,
    /// Sessions that any valid `protect` entry protects or may protect.
    maybe_protected_by_name: Bits,
    /// Rows that were sent for and are still there: who is on the way out is not kept.
    leaving: FxHashSet<usize>,
    populations: FxHashMap<(Vec<Liftable>, Span), u64>,
    /// By `group_by`: rules often group by the same keys.
    groupers: FxHashMap<&'a [GroupKey], Grouper<'a>>,
}

/// A matched session on its way to a verdict.
struct Match {
    row: usize,
    /// Why it stays; a candidate has none yet.
    verdict: Option<Verdict>,
    group: u32,
    order: Vec<KeyPart>,
    age: Age,
}

impl Match {
    fn spare(&mut self, reason: SpareReason, detail: Detail) {
        self.verdict = Some(Verdict::Spare(reason, detail));
    }
}

/// Oldest first, unknown age last, then by identity.
type Age = (bool, Option<Timestamp>, SessionKey);

impl<'a> Planner<'a> {
    fn new(evaluation: &'a Evaluation<'a>, history: &History, _options: PlanOptions) -> Self {
        let snapshot = evaluation.facts.snapshot();
        let mut maybe = Bits::none(snapshot.sessions.len());
        for truths in evaluation.protections.iter().flatten() {
            maybe.union(&truths.maybe);
        }
        let leaving = snapshot.sessions.iter().filter(|it| history.is_leaving(it.life()));
        Self {
            evaluation,
            snapshot,
            protected: protections(snapshot, &|session| history.is_rolling_back(session)),
            maybe_protected_by_name: maybe,
            leaving: leaving.map(Session::row).collect(),
            populations: FxHashMap::default(),
            groupers: FxHashMap::default(),
        }
    }

    fn rule(&mut self, at: usize, found: &RuleEvaluation) -> RulePlan {
        let rule = &self.evaluation.policies.rules[at];
        let mut plan = RulePlan {
            rule: at,
            halted: None,
            entries: Vec::new(),
            population: 0,
            candidates: Vec::new(),
        };
        match found {
            RuleEvaluation::Asleep(asleep) => plan.halted = Some(why_asleep(asleep, rule)),
            RuleEvaluation::Awake { matched, unless } => {
                self.judge(rule, matched, unless, &mut plan);
            }
        }
        plan
    }

    fn judge(&mut self, rule: &'a Rule, matched: &Bits, unless: &Truths, plan: &mut RulePlan) {
        let judged: Vec<(usize, Option<Verdict>)> =
            matched.iter().map(|row| (row, self.exempt(rule, row, unless))).collect();
        let candidates = judged.iter().filter(|(_, exempt)| exempt.is_none());
        plan.candidates = if rule.hold > Span::ZERO {
            candidates.clone().map(|(row, _)| self.session(*row).life()).collect()
        } else {
            Vec::new()
        };
        if let Some(halted) = self.only_when(rule, candidates.count()) {
            plan.halted = Some(halted);
            plan.candidates = Vec::new();
            return;
        }
        plan.population = self.population(rule);
        let group_by = &rule.victims.group_by;
        let facts = &self.evaluation.facts;
        let grouper = self.groupers.remove(group_by.as_slice());
        let mut grouper = grouper.unwrap_or_else(|| Grouper::new(facts, group_by));
        plan.entries = self.select(rule, judged, &mut grouper);
        self.groupers.insert(group_by, grouper);
    }

    fn session(&self, row: usize) -> Session<'a> {
        self.snapshot.sessions.get(row)
    }

    /// The first reason that spares a matched session before anyone is selected, in the documented order.
    fn exempt(&self, rule: &Rule, row: usize, unless: &Truths) -> Option<Verdict> {
        let session = self.session(row);
        let now = self.snapshot.taken_at;
        let logon = logon(self.snapshot, session);
        if let Some(protection) = self.protected[row].first_against(rule, logon, now) {
            let detail = Detail::Fixed(protection.detail());
            return Some(Verdict::Spare(SpareReason::Protected(protection), detail));
        }
        let by_name = self.maybe_protected_by_name.contains(row);
        if by_name && let Some(verdict) = self.protected_by_name(row) {
            return Some(verdict);
        }
        let exempted = unless.get(row);
        if exempted == Truth::True {
            let detail = self.unless_detail(rule, row);
            return Some(Verdict::Spare(SpareReason::Unless, detail));
        }
        if by_name || exempted == Truth::Unknown {
            return Some(Verdict::Spare(SpareReason::Undecided, self.unknown_detail(rule, row)));
        }
        None
    }

    fn protected_by_name(&self, row: usize) -> Option<Verdict> {
        let entries = self.evaluation.policies.protections.iter().zip(&self.evaluation.protections);
        let holds = |truths: &Option<Truths>| {
            truths.as_ref().is_some_and(|truths| truths.yes.contains(row))
        };
        let (entry, _) = entries.into_iter().find(|(_, truths)| holds(truths))?;
        let name = entry.name.as_deref().unwrap_or_default();
        let reason = SpareReason::ProtectedByName(Arc::from(name));
        Some(Verdict::Spare(reason, self.exemption_detail(&entry.condition, row)))
    }

    fn unless_detail(&self, rule: &Rule, row: usize) -> Detail {
        let holds = |condition: &Condition| {
            explain::truth(condition, &self.evaluation.facts, row) == Truth::True
        };
        let valid = rule.unless.iter().filter(|entry| is_valid(entry, self.snapshot));
        let entry = valid.into_iter().find(|entry| holds(&entry.condition));
        entry.map_or(Detail::Fixed(""), |entry| self.exemption_detail(&entry.condition, row))
    }

    fn exemption_detail(&self, condition: &Condition, row: usize) -> Detail {
        let reasons = explain::reasons(condition, &self.evaluation.facts, row);
        let shown = reasons.iter().map(|it| format!("{} {}", it.field, it.test));
        Detail::text(shown.collect::<Vec<_>>().join(", "))
    }

    fn unknown_detail(&self, rule: &Rule, row: usize) -> Detail {
        let exemptions = self.evaluation.policies.protections.iter().chain(&rule.unless);
        let unknown = exemptions
            .filter(|entry| is_valid(entry, self.snapshot))
            .flat_map(|entry| explain::unknowns(&entry.condition, &self.evaluation.facts, row));
        Detail::text(format!("unknown: {}", unknown.collect::<Vec<_>>().join(", ")))
    }

    /// Live sessions of type USER that the rule could end: what `percent` is of.
    fn population(&mut self, rule: &Rule) -> u64 {
        let mut lifted = rule.allow_protected.clone();
        lifted.sort_unstable();
        let key = (lifted, rule.min_session_age);
        if let Some(known) = self.populations.get(&key) {
            return *known;
        }
        let now = self.snapshot.taken_at;
        let counts = |session: &Session<'_>| {
            let logon = logon(self.snapshot, *session);
            !self.maybe_protected_by_name.contains(session.row())
                && self.protected[session.row()].first_against(rule, logon, now).is_none()
        };
        let listed = self.snapshot.sessions.iter().filter(counts).count() as u64;
        let population = listed + u64::from(self.snapshot.unlisted_live_sessions);
        self.populations.insert(key, population);
        population
    }

    /// Why the rule sleeps because of the population, if it does. What is not known does not wake it.
    fn only_when(&self, rule: &Rule, candidates: usize) -> Option<(HaltReason, Detail)> {
        rule.only_when.iter().find_map(|test| {
            let measured = self.measure(test, candidates);
            let holds = |value: i64| {
                test.comparisons.iter().all(|comparison: &Comparison| comparison.holds(value))
            };
            let name = test.measure.name();
            let detail = match measured {
                Some(value) if holds(value) => return None,
                Some(value) => {
                    format!("{name} is {}, not {}", show_measure(test, value), test.shown)
                }
                None => format!("{name} is not known"),
            };
            Some((HaltReason::OnlyWhen, Detail::text(detail)))
        })
    }

    fn measure(&self, test: &PopulationTest, candidates: usize) -> Option<i64> {
        let sessions = &self.snapshot.sessions;
        // A measure over some of the rows would be too low, and wake rules that look for little.
        let everywhere = |column| sessions.has_everywhere(column).then_some(());
        let highest = |column| {
            everywhere(Column::Number(column))?;
            let cells = sessions.number_column(column)?;
            cells.iter().filter_map(|cell| cell.get()).max()
        };
        match test.measure {
            PopulationMeasure::SessionUsage => highest(NumberColumn::SessionUsage),
            PopulationMeasure::ProcessUsage => highest(NumberColumn::ProcessUsage),
            PopulationMeasure::Matching => i64::try_from(candidates).ok(),
            PopulationMeasure::ActiveSessions => {
                everywhere(Column::Text(TextColumn::Status))?;
                let active = sessions.iter().filter(|session| {
                    session.is(TextColumn::Status, "ACTIVE")
                        && self.protected[session.row()].is_user_session()
                });
                i64::try_from(active.count()).ok()
            }
        }
    }

    /// Groups, orders and selects; returns the rule's matches in the plan's order.
    fn select(
        &self,
        rule: &Rule,
        judged: Vec<(usize, Option<Verdict>)>,
        grouper: &mut Grouper<'_>,
    ) -> Vec<Entry> {
        let mut matches = self.in_order(rule, judged, grouper);
        for members in matches.chunk_by_mut(|a, b| a.group == b.group) {
            let group = members.first().map_or(0, |first| first.group);
            let mut candidates: Vec<&mut Match> =
                members.iter_mut().filter(|member| member.verdict.is_none()).collect();
            let live = || grouper.live_members(group, self.snapshot, &self.leaving);
            self.select_in_group(rule, &mut candidates, live);
        }
        let entry = |found: Match| Entry {
            row: found.row,
            verdict: found.verdict.unwrap_or(Verdict::End),
            rung: 0,
        };
        matches.into_iter().map(entry).collect()
    }

    fn in_order(
        &self,
        rule: &Rule,
        judged: Vec<(usize, Option<Verdict>)>,
        grouper: &mut Grouper<'_>,
    ) -> Vec<Match> {
        let order = &rule.victims.order;
        let found = |(row, verdict)| Match {
            row,
            verdict,
            group: grouper.group_of(row),
            order: order_key(&self.evaluation.facts, order, row),
            age: age(self.session(row)),
        };
        let mut matches: Vec<Match> = judged.into_iter().map(found).collect();
        let ranks = grouper.ranks();
        matches.sort_unstable_by(|a, b| {
            let rank = |found: &Match| ranks[found.group as usize];
            rank(a)
                .cmp(&rank(b))
                .then_with(|| compare_order(order, &a.order, &b.order))
                .then_with(|| a.age.cmp(&b.age))
        });
        matches
    }

    fn select_in_group(
        &self,
        rule: &Rule,
        candidates: &mut [&mut Match],
        live: impl FnOnce() -> usize,
    ) {
        let victims = &rule.victims;
        let rows: Vec<usize> = candidates.iter().map(|candidate| candidate.row).collect();
        if !self.having(rule, &rows) {
            let detail = Detail::Fixed("its group does not meet `having`");
            for candidate in candidates {
                candidate.spare(SpareReason::NotSelected, detail.clone());
            }
            return;
        }
        let (mut selectable, unfit): (Vec<_>, Vec<_>) =
            candidates.iter_mut().partition(|candidate| self.can_act(rule, candidate.row));
        for candidate in unfit {
            let detail = Detail::Fixed(NOTHING_TO_CANCEL);
            candidate.spare(SpareReason::NotSelected, detail);
        }
        let skip = victims.skip.min(selectable.len());
        let (skipped, rest) = selectable.split_at_mut(skip);
        let take = victims.take.unwrap_or(rest.len()).min(rest.len());
        let (taken, left) = rest.split_at_mut(take);
        for candidate in skipped {
            candidate.spare(SpareReason::NotSelected, Detail::Fixed("left out by `skip`"));
        }
        for candidate in left {
            candidate.spare(SpareReason::NotSelected, Detail::Fixed("beyond `take`"));
        }
        if victims.keep > 0 {
            let live = live();
            let mut may_end = live.saturating_sub(victims.keep);
            let group = counted(live as u64, "live session");
            let detail = format!("its group has {group}, {} are kept", victims.keep);
            let detail = Detail::text(detail);
            let too_few = live < victims.keep;
            for candidate in taken.iter_mut() {
                let leaves = self.leaving.contains(&candidate.row);
                if too_few || (may_end == 0 && !leaves) {
                    candidate.spare(SpareReason::Kept, detail.clone());
                }
                may_end -= usize::from(may_end > 0 && !leaves);
            }
        }
    }

    fn can_act(&self, rule: &Rule, row: usize) -> bool {
        match &rule.action {
            Action::Report => true,
            Action::Ladder(rungs) => {
                rungs.first().is_none_or(|rung| can_be_taken(rung, &self.evaluation.facts, row))
            }
        }
    }

    fn having(&self, rule: &Rule, rows: &[usize]) -> bool {
        let having = &rule.victims.having;
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let holds = |condition: &Condition, row: &usize| {
            explain::truth(condition, &self.evaluation.facts, *row) == Truth::True
        };
        having.count.iter().all(|comparison| comparison.holds(count))
            && having.every.as_ref().is_none_or(|it| rows.iter().all(|row| holds(it, row)))
            && having.some.as_ref().is_none_or(|it| rows.iter().any(|row| holds(it, row)))
    }
}

fn why_asleep(asleep: &Asleep, rule: &Rule) -> (HaltReason, Detail) {
    match asleep {
        Asleep::Window => {
            let detail = format!("outside the rule's windows ({})", rule.timezone.name());
            (HaltReason::Window, Detail::text(detail))
        }
        Asleep::NoTime => {
            let detail = "the rule has windows, and nothing says when the snapshot was taken";
            (HaltReason::Window, Detail::Fixed(detail))
        }
        Asleep::Database => {
            (HaltReason::Database, Detail::Fixed("the rule is confined to other databases"))
        }
    }
}

fn show_measure(test: &PopulationTest, value: i64) -> String {
    if test.measure.is_percent() {
        format!("{}%", value as f64 / 1_000.0)
    } else {
        value.to_string()
    }
}

fn order_key(facts: &Facts<'_>, order: &[OrderKey], row: usize) -> Vec<KeyPart> {
    order.iter().map(|key| KeyPart::of(facts, key.field, row)).collect()
}

/// NULL is last whichever way the key runs.
fn compare_order(order: &[OrderKey], a: &[KeyPart], b: &[KeyPart]) -> Ordering {
    let keys = order.iter().zip(a.iter().zip(b));
    let compare = |(key, (a, b)): (&OrderKey, (&KeyPart, &KeyPart))| match (a, b) {
        (KeyPart::Null, _) | (_, KeyPart::Null) => a.cmp(b),
        _ if key.descending => b.cmp(a),
        _ => a.cmp(b),
    };
    keys.map(compare).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

fn age(session: Session<'_>) -> Age {
    let logon = session.time(NumberColumn::LogonTime);
    (logon.is_none(), logon, session.key())
}

/// The first enforcing rule that selects a session claims it; if none enforces, the first dry-run one. The others
/// spare it. `report` rules claim nothing and lose nothing.
fn settle_claims(plan: &mut Plan<'_>) {
    let policies = plan.evaluation.policies;
    let sessions = plan.evaluation.facts.snapshot().sessions.len();
    let mut claimed: Vec<Option<usize>> = vec![None; sessions];
    for mode in [Mode::Enforce, Mode::DryRun] {
        for rule_plan in &plan.rules {
            let rule = &policies.rules[rule_plan.rule];
            if rule.mode != mode || rule.action == Action::Report {
                continue;
            }
            for entry in rule_plan.entries.iter().filter(|it| it.verdict == Verdict::End) {
                claimed[entry.row].get_or_insert(rule_plan.rule);
            }
        }
    }
    let mut details: FxHashMap<usize, Detail> = FxHashMap::default();
    let detail =
        |owner: usize| Detail::text(format!("claimed by rule {}", policies.rules[owner].name));
    for rule_plan in &mut plan.rules {
        if policies.rules[rule_plan.rule].action == Action::Report {
            continue;
        }
        for entry in rule_plan.entries.iter_mut().filter(|it| it.verdict == Verdict::End) {
            if let Some(owner) = claimed[entry.row].filter(|owner| *owner != rule_plan.rule) {
                let detail = details.entry(owner).or_insert_with(|| detail(owner));
                entry.verdict = Verdict::Spare(SpareReason::Claimed, detail.clone());
            }
        }
    }
}

/// `pending` comes before every reason of selection and claims: it is what the session waits for first.
fn hold_back_pending(plan: &mut Plan<'_>, history: &History, options: PlanOptions) {
    let snapshot = plan.evaluation.facts.snapshot();
    for rule_plan in &mut plan.rules {
        let rule = &plan.evaluation.policies.rules[rule_plan.rule];
        if rule.hold == Span::ZERO || options.assume_held {
            continue;
        }
        for entry in &mut rule_plan.entries {
            let candidate = match &entry.verdict {
                Verdict::End => true,
                Verdict::Spare(reason, _) => reason.is_after_pending(),
            };
            let life = snapshot.sessions.get(entry.row).life();
            let held = held_for(rule, life, history, snapshot.taken_at);
            if candidate && held < rule.hold {
                let detail = format!("held for {held} of {}", rule.hold);
                entry.verdict = Verdict::Spare(SpareReason::Pending, Detail::text(detail));
            }
        }
    }
}

/// Whom an enforcing rule ended before is met with the next rung, when its time has come. A rehearsal always stands on
/// the first: nothing came of the one before.
fn climb_ladders(plan: &mut Plan<'_>, history: &History, standing: &Standing) {
    let evaluation = plan.evaluation;
    let snapshot = evaluation.facts.snapshot();
    let mut room = history.room_for_pursuits();
    for rule_plan in &mut plan.rules {
        let rule = &evaluation.policies.rules[rule_plan.rule];
        let Action::Ladder(rungs) = &rule.action else { continue };
        if standing.acting.is_dry_run(rule.mode) {
            continue;
        }
        for entry in rule_plan.entries.iter_mut().filter(|it| it.verdict == Verdict::End) {
            let life = snapshot.sessions.get(entry.row).life();
            let is_new = !history.is_pursued(&rule.name, life);
            if is_new && room == 0 {
                let detail = Detail::Fixed("too many sessions are pursued already");
                entry.verdict = Verdict::Spare(SpareReason::Limit, detail);
                continue;
            }
            room -= usize::from(is_new);
            entry.verdict = match history.due(rule, life, snapshot.known_time()) {
                Due::Later(when) => Verdict::Spare(SpareReason::Pending, Detail::text(when)),
                Due::Exhausted(why) => Verdict::Spare(SpareReason::Limit, Detail::text(why)),
                Due::Rung(rung) if !can_be_taken(&rungs[rung], &evaluation.facts, entry.row) => {
                    Verdict::Spare(SpareReason::NotSelected, Detail::Fixed(NOTHING_TO_CANCEL))
                }
                Due::Rung(rung) => {
                    entry.rung = rung;
                    Verdict::End
                }
            };
        }
    }
}

const NOTHING_TO_CANCEL: &str = "cancel_sql needs an ACTIVE session with a SQL_ID";

/// `cancel_sql` without a running statement would hit the next one (facts, section 2.4).
fn can_be_taken(rung: &Rung, facts: &Facts<'_>, row: usize) -> bool {
    rung.verb != Verb::CancelSql || matches!(facts.value(Field::SqlId, row), Value::Text(_))
}

fn held_for(rule: &Rule, life: SessionLife, history: &History, now: Timestamp) -> Span {
    history.held_since(&rule.identity, life).map_or(Span::ZERO, |since| now.since(since))
}

/// When the session logged on, if how long ago that was can be told.
fn logon(snapshot: &Snapshot, session: Session<'_>) -> Option<Timestamp> {
    session.time(NumberColumn::LogonTime).and_then(|at| snapshot.comparable(at))
}

/// What the reader should know: weaker evidence, and fields that the source cannot answer.
fn warnings(evaluation: &Evaluation<'_>) -> Vec<String> {
    let snapshot = evaluation.facts.snapshot();
    let mut warnings = snapshot.warnings.clone();
    warnings.extend(missing_evidence(&snapshot.sessions));
    match snapshot.time_basis {
        TimeBasis::Told => {}
        TimeBasis::LowerBound => warnings.push(format!(
            "the snapshot does not say when it was taken: {} is the latest time in it, and ages are lower bounds",
            snapshot.taken_at
        )),
        TimeBasis::Unknown => warnings.push(
            "nothing says when the snapshot was taken, and no row holds a time: rules with windows stand still"
                .to_owned(),
        ),
    }
    let mut said = BTreeSet::new();
    let protects = evaluation.policies.protections.iter().map(|it| {
        (format!("protect {}", it.name.as_deref().unwrap_or_default()), it.condition.leaves())
    });
    let rules = evaluation.rules.iter().filter_map(|(at, found)| {
        let rule = &evaluation.policies.rules[*at];
        matches!(found, RuleEvaluation::Awake { .. })
            .then(|| (format!("rule {}", rule.name), rule.leaves()))
    });
    for (who, leaves) in protects.chain(rules) {
        warn_unanswerable(&who, &leaves, &evaluation.facts, &mut said, &mut warnings);
    }
    for (at, _) in &evaluation.rules {
        warn_keys(&evaluation.policies.rules[*at], &evaluation.facts, &mut said, &mut warnings);
    }
    warnings
}

fn warn_unanswerable(
    who: &str,
    leaves: &[&Leaf],
    facts: &Facts<'_>,
    said: &mut BTreeSet<String>,
    warnings: &mut Vec<String>,
) {
    for field in explain::unanswerable(leaves.iter().copied(), facts) {
        let what = match field {
            // A source that could be asked says itself why that failed.
            Field::InQuery => "a query that it asks about has no answer".to_owned(),
            field => format!("this source cannot answer {}", field.name()),
        };
        let warning = format!("{who}: {what}; tests of it are unknown");
        if said.insert(warning.clone()) {
            warnings.push(warning);
        }
    }
}

fn warn_keys(
    rule: &Rule,
    facts: &Facts<'_>,
    said: &mut BTreeSet<String>,
    warnings: &mut Vec<String>,
) {
    let groups = rule.victims.group_by.iter().map(|key| match key {
        GroupKey::Field(field) | GroupKey::Capture { of: field, .. } => *field,
    });
    let orders = rule.victims.order.iter().map(|key| key.field);
    for field in groups.chain(orders).filter(|field| !facts.can_answer(*field)) {
        let warning = format!(
            "rule {}: this source cannot answer {}; it sorts and groups as NULL",
            rule.name,
            field.name()
        );
        if said.insert(warning.clone()) {
            warnings.push(warning);
        }
    }
}

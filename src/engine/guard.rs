//! Step *guard*: the second opinion. Limits and undo are applied here, and the protections that must never fail are
//! derived again from the raw row, by code of its own. What comes out is an [`ApprovedPlan`], and nothing else can make
//! one.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::condition::Truth;
use super::explain::{Reason, reasons, truth};
use super::facts::Facts;
use super::history::{Counted, History};
use super::limit::{Exceeded, exceeded};
use super::plan::{Entry, Plan, RulePlan, Verdict};
use super::policy::{
    Action, Liftable, Limits, Mode, OnExceed, PolicySet, Rule, RuleIdentity, Verb,
};
use super::protect::{Protection, process_in_program};
use super::report::Acting;
use super::session::{Column, NumberColumn, Session, SessionLife, Snapshot, TextColumn};
use super::spare::{Detail, HaltReason, SpareReason};
use super::standing::{Authority, Standing};
use super::text::counted;
use super::time::Timestamp;
use super::witness::{Watched, Witness};

/// A plan that may be carried out. Made by [`review`] only; the executor may do less, never something else.
#[derive(Debug, Clone)]
pub struct ApprovedPlan {
    database: String,
    taken_at: Option<Timestamp>,
    acting: Acting,
    sessions: usize,
    ends: Vec<End>,
    spared: Vec<Spared>,
    halted: Vec<Halted>,
    warnings: Vec<String>,
    timers: Vec<(RuleIdentity, Vec<SessionLife>)>,
}

/// A session that is to be ended, or named by a `report` rule.
#[derive(Debug, Clone)]
pub struct End {
    /// The rule's name.
    pub rule: Arc<str>,
    /// Whom to ask about the rule, as its author wrote it.
    pub owner: Option<Arc<str>>,
    /// Where to read on about it, likewise.
    pub runbook: Option<Arc<str>>,
    /// The rule's own mode.
    pub mode: Mode,
    /// Who.
    pub life: SessionLife,
    /// USERNAME.
    pub username: Option<String>,
    /// What the rule does: everything, from the first rung on.
    pub action: Action,
    /// Which rung of it is due now; 0 is the first.
    pub rung: usize,
    /// How many ends of the rule are started within a second, at most.
    pub per_second: Option<u64>,
    /// The leaves that made `match` true.
    pub reasons: Vec<Reason>,
    /// What must still hold when it is done.
    pub witness: Witness,
}

/// A matched session that stays.
#[derive(Debug, Clone)]
pub struct Spared {
    /// The rule's name.
    pub rule: Arc<str>,
    /// Who.
    pub life: SessionLife,
    /// Why.
    pub reason: SpareReason,
    /// Why, for people.
    pub detail: Detail,
}

/// A rule that stood still.
#[derive(Debug, Clone)]
pub struct Halted {
    /// The rule's name.
    pub rule: Arc<str>,
    /// Why.
    pub reason: HaltReason,
    /// Why, for people.
    pub detail: Detail,
}

impl End {
    /// What is to be done now; `None` for a rule that only reports.
    pub fn verb(&self) -> Option<Verb> {
        match &self.action {
            Action::Report => None,
            Action::Ladder(rungs) => rungs.get(self.rung).map(|rung| rung.verb),
        }
    }

    /// The same as text: `kill immediate`, `report`.
    pub fn verb_text(&self) -> &'static str {
        self.verb().map_or("report", Verb::text)
    }
}

impl ApprovedPlan {
    /// The database's name.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The snapshot's time, if it is known.
    pub fn taken_at(&self) -> Option<Timestamp> {
        self.taken_at
    }

    /// Whether enforcing rules enforce at this tick.
    pub fn acting(&self) -> Acting {
        self.acting
    }

    /// Whether an end of this plan is only a rehearsal.
    pub fn is_dry_run(&self, end: &End) -> bool {
        self.acting.is_dry_run(end.mode)
    }

    /// Rows in the snapshot.
    pub fn sessions(&self) -> usize {
        self.sessions
    }

    /// Whom the rules end or report, in the plan's order.
    pub fn ends(&self) -> &[End] {
        &self.ends
    }

    /// Every other matched session, in the plan's order.
    pub fn spared(&self) -> &[Spared] {
        &self.spared
    }

    /// Rules that stood still, in file order.
    pub fn halted(&self) -> &[Halted] {
        &self.halted
    }

    /// What the reader should know about the source.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Candidates of the rules that have a `for` and were due.
    pub fn timers(&self) -> &[(RuleIdentity, Vec<SessionLife>)] {
        &self.timers
    }
}

/// Reviews a plan: only ever takes sessions out of it.
///
/// `limits` are those of the database, over all rules. What `standing` holds back comes after them, so that it never
/// makes room for others.
pub fn review(
    mut plan: Plan<'_>,
    limits: &Limits,
    history: &History,
    standing: &Standing,
) -> ApprovedPlan {
    let snapshot = plan.evaluation.facts.snapshot();
    let policies = plan.evaluation.policies;
    let mut warnings = std::mem::take(&mut plan.warnings);
    let missing = plan.missing_instances.clone();
    for rule_plan in &mut plan.rules {
        let rule = &policies.rules[rule_plan.rule];
        spare_protected(rule, rule_plan, snapshot, &mut warnings);
        let counts = counts_across_instances(rule, policies);
        stand_still_if_partial(counts, rule_plan, &missing, snapshot);
        if rule.action != Action::Report {
            let counted = Counted::of(rule.mode, standing.acting);
            apply_limits(rule, rule_plan, snapshot, &|| {
                history.ended_by(&rule.name, counted, snapshot.known_time())
            });
            let undo = [rule.limits.max_undo_records, limits.max_undo_records];
            spare_big_undo(undo.into_iter().flatten().min(), rule_plan, snapshot);
        }
    }
    let ended =
        |mode| history.ended_by_all(Counted::of(mode, standing.acting), snapshot.known_time());
    apply_database_limits(&mut plan.rules, policies, limits, snapshot, &ended);
    let facts = &plan.evaluation.facts;
    for rule_plan in &mut plan.rules {
        hold_silenced(&policies.rules[rule_plan.rule], rule_plan, standing, facts);
        hold_enforcing(&policies.rules[rule_plan.rule], rule_plan, standing, history);
    }
    warn_of_skipped_undo(&plan, snapshot, &mut warnings);
    approve(&plan, snapshot, standing.acting, warnings)
}

fn approve(
    plan: &Plan<'_>,
    snapshot: &Snapshot,
    acting: Acting,
    warnings: Vec<String>,
) -> ApprovedPlan {
    let mut approved = ApprovedPlan {
        database: snapshot.database.clone(),
        taken_at: snapshot.known_time(),
        acting,
        sessions: snapshot.sessions.len(),
        ends: Vec::new(),
        spared: Vec::new(),
        halted: Vec::new(),
        warnings,
        timers: Vec::new(),
    };
    for rule_plan in &plan.rules {
        let rule = &plan.evaluation.policies.rules[rule_plan.rule];
        let name: Arc<str> = Arc::from(rule.name.as_str());
        if let Some((reason, detail)) = &rule_plan.halted {
            let (reason, detail) = (*reason, detail.clone());
            approved.halted.push(Halted { rule: Arc::clone(&name), reason, detail });
        }
        let label = |text: &Option<String>| text.as_deref().map(Arc::<str>::from);
        let (owner, runbook) = (label(&rule.owner), label(&rule.runbook));
        let watched = Watched::of(plan.evaluation.policies, rule);
        for entry in &rule_plan.entries {
            let session = snapshot.sessions.get(entry.row);
            match &entry.verdict {
                Verdict::Spare(reason, detail) => approved.spared.push(Spared {
                    rule: Arc::clone(&name),
                    life: session.life(),
                    reason: reason.clone(),
                    detail: detail.clone(),
                }),
                Verdict::End => approved.ends.push(End {
                    rule: Arc::clone(&name),
                    owner: owner.clone(),
                    runbook: runbook.clone(),
                    mode: rule.mode,
                    life: session.life(),
                    username: session.text(TextColumn::Username).map(str::to_owned),
                    action: rule.action.clone(),
                    rung: entry.rung,
                    per_second: rule.limits.per_second,
                    reasons: reasons(&rule.condition, &plan.evaluation.facts, entry.row),
                    witness: watched.witness(&plan.evaluation.facts, entry.row),
                }),
            }
        }
        if rule.hold.0 > 0 {
            approved.timers.push((rule.identity.clone(), rule_plan.candidates.clone()));
        }
    }
    approved
}

fn ends(rule_plan: &mut RulePlan) -> impl Iterator<Item = &mut Entry> {
    rule_plan.entries.iter_mut().filter(|entry| entry.verdict == Verdict::End)
}

fn spare(entry: &mut Entry, reason: SpareReason, detail: Detail) {
    entry.verdict = Verdict::Spare(reason, detail);
}

/// A plan never names a protected session. If one ever does, it is a bug, and the session stays all the same.
fn spare_protected(
    rule: &Rule,
    rule_plan: &mut RulePlan,
    snapshot: &Snapshot,
    warnings: &mut Vec<String>,
) {
    for entry in ends(rule_plan) {
        let session = snapshot.sessions.get(entry.row);
        if let Some(protection) = never_end(rule, session, snapshot) {
            warnings.push(format!(
                "guard: rule {} named {}, which is protected ({}); this is a bug in the planner",
                rule.name,
                session.key(),
                protection.name()
            ));
            let detail = Detail::Fixed(protection.detail());
            spare(entry, SpareReason::Protected(protection), detail);
        }
    }
}

/// The protections that must never fail, from the raw row. Written apart from [`super::protect`] on purpose.
fn never_end(rule: &Rule, session: Session<'_>, snapshot: &Snapshot) -> Option<Protection> {
    let known = |column| session.has(Column::Text(column));
    let trimmed = |column| session.text(column).map(str::trim).filter(|text| !text.is_empty());
    let username = trimmed(TextColumn::Username);
    let status = trimmed(TextColumn::Status).unwrap_or_default();
    let account = username.unwrap_or_default();
    let system = ["SYS", "SYSTEM", "SYSRAC", "SYSBACKUP", "SYSDG", "SYSKM", "DBSNMP", "RDSADMIN"];
    let slave_of_other = session
        .number(NumberColumn::Qcsid)
        .is_some_and(|coordinator| coordinator != i64::from(session.key().sid));
    if known(TextColumn::Type) && !session.is(TextColumn::Type, "USER")
        || known(TextColumn::Username) && username.is_none()
    {
        return Some(Protection::Background);
    }
    if system.iter().any(|it| it.eq_ignore_ascii_case(account))
        || session.is(TextColumn::OracleMaintained, "Y")
    {
        return Some(Protection::OracleMaintained);
    }
    if slave_of_other || session.number(NumberColumn::QcinstId).is_some() {
        return Some(Protection::ParallelSlave);
    }
    if snapshot.own_sessions.contains(&session.key()) {
        return Some(Protection::OwnSession);
    }
    if is_server_process(session) && !lifts_process(rule, session) {
        return Some(Protection::ServerProcess);
    }
    if status.eq_ignore_ascii_case("KILLED") {
        return Some(Protection::Killed);
    }
    status.eq_ignore_ascii_case("CACHED").then_some(Protection::Cached)
}

fn is_server_process(session: Session<'_>) -> bool {
    let Some(name) = process_name(session) else { return false };
    let serves_users = ["SHARED", "POOLED"].iter().any(|it| session.is(TextColumn::Server, it));
    let user_server = serves_users && name.starts_with(['S', 's', 'D', 'd', 'L', 'l', 'N', 'n']);
    !user_server
}

fn process_name(session: Session<'_>) -> Option<&str> {
    if session.has(Column::Text(TextColumn::Pname)) {
        session.text(TextColumn::Pname)
    } else {
        session.text(TextColumn::Program).and_then(process_in_program)
    }
}

fn lifts_process(rule: &Rule, session: Session<'_>) -> bool {
    let name = process_name(session).unwrap_or_default().to_ascii_uppercase();
    let starts = |letters: &[&str]| letters.iter().any(|it| name.starts_with(it));
    rule.allow_protected.iter().any(|lifted| match lifted {
        Liftable::JobSlave => starts(&["J"]),
        Liftable::DataPump => starts(&["DM", "DW"]),
        Liftable::Replication => starts(&["AP", "AS", "CP", "MS"]),
        Liftable::Rman | Liftable::XaBranch | Liftable::SelfProtected => false,
    })
}

/// A rule that counts across instances cannot count what it does not see; and nobody on a missing instance is ended.
fn stand_still_if_partial(
    stands_still: bool,
    rule_plan: &mut RulePlan,
    missing: &[u32],
    snapshot: &Snapshot,
) {
    if missing.is_empty() {
        return;
    }
    let names: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let detail = Detail::text(format!("instance {} did not answer", names.join(", ")));
    if stands_still && rule_plan.halted.is_none() {
        rule_plan.halted = Some((HaltReason::Partial, detail.clone()));
    }
    for entry in ends(rule_plan) {
        let inst_id = snapshot.sessions.get(entry.row).key().inst_id;
        if stands_still || missing.contains(&inst_id) {
            spare(entry, SpareReason::Partial, detail.clone());
        }
    }
}

/// Whom `protect` exempts counts too: who blocks nobody that is seen may block somebody who is not.
fn counts_across_instances(rule: &Rule, policies: &PolicySet) -> bool {
    let protects = policies.protections.iter().flat_map(|it| it.condition.leaves());
    !rule.victims.is_everybody()
        || !rule.only_when.is_empty()
        || rule.leaves().into_iter().chain(protects).any(|leaf| leaf.field.spans_instances())
}

/// `ended` is who the rule ended in the hour before.
fn apply_limits(
    rule: &Rule,
    rule_plan: &mut RulePlan,
    snapshot: &Snapshot,
    ended: &dyn Fn() -> FxHashSet<SessionLife>,
) {
    let chosen = lives(ends(rule_plan), snapshot);
    let exceeded = exceeded(&rule.limits, rule_plan.population, ended(), &chosen);
    let Some(Exceeded { limit, fits }) = exceeded else { return };
    let detail = Detail::text(format!("{}, {limit}", counted(chosen.len() as u64, "victim")));
    hold_back(rule_plan, rule.limits.on_exceed, &mut fits.into_iter(), &detail);
}

fn lives<'e>(
    entries: impl Iterator<Item = &'e mut Entry>,
    snapshot: &Snapshot,
) -> Vec<SessionLife> {
    entries.map(|entry| snapshot.sessions.get(entry.row).life()).collect()
}

/// Spares the ends that do not fit; with `halt` the rule stands still.
fn hold_back(
    rule_plan: &mut RulePlan,
    on_exceed: OnExceed,
    fits: &mut impl Iterator<Item = bool>,
    detail: &Detail,
) {
    let reason = match on_exceed {
        OnExceed::Halt => SpareReason::Halted,
        OnExceed::Truncate => SpareReason::Limit,
    };
    let mut ends_anyone = false;
    for entry in ends(rule_plan) {
        ends_anyone = true;
        if fits.next() != Some(true) {
            spare(entry, reason.clone(), detail.clone());
        }
    }
    if ends_anyone && on_exceed == OnExceed::Halt {
        rule_plan.halted = Some((HaltReason::Limit, detail.clone()));
    }
}

/// Whom a silence is about, or may be about, stays, also in a rehearsal.
fn hold_silenced(rule: &Rule, rule_plan: &mut RulePlan, standing: &Standing, facts: &Facts<'_>) {
    if rule.action == Action::Report {
        return;
    }
    for hold in standing.holds.iter().filter(|hold| hold.concerns(&rule.name)) {
        let Some(condition) = &hold.condition else { continue };
        for entry in ends(rule_plan) {
            if truth(condition, facts, entry.row) != Truth::False {
                spare(entry, SpareReason::Silenced, Detail::text(Arc::clone(&hold.why)));
            }
        }
    }
}

/// Pauses and open breakers let a rule end nobody, and only the daemon that leads does; rehearsals are everybody's.
fn hold_enforcing(rule: &Rule, rule_plan: &mut RulePlan, standing: &Standing, history: &History) {
    if rule.action == Action::Report || standing.acting.is_dry_run(rule.mode) {
        return;
    }
    let mut pauses = standing.holds.iter().filter(|it| it.condition.is_none());
    let paused = pauses.find(|hold| hold.concerns(&rule.name));
    let paused = paused.map(|it| (SpareReason::Paused, Detail::text(Arc::clone(&it.why))));
    let broken = history.why_broken(rule).map(|why| (SpareReason::Breaker, Detail::text(why)));
    let follows = match &standing.authority {
        Authority::Leads => None,
        Authority::Follows(why) => Some((SpareReason::Follower, Detail::text(Arc::clone(why)))),
    };
    let Some((reason, detail)) = paused.or(broken).or(follows) else { return };
    for entry in ends(rule_plan) {
        spare(entry, reason.clone(), detail.clone());
    }
}

/// Killing a big transaction means a long rollback that holds its locks (facts, section 9.4).
fn spare_big_undo(limit: Option<u64>, rule_plan: &mut RulePlan, snapshot: &Snapshot) {
    let Some(limit) = limit else { return };
    for entry in ends(rule_plan) {
        let session = snapshot.sessions.get(entry.row);
        let in_transaction = session.text(TextColumn::Taddr).is_some();
        let detail = match session.number(NumberColumn::UsedUrec) {
            Some(records) if u64::try_from(records).unwrap_or(0) > limit => {
                format!("{records} undo records, max_undo_records allows {limit}")
            }
            None if in_transaction => "in a transaction whose undo is not known".to_owned(),
            _ => continue,
        };
        spare(entry, SpareReason::Undo, Detail::text(detail));
    }
}

/// Dry-run rules never use up what enforcing rules may end.
fn apply_database_limits(
    rules: &mut [RulePlan],
    policies: &PolicySet,
    limits: &Limits,
    snapshot: &Snapshot,
    ended: &dyn Fn(Mode) -> FxHashSet<SessionLife>,
) {
    if *limits == Limits::UNLIMITED {
        return;
    }
    let population = rules.iter().map(|rule_plan| rule_plan.population).max().unwrap_or(0);
    for mode in [Mode::Enforce, Mode::DryRun] {
        let counts = |rule_plan: &&mut RulePlan| {
            let rule = &policies.rules[rule_plan.rule];
            rule.mode == mode && rule.action != Action::Report
        };
        let chosen = lives(rules.iter_mut().filter(counts).flat_map(ends), snapshot);
        let exceeded = exceeded(limits, population, ended(mode), &chosen);
        let Some(Exceeded { limit, fits }) = exceeded else { continue };
        let victims = counted(chosen.len() as u64, "victim");
        let detail = Detail::text(format!("{victims} of all rules, the database's {limit}"));
        let mut fits = fits.into_iter();
        for rule_plan in rules.iter_mut().filter(counts) {
            hold_back(rule_plan, limits.on_exceed, &mut fits, &detail);
        }
    }
}

fn warn_of_skipped_undo(plan: &Plan<'_>, snapshot: &Snapshot, warnings: &mut Vec<String>) {
    let policies = plan.evaluation.policies;
    let ends_someone = |rule_plan: &RulePlan| {
        let rule = &policies.rules[rule_plan.rule];
        rule.action != Action::Report
            && rule.limits.max_undo_records.is_some()
            && rule_plan.entries.iter().any(|entry| entry.verdict == Verdict::End)
    };
    let known = snapshot.sessions.has_everywhere(Column::Text(TextColumn::Taddr));
    if !known && plan.rules.iter().any(ends_someone) {
        warnings.push("max_undo_records was not checked: the source has no TADDR".to_owned());
    }
}

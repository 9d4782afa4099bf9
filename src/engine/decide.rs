//! The one path from policies and a snapshot to an approved plan: evaluate, plan, guard. Every front end takes it.

use super::evaluate::evaluate;
use super::guard::{ApprovedPlan, review};
use super::history::History;
use super::plan::{PlanOptions, plan};
use super::policy::{Limits, PolicySet};
use super::session::Snapshot;
use super::standing::Standing;

/// Everything that a decision rests on.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The policies.
    pub policies: &'a PolicySet,
    /// The numbers of the rules that are due, ascending.
    pub due: &'a [usize],
    /// What was seen.
    pub snapshot: &'a Snapshot,
    /// What is remembered.
    pub history: &'a History,
    /// How the plan is made.
    pub options: PlanOptions,
    /// Limits of the whole database.
    pub limits: Limits,
    /// What else holds.
    pub standing: &'a Standing,
}

/// Decides.
pub fn decide(question: Question<'_>) -> ApprovedPlan {
    let evaluation = evaluate(question.policies, question.due, question.snapshot);
    let plan = plan(&evaluation, question.history, question.standing, question.options);
    review(plan, &question.limits, question.history, question.standing)
}

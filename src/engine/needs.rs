//! Which columns a decision rests on: a live source reads these and no others.

use std::collections::BTreeSet;

use super::condition::{Condition, Field, Leaf};
use super::facts::columns;
use super::policy::{GroupKey, PolicySet, PopulationMeasure, Query, Rule};
use super::session::{Column, NumberColumn, TextColumn};
use super::standing::Hold;
use super::witness::Watched;

/// What a source is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The columns.
    pub columns: BTreeSet<Column>,
    /// The queries that rules ask about.
    pub queries: Vec<Query>,
    /// The names of all queries that there are, also of those that no rule asks about now.
    pub query_names: BTreeSet<String>,
}

/// What every decision needs, whatever the rules ask: protections, witness, limits, and what log and audit say.
const TEXTS: [TextColumn; 20] = [
    TextColumn::Username,
    TextColumn::Osuser,
    TextColumn::Machine,
    TextColumn::Program,
    TextColumn::Module,
    TextColumn::ClientInfo,
    TextColumn::Server,
    TextColumn::Status,
    TextColumn::Type,
    TextColumn::SqlId,
    TextColumn::Event,
    TextColumn::State,
    TextColumn::Pname,
    TextColumn::Taddr,
    TextColumn::OracleMaintained,
    TextColumn::Background,
    TextColumn::IsGv,
    TextColumn::JobName,
    TextColumn::SessionType,
    TextColumn::ExtractName,
];

const NUMBERS: [NumberColumn; 10] = [
    NumberColumn::LogonTime,
    NumberColumn::LastCallEt,
    NumberColumn::SqlExecId,
    NumberColumn::UsedUrec,
    NumberColumn::StartDate,
    NumberColumn::Qcsid,
    NumberColumn::QcinstId,
    NumberColumn::Ownerid,
    NumberColumn::UserNumber,
    NumberColumn::ConId,
];

impl Needs {
    /// What every decision needs.
    pub fn always() -> Self {
        let texts = TEXTS.into_iter().map(Column::Text);
        let columns = texts.chain(NUMBERS.into_iter().map(Column::Number)).collect();
        Self { columns, ..Self::default() }
    }

    /// Every column that there is.
    pub fn everything() -> Self {
        Self { columns: Column::all().collect(), ..Self::default() }
    }

    /// What the rules of these numbers need, and `protect`.
    pub fn of(policies: &PolicySet, due: &[usize]) -> Self {
        let mut needs = Self::always();
        let mut asked = BTreeSet::new();
        for exemption in &policies.protections {
            needs.add_leaves(&exemption.condition.leaves(), &mut asked);
        }
        for rule in due.iter().filter_map(|at| policies.rules.get(*at)) {
            needs.add_rule(rule, &mut asked);
            let watched = Watched::of(policies, rule);
            needs.columns.extend(watched.columns().iter().copied().map(Column::Text));
        }
        needs.query_names = policies.queries.iter().map(|query| query.name.clone()).collect();
        needs.queries = policies
            .queries
            .iter()
            .filter(|query| asked.contains(query.name.as_str()))
            .cloned()
            .collect();
        needs
    }

    /// What one condition needs besides.
    pub fn and(mut self, condition: &Condition) -> Self {
        self.add_leaves(&condition.leaves(), &mut BTreeSet::new());
        self
    }

    /// What silences ask about besides.
    pub fn with_holds(self, holds: &[Hold]) -> Self {
        holds.iter().filter_map(|hold| hold.condition.as_ref()).fold(self, Self::and)
    }

    fn add_rule<'r>(&mut self, rule: &'r Rule, asked: &mut BTreeSet<&'r str>) {
        self.add_leaves(&rule.leaves(), asked);
        let groups = rule.victims.group_by.iter().map(|key| match key {
            GroupKey::Field(field) | GroupKey::Capture { of: field, .. } => *field,
        });
        let orders = rule.victims.order.iter().map(|key| key.field);
        groups.chain(orders).for_each(|field| self.add(field));
        for test in &rule.only_when {
            match test.measure {
                PopulationMeasure::SessionUsage => self.add_number(NumberColumn::SessionUsage),
                PopulationMeasure::ProcessUsage => self.add_number(NumberColumn::ProcessUsage),
                PopulationMeasure::Matching | PopulationMeasure::ActiveSessions => {}
            }
        }
    }

    fn add_leaves<'r>(&mut self, leaves: &[&'r Leaf], asked: &mut BTreeSet<&'r str>) {
        for leaf in leaves {
            self.add(leaf.field);
            asked.extend(leaf.query());
        }
    }

    fn add(&mut self, field: Field) {
        self.columns.extend(columns(field));
    }

    fn add_number(&mut self, column: NumberColumn) {
        self.columns.insert(Column::Number(column));
    }
}

//! What must still hold of a session for its planned end: the decision travels with it, and the executor compares it
//! with the row as it is then. Facts, section 6.

use super::condition::{Field, Leaf};
use super::facts::{Facts, Value};
use super::policy::{PolicySet, Rule};
use super::session::{NumberColumn, Session, SessionLife, TextColumn};
use super::time::Span;

/// What was seen longer ago is judged again before anybody is ended. Longer than a look and a few slow ends take, much
/// shorter than windows and maintenance are.
pub const AGE_MAX: Span = Span::seconds(300);

/// The judged state of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Who it was: all four parts.
    pub life: SessionLife,
    /// USERNAME.
    pub username: Option<String>,
    /// STATUS.
    pub status: Option<String>,
    /// SQL_ID.
    pub sql_id: Option<String>,
    /// SQL_EXEC_ID.
    pub sql_exec_id: Option<i64>,
    /// LAST_CALL_ET: a smaller value now means that a call has begun or ended since.
    pub last_call_et: Option<i64>,
    /// The columns that can change within a session's life and that the rule looked at, with their values.
    pub looked_at: Vec<(TextColumn, Option<String>)>,
    /// The queries that were answered, and whether each returned the session.
    pub queries: Vec<(QueryText, bool)>,
    /// Whether somebody waited for it, if that was asked.
    pub blocks: Option<bool>,
}

/// The SELECT of a named query.
pub type QueryText = std::sync::Arc<str>;

/// What decides about the victims of one rule and can change within a session's life.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    columns: Vec<TextColumn>,
    queries: Vec<(String, QueryText)>,
    blocking: bool,
}

impl Watched {
    /// By `rule` and `protect`. Of what `protect` asks about waits nothing is compared again: a running statement's
    /// change many times a second.
    pub fn of(policies: &PolicySet, rule: &Rule) -> Self {
        let of_rule = rule.leaves();
        let protect = || policies.protections.iter().flat_map(|it| it.condition.leaves());
        let lasting = protect().filter(|leaf| !leaf.field.needs_waiting());
        let leaves: Vec<&Leaf> = of_rule.iter().copied().chain(lasting).collect();
        let mut columns: Vec<TextColumn> =
            leaves.iter().filter_map(|leaf| mutable_column(leaf.field)).collect();
        // An event stays in the row after its wait is over.
        if of_rule.iter().any(|leaf| leaf.field.needs_waiting()) {
            columns.push(TextColumn::State);
        }
        columns.sort_unstable();
        columns.dedup();
        let asked = |query: &&super::policy::Query| {
            leaves.iter().any(|leaf| leaf.query() == Some(query.name.as_str()))
        };
        let queries = policies.queries.iter().filter(asked);
        let queries = queries.map(|query| (query.name.clone(), query.sql.as_str().into()));
        let blocking = leaves.iter().any(|leaf| is_about_blocking(leaf.field));
        Self { columns, queries: queries.collect(), blocking }
    }

    /// The columns among it.
    pub fn columns(&self) -> &[TextColumn] {
        &self.columns
    }

    /// The witness for ending the session in `row`.
    pub fn witness(&self, facts: &Facts<'_>, row: usize) -> Witness {
        let session = facts.snapshot().sessions.get(row);
        let mut witness = Witness::of(&self.columns, session);
        let returned = |(name, sql): &(String, QueryText)| {
            let answer = facts.snapshot().queries.get(name)?;
            Some((QueryText::clone(sql), answer.contains(&session.key())))
        };
        witness.queries = self.queries.iter().filter_map(returned).collect();
        if self.blocking
            && let Value::Number(blocked) = facts.value(Field::BlockedSessions, row)
        {
            witness.blocks = Some(blocked > 0);
        }
        witness
    }
}

const fn is_about_blocking(field: Field) -> bool {
    matches!(field, Field::BlockedSessions | Field::BlockingFor | Field::RootBlocker)
}

impl Witness {
    /// The witness for ending `session` by a rule that looks at `columns`.
    pub fn of(columns: &[TextColumn], session: Session<'_>) -> Self {
        let text = |column| session.text(column).map(str::to_owned);
        Self {
            life: session.life(),
            username: text(TextColumn::Username),
            status: text(TextColumn::Status),
            sql_id: text(TextColumn::SqlId),
            sql_exec_id: session.number(NumberColumn::SqlExecId),
            last_call_et: session.number(NumberColumn::LastCallEt),
            looked_at: columns.iter().map(|column| (*column, text(*column))).collect(),
            queries: Vec::new(),
            blocks: None,
        }
    }

    /// Whether `now` is still what was judged.
    pub fn still_holds(&self, now: Session<'_>) -> bool {
        let same = |column, then: &Option<String>| now.text(column) == then.as_deref();
        let active = self.status.as_deref().is_some_and(|it| it.eq_ignore_ascii_case("ACTIVE"));
        // Counted from the call's begin or end, it only grows while nothing happens.
        let same_call = now.number(NumberColumn::LastCallEt) >= self.last_call_et;
        let same_statement = !active
            || (same(TextColumn::SqlId, &self.sql_id)
                && now.number(NumberColumn::SqlExecId) == self.sql_exec_id);
        now.life() == self.life
            && same(TextColumn::Username, &self.username)
            && same(TextColumn::Status, &self.status)
            && same_call
            && same_statement
            && self.looked_at.iter().all(|(column, then)| same(*column, then))
    }
}

/// The column behind a field of text that may change while the session lives.
const fn mutable_column(field: Field) -> Option<TextColumn> {
    Some(match field {
        Field::Module => TextColumn::Module,
        Field::Action => TextColumn::Action,
        Field::ClientInfo => TextColumn::ClientInfo,
        Field::ClientIdentifier => TextColumn::ClientIdentifier,
        Field::Schemaname => TextColumn::Schemaname,
        Field::Server => TextColumn::Server,
        Field::ResourceConsumerGroup => TextColumn::ResourceConsumerGroup,
        Field::Container => TextColumn::ContainerName,
        Field::ServiceName => TextColumn::ServiceName,
        Field::LastSqlId => TextColumn::PrevSqlId,
        Field::WaitEvent | Field::WaitingFor => TextColumn::Event,
        Field::WaitClass => TextColumn::WaitClass,
        _ => return None,
    })
}

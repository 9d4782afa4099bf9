//! The named queries of policies: asked on a session of their own, because a query that takes too long costs it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::connection::{Account, Connection, Settings};
use super::datum::{Kind, Rows, session_key};
use super::error::CallError;
use crate::engine::needs::Needs;
use crate::engine::policy::Query;
use crate::engine::session::SessionKey;

/// ACTION while it asks.
const ACTION: &str = "query";

/// Rows of one answer, far more than a database has sessions: a query that forgets a join must not fill our memory.
const ROWS_MAX: usize = 100_000;

/// A query names a part of the sessions, and there are fewer of these than [`super::source`] reads at once.
const PREFETCH: u32 = 1_000;

/// Each of so many failures in a row doubles the time to the next try: at most 64 times `every`.
const FAILURES_COUNTED: u32 = 6;

/// Remembers what was answered until it is due again.
pub(super) struct Queries {
    connection: Connection,
    answers: BTreeMap<String, Answer>,
}

struct Answer {
    query: Query,
    asked: Instant,
    returned: Result<BTreeSet<SessionKey>, String>,
    /// In a row. The server may still be busy with what we have given up, so it is asked more and more seldom.
    failures: u32,
}

impl Answer {
    fn is_valid(&self) -> bool {
        let every = self.query.every.to_duration();
        self.asked.elapsed() < every.saturating_mul(1 << self.failures.min(FAILURES_COUNTED))
    }
}

impl Queries {
    /// Nothing is reached for before a query is asked.
    pub(super) fn new(settings: Arc<Settings>, account: Account) -> Self {
        Self { connection: Connection::new(settings, account), answers: BTreeMap::new() }
    }

    /// Who is returned by each query that is answered now, and a warning for each that is not. Queries that are gone
    /// are forgotten.
    pub(super) fn ask(
        &mut self,
        needs: &Needs,
        warnings: &mut Vec<String>,
    ) -> BTreeMap<String, BTreeSet<SessionKey>> {
        self.answers.retain(|name, _| needs.query_names.contains(name));
        let mut returned = BTreeMap::new();
        for query in &needs.queries {
            match self.answer(query) {
                Ok(keys) => {
                    returned.insert(query.name.clone(), keys.clone());
                }
                Err(why) => warnings.push(format!("query {}: {why}", query.name)),
            }
        }
        returned
    }

    /// Round trips since the last time this was asked.
    pub(super) fn take_round_trips(&mut self) -> u64 {
        self.connection.take_round_trips()
    }

    fn answer(&mut self, query: &Query) -> &Result<BTreeSet<SessionKey>, String> {
        let before = self.answers.get(&query.name).filter(|answer| answer.query == *query);
        if !before.is_some_and(Answer::is_valid) {
            let failures = before.map_or(0, |answer| answer.failures);
            let returned = self.run(query).map_err(|error| error.to_string());
            let returned = returned.and_then(|rows| match rows.len() {
                0..=ROWS_MAX => keys(&rows),
                _ => Err(format!("it returns more than {ROWS_MAX} rows")),
            });
            let failures = if returned.is_ok() { 0 } else { failures + 1 };
            // Its age counts from the answer: a query that takes long is not due again at once.
            let asked = Instant::now();
            let answer = Answer { query: query.clone(), asked, returned, failures };
            self.answers.insert(query.name.clone(), answer);
        }
        &self.answers[&query.name].returned
    }

    fn run(&mut self, query: &Query) -> Result<Rows, CallError> {
        self.connection.reach()?;
        self.connection.act_as(ACTION)?;
        // By name, so that columns in another order do not mean another session.
        let (sql, rows) = (&query.sql, ROWS_MAX + 1);
        let sql =
            format!("SELECT q.inst_id, q.sid, q.serial# FROM (\n{sql}\n) q WHERE ROWNUM <= {rows}");
        let kinds = vec![Kind::Number; 3];
        self.connection.query(&sql, Vec::new(), kinds, PREFETCH, query.deadline.to_duration())
    }
}

/// Who is named. A row that names nobody may mean anybody, as NULL does in a NOT IN: without it, who it was to exempt
/// would be ended.
fn keys(rows: &Rows) -> Result<BTreeSet<SessionKey>, String> {
    let named: Option<_> = rows.iter().map(session_key).collect();
    named.ok_or_else(|| "a row names no session by INST_ID, SID and SERIAL#".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Queries, keys};
    use crate::engine::needs::Needs;
    use crate::engine::policy::Query;
    use crate::engine::time::Span;
    use crate::oracle::connection::{Account, Settings, Topology};
    use crate::oracle::datum::{Cell, Rows};
    use crate::oracle::host::Program;
    use crate::oracle::protocol::DriverKind;
    use crate::oracle::secret::SecretPlace;

    /// Nobody is reached, so each query fails, which is an answer too.
    fn queries() -> Queries {
        let settings = Settings {
            name: "prod".to_owned(),
            driver: DriverKind::Thin,
            connect: "//localhost/PROD".to_owned(),
            username: None,
            secret: SecretPlace::Wallet,
            config_dir: None,
            wallet: None,
            topology: Topology::Gv,
            connect_within: Duration::from_mins(1),
            snapshot_within: Duration::from_mins(1),
            kill_within: Duration::from_mins(1),
            program: Program::at("/nowhere"),
        };
        Queries::new(settings.into(), Account::default())
    }

    #[test]
    fn a_query_that_no_rule_asks_now_is_remembered_and_one_that_is_gone_is_not() {
        let query = |name: &str| {
            let (name, sql, every) = (name.to_owned(), "SELECT".to_owned(), Span::seconds(60));
            Query { name, sql, every, deadline: every }
        };
        let mut queries = queries();
        let mut ask = |named: &[&str], asked: &[&str]| {
            let mut needs = Needs::always();
            needs.query_names = named.iter().map(|name| (*name).to_owned()).collect();
            needs.queries = asked.iter().map(|name| query(name)).collect();
            let mut warnings = Vec::new();
            assert!(queries.ask(&needs, &mut warnings).is_empty());
            assert_eq!(warnings.len(), asked.len(), "{warnings:?}");
            queries.answers.keys().cloned().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(ask(&["a", "b"], &["a", "b"]), "a b");
        assert_eq!(ask(&["a", "b"], &["b"]), "a b");
        assert_eq!(ask(&["b", "c"], &["c"]), "b c");
    }

    #[test]
    fn a_row_that_names_no_session_makes_the_answer_unknown() {
        let answer = |serial| {
            let row = [Cell::Number(1), Cell::Number(7), serial];
            let cells = [[Cell::Number(1), Cell::Number(8), Cell::Number(8)], row].concat();
            keys(&Rows { width: 3, cells, ..Rows::default() }).map(|named| named.len())
        };
        assert_eq!(answer(Cell::Number(7)), Ok(2));
        assert!(answer(Cell::Null).is_err() && answer(Cell::Number(-1)).is_err());
    }
}

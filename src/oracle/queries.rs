//! The named queries of policies: asked on a session of their own, because a query that takes too long costs it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::connection::{Account, Connection, Settings};
use super::datum::{Kind, Rows, session_key};
use super::error::CallError;
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

    /// Who is returned by each query that is answered now, and a warning for each that is not.
    pub(super) fn ask(
        &mut self,
        wanted: &[Query],
        warnings: &mut Vec<String>,
    ) -> BTreeMap<String, BTreeSet<SessionKey>> {
        let mut returned = BTreeMap::new();
        for query in wanted {
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
                0..=ROWS_MAX => Ok(keys(&rows)),
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

/// Rows that name nobody are left out: nobody is equal to them in the database either.
fn keys(rows: &Rows) -> BTreeSet<SessionKey> {
    rows.iter().filter_map(session_key).collect()
}

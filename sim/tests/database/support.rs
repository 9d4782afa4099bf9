//! A database from a few lines of YAML, clients that talk to it, and time that moves when a test says so.

use rac_sim::cluster::SECOND;
use rac_sim::conversation::{Bind, Conversation, Outcome, Progress, Statement};
use rac_sim::database::SimDatabase;
use rac_sim::ora::OraError;
use rac_sim::scenario::Scenario;
use rac_sim::value::{ColumnType, Value};

/// The only database of a scenario.
pub(crate) fn database(yaml: &str) -> SimDatabase {
    let scenario = Scenario::parse(yaml).expect("the test's scenario is read");
    scenario.build().expect("the test's scenario is sound").remove(0)
}

/// Two instances and a table of two rows that everybody may change.
pub(crate) fn shop() -> SimDatabase {
    database(
        "
databases:
  - name: SHOP
    accounts:
      - {name: ANN, password: ann, grants: [CREATE SESSION, SELECT ON APP.T, UPDATE ON APP.T, DELETE ON APP.T]}
      - {name: BOB, password: bob, grants: [CREATE SESSION, SELECT ON APP.T, UPDATE ON APP.T, INSERT ON APP.T]}
    tables:
      - owner: APP
        name: T
        columns: [ID NUMBER, NAME VARCHAR2(20)]
        rows: [[1, one], [2, two]]
",
    )
}

/// A client.
pub(crate) struct Client {
    /// Its session.
    pub(crate) talk: Box<dyn Conversation>,
    database: SimDatabase,
    inst_id: u32,
}

impl Client {
    /// Logs in on an instance.
    pub(crate) fn new(database: &SimDatabase, user: &str, inst_id: u32) -> Self {
        let service = format!("{}{inst_id}", database.name());
        let talk = database.connect(user, &service).expect("the account can log in");
        Self::of(talk, database, inst_id)
    }

    /// A client that is logged in.
    pub(crate) fn of(talk: Box<dyn Conversation>, database: &SimDatabase, inst_id: u32) -> Self {
        Self { talk, database: database.clone(), inst_id }
    }

    /// `'sid, serial#, @inst'`.
    pub(crate) fn target(&self) -> String {
        let (sid, serial) = self.talk.session();
        format!("{sid},{serial},@{}", self.inst_id)
    }

    /// Begins a statement.
    pub(crate) fn start(&mut self, sql: &str) -> Progress {
        self.talk.execute(&Statement { sql: sql.to_owned(), ..Statement::default() })
    }

    /// Runs a statement to its end, for at most two minutes of the model.
    pub(crate) fn run(&mut self, sql: &str) -> Result<Outcome, OraError> {
        let progress = self.start(sql);
        self.finish(progress)
    }

    /// Runs a block with NUMBER binds in and out, and gives their values.
    pub(crate) fn block(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Value>, OraError> {
        let binds = values.iter().map(|value| Bind {
            column_type: if matches!(value, Value::Text(_)) {
                ColumnType::Varchar2(400)
            } else {
                ColumnType::Number
            },
        });
        let statement = Statement {
            sql: sql.to_owned(),
            binds: binds.collect(),
            rows: vec![values.to_vec()],
            ..Statement::default()
        };
        let progress = self.talk.execute(&statement);
        match self.finish(progress)? {
            Outcome::Plsql { values, .. } => Ok(values),
            other => panic!("no block: {other:?}"),
        }
    }

    /// Waits for the end of a statement.
    pub(crate) fn finish(&mut self, mut progress: Progress) -> Result<Outcome, OraError> {
        for _ in 0..240 {
            match progress {
                Progress::Done(result) => return result,
                Progress::Waiting => self.database.advance(SECOND / 2),
            }
            progress = self.talk.resume();
        }
        panic!("it still waits after two minutes");
    }

    /// The first cell of a query, as text.
    pub(crate) fn cell(&mut self, sql: &str) -> String {
        self.cells(sql).first().cloned().unwrap_or_default()
    }

    /// All cells of a query, as text; NULL is empty.
    pub(crate) fn cells(&mut self, sql: &str) -> Vec<String> {
        match self.run(sql) {
            Ok(Outcome::Query { cells, .. }) => cells.iter().map(shown).collect(),
            other => panic!("{sql}: {other:?}"),
        }
    }

    /// The number of the error that a statement ends with; 0 for none.
    pub(crate) fn code(&mut self, sql: &str) -> u32 {
        self.run(sql).map_or_else(|error| error.code, |_| 0)
    }
}

/// The error's number of a call that is over; 0 for success.
pub(crate) fn code(progress: &Progress) -> u32 {
    match progress {
        Progress::Done(Ok(_)) => 0,
        Progress::Done(Err(error)) => error.code,
        Progress::Waiting => panic!("it waits"),
    }
}

/// A cell as text; NULL is empty.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

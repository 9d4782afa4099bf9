//! What a logged-in client can ask: the seam between the database and the wire. The wire knows no SQL, and the database
//! knows no packets.

use crate::ora::OraError;
use crate::value::{ColumnType, Value};

/// Who wants to log in, as the client says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Upper-case, or as it stands between double quotes.
    pub user: String,
    /// AS SYSDBA was asked for.
    pub sysdba: bool,
    /// PROGRAM.
    pub program: String,
    /// MACHINE.
    pub machine: String,
    /// OSUSER.
    pub osuser: String,
    /// TERMINAL.
    pub terminal: String,
    /// PROCESS: the client's own process id.
    pub process: String,
    /// The driver, as V$SESSION_CONNECT_INFO shows it.
    pub driver: String,
    /// PORT: the client's.
    pub port: u16,
    /// SERVICE_NAME.
    pub service: String,
    /// The session's time zone, as the client set it (`+00:00`), if it did.
    pub time_zone: Option<String>,
    /// Application contexts of the log-on: namespace, name, value.
    pub contexts: Vec<[String; 3]>,
}

/// A database behind a listener. A listener knows it by its services.
pub trait Database: Send + Sync {
    /// Resolves what the client asks for to an instance. The error is the listener's: 12514, 12505, 12516, 12521.
    fn resolve(&self, wanted: &Destination) -> Result<u32, OraError>;

    /// The password of an account, for the proof that both sides know it. `None`: there is no such account, and the
    /// error comes when the proof fails, as if the password were wrong.
    fn password(&self, user: &str) -> Option<String>;

    /// Makes the session, once the password was proved. The error is 1017, 28000, 28001, 20, 18, 1033, 1034, …
    fn log_on(&self, instance: u32, identity: Identity) -> Result<Box<dyn Conversation>, OraError>;

    /// Counts a wrong password against the account. The error is what the client gets: 1017, or 28000 when the account
    /// is locked by now.
    fn wrong_password(&self, user: &str) -> OraError;

    /// Gives an account a new password, once the old one was proved; an expired account is open again. The error is
    /// 28000, 28001, …
    fn change_password(&self, user: &str, _password: &str) -> Result<(), OraError> {
        Err(OraError::new(3_001, format!("unimplemented feature: another password for {user}")))
    }

    /// What the clients of one instance are told at log-on.
    fn about(&self, instance: u32) -> About;

    /// Changes whenever the model's clock moves: then waiting calls are asked again.
    fn ticks(&self) -> tokio::sync::watch::Receiver<u64>;
}

/// What a connect descriptor asks for; upper-case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destination {
    /// SERVICE_NAME.
    pub service: Option<String>,
    /// SID.
    pub sid: Option<String>,
    /// INSTANCE_NAME.
    pub instance: Option<String>,
}

/// The release that a database plays: it decides the columns of views, the clauses of statements and what is
/// negotiated on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Release {
    /// 11.2.0.4
    R11_2,
    /// 12.1.0.2
    R12_1,
    /// 12.2.0.1
    R12_2,
    /// 19c
    #[default]
    R19,
    /// 23ai
    R23,
}

/// What a client is told of the database at log-on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The release played.
    pub release: Release,
    /// Its five numbers: 19.28.0.0.0.
    pub version: [u8; 5],
    /// The line that V$VERSION begins with.
    pub banner: String,
    /// DB_NAME.
    pub database: String,
    /// DB_UNIQUE_NAME.
    pub unique_name: String,
    /// DB_DOMAIN.
    pub domain: String,
    /// INSTANCE_NAME.
    pub instance: String,
    /// INSTANCE_NUMBER.
    pub inst_id: u32,
    /// HOST_NAME.
    pub host: String,
}

/// One statement with its binds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Statement {
    /// The text, as sent.
    pub sql: String,
    /// By place: what each bind is declared as.
    pub binds: Vec<Bind>,
    /// The values, one list per iteration, each as long as `binds`; a pure OUT bind has `Null`. A query has one.
    pub rows: Vec<Vec<Value>>,
    /// The client asked for a commit when it succeeds.
    pub autocommit: bool,
    /// An iteration of DML that fails does not end the call: [`Extras::failures`] tells of it.
    pub batch_errors: bool,
    /// Binds, by place, that are cursors for a block to open; their values mean nothing.
    pub cursors: Vec<usize>,
    /// Binds that are arrays of PL/SQL, of the type of their elements; their values mean nothing.
    pub arrays: Vec<Array>,
}

/// A bind that is an array of PL/SQL, with numbers from 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Array {
    /// Its place.
    pub place: usize,
    /// What the client sent.
    pub elements: Vec<Value>,
    /// How many elements the client has room for.
    pub room: usize,
}

/// How a bind is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bind {
    /// Its type and size.
    pub column_type: ColumnType,
}

/// Where a bind's value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    In,
    /// From the server.
    Out,
    /// Both.
    InOut,
}

/// What became of a call so far.
#[derive(Debug)]
pub enum Progress {
    /// It is over.
    Done(Result<Outcome, OraError>),
    /// It waits, for a lock, for the clock or for nothing at all. Ask again with [`Conversation::resume`] when
    /// [`Database::ticks`] moved.
    Waiting,
}

/// What a statement gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Rows. They are all here; the wire hands them out as the client fetches.
    Query {
        /// The columns.
        columns: Vec<ResultColumn>,
        /// Cells of all rows, one row after the other.
        cells: Vec<Value>,
    },
    /// Rows changed, and what RETURNING gave: per OUT bind, its values.
    Dml {
        /// How many rows.
        count: u64,
        /// By place of the bind; empty without RETURNING.
        returning: Vec<Vec<Value>>,
    },
    /// A block: per bind its direction and, unless that is `In`, its value now.
    Plsql {
        /// By place.
        directions: Vec<Direction>,
        /// By place; `Null` for an IN bind.
        values: Vec<Value>,
    },
    /// ALTER, COMMIT and the like.
    Done,
}

/// The rows of a cursor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResultSet {
    /// The columns.
    pub columns: Vec<ResultColumn>,
    /// Cells of all rows, one row after the other.
    pub cells: Vec<Value>,
}

/// What a call gave besides its [`Outcome`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extras {
    /// DML: rows changed by each iteration; 0 for one that failed.
    pub counts: Vec<u64>,
    /// DML with [`Statement::batch_errors`]: iterations that failed, from 0, in their order.
    pub failures: Vec<(usize, OraError)>,
    /// DML with several iterations: what RETURNING gave to each, as in [`Outcome::Dml`].
    pub returning: Vec<Vec<Vec<Value>>>,
    /// A block: the binds that it opened as cursors, by place.
    pub cursors: Vec<(usize, ResultSet)>,
    /// A block: the binds that came back and are arrays, by place, with their elements.
    pub arrays: Vec<(usize, Vec<Value>)>,
    /// A block with several iterations: the values of each, as in [`Outcome::Plsql`].
    pub iterations: Vec<Vec<Value>>,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultColumn {
    /// Its name, upper-case unless it was quoted.
    pub name: String,
    /// Its type.
    pub column_type: ColumnType,
    /// Whether it can be NULL.
    pub nullable: bool,
}

/// How a session ended that did not log off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Death {
    /// The next call, or the one under way, gets this error, and the connection closes after it.
    Error(OraError),
    /// The connection closes without a word.
    Cut,
}

/// What the client sets along with a call, and sees in V$SESSION.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// MODULE.
    pub module: Option<String>,
    /// ACTION.
    pub action: Option<String>,
    /// CLIENT_INFO.
    pub client_info: Option<String>,
    /// CLIENT_IDENTIFIER.
    pub client_identifier: Option<String>,
    /// ECID.
    pub ecid: Option<String>,
    /// The name of the database operation.
    pub operation: Option<String>,
}

/// One session of one client. Dropping it ends the session, as a broken connection does.
pub trait Conversation: Send {
    /// SID and SERIAL#.
    fn session(&self) -> (u32, u32);

    /// What the client is told at log-on although it is let in: ORA-28002.
    fn warning(&self) -> Option<OraError> {
        None
    }

    /// Begins a call that runs a statement. Not while another one is waiting.
    fn execute(&mut self, statement: &Statement) -> Progress;

    /// What the call that was just over gave besides its outcome. It is handed out once.
    fn extras(&mut self) -> Extras {
        Extras::default()
    }

    /// Parses only: the columns of a query, nothing for the rest.
    fn describe(&mut self, sql: &str) -> Result<Vec<ResultColumn>, OraError>;

    /// Asks again about a call that waits.
    fn resume(&mut self) -> Progress;

    /// Ends a waiting call with ORA-01013.
    fn cancel(&mut self);

    /// Begins or ends a call without a statement (a fetch, a ping), so that STATUS and LAST_CALL_ET follow. A cursor
    /// that is not fetched to its end holds its SQL_ID.
    fn call(&mut self, open_cursor: bool);

    /// Begins to wait as long as a call without a statement has to: for an instance that hangs. [`Conversation::call`]
    /// comes after it.
    fn knock(&mut self) -> Progress {
        Progress::Done(Ok(Outcome::Done))
    }

    /// OPEN_CURSORS: how many cursors the session may have.
    fn open_cursors(&self) -> u16 {
        300
    }

    /// Takes over what the client set; `Some("")` empties it.
    fn tag(&mut self, tags: &Tags);

    /// Begins a call that commits.
    fn commit(&mut self) -> Progress;

    /// Begins a call that rolls back, which takes as long as there is much to undo.
    fn rollback(&mut self) -> Progress;

    /// The ROWID of the last row that the last statement inserted, updated or deleted, if it did.
    fn last_rowid(&self) -> Option<String> {
        None
    }

    /// True while there is a transaction.
    fn in_transaction(&self) -> bool;

    /// How the session was ended by somebody else, if it was. Looked at before each call, after each tick and while a
    /// call waits.
    fn death(&self) -> Option<Death>;

    /// LOGOFF.
    fn log_off(self: Box<Self>);
}

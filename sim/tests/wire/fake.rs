//! A database that has no model behind it: a few statements, each known by its words, so that the wire can be tried
//! alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rac_sim::conversation::{
    About, Array, Conversation, Database, Death, Destination, Direction, Extras, Identity, Outcome,
    Progress, Release, ResultColumn, ResultSet, Statement, Tags,
};
use rac_sim::ora::OraError;
use rac_sim::value::{ColumnType, Number, Value};
use tokio::sync::watch;

/// Its only account that is an ordinary one.
pub(crate) const USER: &str = "SCOTT";
pub(crate) const PASSWORD: &str = "Tiger-\u{e9}9";

/// A database of one release.
pub(crate) struct Fake {
    release: Release,
    world: Arc<World>,
}

/// What all sessions share.
struct World {
    sessions: Mutex<BTreeMap<u32, Peer>>,
    /// Of ordinary accounts, if it was changed.
    passwords: Mutex<BTreeMap<String, String>>,
    ticks: watch::Sender<u64>,
}

#[derive(Clone)]
struct Peer {
    serial: u32,
    identity: Identity,
    tags: Tags,
    death: Option<Death>,
}

impl World {
    fn sessions(&self) -> MutexGuard<'_, BTreeMap<u32, Peer>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    fn passwords(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.passwords.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fake {
    pub(crate) fn new(release: Release) -> Arc<Self> {
        let (sessions, passwords) = (Mutex::default(), Mutex::default());
        let world = World { sessions, passwords, ticks: watch::Sender::new(0) };
        Arc::new(Self { release, world: Arc::new(world) })
    }

    /// Ends a session without a word.
    pub(crate) fn cut(&self, sid: u32) {
        let mut sessions = self.world.sessions();
        sessions.get_mut(&sid).expect("it is there").death = Some(Death::Cut);
        drop(sessions);
        self.world.ticks.send_modify(|tick| *tick += 1);
    }

    /// How many sessions there are.
    pub(crate) fn sessions(&self) -> usize {
        self.world.sessions().len()
    }
}

impl Database for Fake {
    fn resolve(&self, wanted: &Destination) -> Result<u32, OraError> {
        match (wanted.service.as_deref(), wanted.sid.as_deref()) {
            (Some("SALES"), _) | (None, Some("SALES1")) => Ok(1),
            (Some(_), _) => Err(OraError::new(12_514, "no such service")),
            (None, _) => Err(OraError::new(12_505, "no such SID")),
        }
    }

    fn password(&self, user: &str) -> Option<String> {
        let changed = self.world.passwords().get(user).cloned();
        let known = [USER, "SYS", "LOCKED", "EXPIRED", "GRACE"].contains(&user);
        changed.or_else(|| known.then(|| PASSWORD.to_owned()))
    }

    fn change_password(&self, user: &str, password: &str) -> Result<(), OraError> {
        self.world.passwords().insert(user.to_owned(), password.to_owned());
        Ok(())
    }

    fn log_on(&self, _: u32, identity: Identity) -> Result<Box<dyn Conversation>, OraError> {
        if identity.user == "LOCKED" {
            return Err(OraError::new(28_000, "the account is locked"));
        }
        if identity.user == "EXPIRED" && !self.world.passwords().contains_key("EXPIRED") {
            return Err(OraError::new(28_001, "the password has expired"));
        }
        let mut sessions = self.world.sessions();
        let sid = (1..=u16::MAX.into()).find(|sid| !sessions.contains_key(sid)).unwrap_or(1);
        let serial = sid * 7 + 1;
        sessions.insert(sid, Peer { serial, identity, tags: Tags::default(), death: None });
        drop(sessions);
        let world = Arc::clone(&self.world);
        let (transaction, schema, waiting) = (false, USER, None);
        let extras = Extras::default();
        Ok(Box::new(Talk { sid, serial, world, transaction, schema, waiting, extras }))
    }

    fn wrong_password(&self, _: &str) -> OraError {
        OraError::new(1_017, "invalid username/password; logon denied")
    }

    fn about(&self, _: u32) -> About {
        let version = match self.release {
            Release::R11_2 => [11, 2, 0, 4, 0],
            Release::R12_1 => [12, 1, 0, 2, 0],
            Release::R12_2 => [12, 2, 0, 1, 0],
            Release::R19 => [19, 28, 0, 0, 0],
            Release::R23 => [23, 26, 0, 0, 0],
        };
        About {
            release: self.release,
            version,
            banner: "Fake Database".to_owned(),
            database: "SALES".to_owned(),
            unique_name: "SALES_A".to_owned(),
            domain: String::new(),
            instance: "SALES1".to_owned(),
            inst_id: 1,
            host: "node1".to_owned(),
        }
    }

    fn ticks(&self) -> watch::Receiver<u64> {
        self.world.ticks.subscribe()
    }
}

/// A session of it.
struct Talk {
    sid: u32,
    serial: u32,
    world: Arc<World>,
    transaction: bool,
    schema: &'static str,
    /// The tick at which a waiting call is over, if ever.
    waiting: Option<u64>,
    extras: Extras,
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.world.sessions().remove(&self.sid);
    }
}

impl Conversation for Talk {
    fn session(&self) -> (u32, u32) {
        (self.sid, self.serial)
    }

    fn execute(&mut self, statement: &Statement) -> Progress {
        let sql = statement.sql.to_uppercase();
        self.extras = Extras::default();
        if sql.contains("SLEEP") {
            self.waiting = Some(u64::MAX);
            return Progress::Waiting;
        }
        if sql.contains("NEXT TICK") {
            self.waiting = Some(*self.world.ticks.borrow() + 1);
            return Progress::Waiting;
        }
        Progress::Done(self.run(&sql, statement))
    }

    fn warning(&self) -> Option<OraError> {
        let grace = self.world.sessions().get(&self.sid)?.identity.user == "GRACE";
        let text = "the password will expire within 7 days";
        grace.then(|| OraError::new(28_002, text))
    }

    fn last_rowid(&self) -> Option<String> {
        Some("AAAR3sAAEAAAACXAAB".to_owned())
    }

    fn extras(&mut self) -> Extras {
        std::mem::take(&mut self.extras)
    }

    fn describe(&mut self, sql: &str) -> Result<Vec<ResultColumn>, OraError> {
        match self.run(&sql.to_uppercase(), &Statement::default())? {
            Outcome::Query { columns, .. } => Ok(columns),
            _ => Ok(Vec::new()),
        }
    }

    fn resume(&mut self) -> Progress {
        if self.waiting.is_some_and(|tick| *self.world.ticks.borrow() < tick) {
            return Progress::Waiting;
        }
        Progress::Done(Ok(Outcome::Done))
    }

    fn cancel(&mut self) {
        self.waiting = None;
    }

    fn call(&mut self, _: bool) {}

    fn tag(&mut self, tags: &Tags) {
        let mut sessions = self.world.sessions();
        let Some(peer) = sessions.get_mut(&self.sid) else { return };
        let Tags { module, action, client_info, client_identifier, ecid, operation } = tags.clone();
        let old = &mut peer.tags;
        old.module = module.or(old.module.take());
        old.action = action.or(old.action.take());
        old.client_info = client_info.or(old.client_info.take());
        old.client_identifier = client_identifier.or(old.client_identifier.take());
        old.ecid = ecid.or(old.ecid.take());
        old.operation = operation.or(old.operation.take());
    }

    fn commit(&mut self) -> Progress {
        self.transaction = false;
        Progress::Done(Ok(Outcome::Done))
    }

    fn rollback(&mut self) -> Progress {
        self.commit()
    }

    fn in_transaction(&self) -> bool {
        self.transaction
    }

    fn death(&self) -> Option<Death> {
        self.world.sessions().get(&self.sid).and_then(|peer| peer.death.clone())
    }

    fn log_off(self: Box<Self>) {}
}

impl Talk {
    fn run(&mut self, sql: &str, statement: &Statement) -> Result<Outcome, OraError> {
        let words: Vec<_> = sql.split_whitespace().collect();
        match words.first().copied().unwrap_or_default() {
            "SELECT" => self.select(sql, statement),
            "INSERT" | "UPDATE" | "DELETE" => self.change(sql, statement),
            "BEGIN" => self.block(sql, statement),
            "ALTER" if sql.contains("KILL SESSION") => self.kill(sql),
            "ALTER" if sql.contains("CURRENT_SCHEMA") => self.set_schema(words.last()),
            "ALTER" | "CREATE" | "COMMIT" | "ROLLBACK" => Ok(Outcome::Done),
            _ => Err(OraError::new(900, "invalid SQL statement").at(0)),
        }
    }

    fn select(&mut self, sql: &str, statement: &Statement) -> Result<Outcome, OraError> {
        let last = sql.split_whitespace().next_back().unwrap_or_default();
        let number = last.parse().unwrap_or(0);
        if sql.contains("FROM T ") {
            return Ok(query(&ROW_TYPES, (1..=number).flat_map(row).collect()));
        }
        if sql.contains("FROM TYPES") {
            return Ok(types());
        }
        if sql.contains("FROM WIDE") {
            return Ok(wide(number));
        }
        if sql.contains("V$SESSION") {
            return Ok(self.own_row());
        }
        if sql.contains("DBTIMEZONE") {
            return Ok(query(
                &[("DBTIMEZONE", ColumnType::Varchar2(6))],
                vec![Value::text("+00:00")],
            ));
        }
        if sql.contains("MISSING") {
            let position = sql.find("MISSING").unwrap_or(0);
            return Err(OraError::new(942, "table or view does not exist").at(position));
        }
        if sql.contains("HUGE") {
            return Ok(query(&[("HUGE", ColumnType::Number)], vec![Value::Double(1e200)]));
        }
        if sql.contains("LENGTH") {
            return Ok(query(&[("LENGTH", ColumnType::Number)], vec![count(sql.len())]));
        }
        if !statement.binds.is_empty() {
            let columns: Vec<_> =
                statement.binds.iter().map(|bind| ("ECHO", bind.column_type)).collect();
            return Ok(query(&columns, statement.rows.first().cloned().unwrap_or_default()));
        }
        Ok(query(&[("1", ColumnType::Number)], vec![Value::integer(1)]))
    }

    fn own_row(&self) -> Outcome {
        let sessions = self.world.sessions();
        let Peer { identity, tags, .. } = &sessions[&self.sid];
        let text = |name, value: &str| (name, ColumnType::Varchar2(64), Value::text(value));
        let tag = |value: &Option<String>| value.clone().unwrap_or_default();
        let cells = [
            ("SID", ColumnType::Number, Value::integer(self.sid)),
            ("SERIAL#", ColumnType::Number, Value::integer(self.serial)),
            text("USERNAME", &identity.user),
            text("PROGRAM", &identity.program),
            text("MACHINE", &identity.machine),
            text("OSUSER", &identity.osuser),
            text("TERMINAL", &identity.terminal),
            text("DRIVER", &identity.driver),
            text("MODULE", &tag(&tags.module)),
            text("ACTION", &tag(&tags.action)),
            text("CLIENT_INFO", &tag(&tags.client_info)),
            text("CLIENT_IDENTIFIER", &tag(&tags.client_identifier)),
            text("SERVICE_NAME", &identity.service),
            text("SYSDBA", if identity.sysdba { "YES" } else { "NO" }),
            text("PORT", if identity.port > 0 { "YES" } else { "NO" }),
            text("SCHEMANAME", self.schema),
            text("ECID", &tag(&tags.ecid)),
            text("DBOP_NAME", &tag(&tags.operation)),
        ];
        let columns: Vec<_> = cells.iter().map(|(name, kind, _)| (*name, *kind)).collect();
        query(&columns, cells.into_iter().map(|(_, _, value)| value).collect())
    }

    /// Each iteration changes one row, or as many as its first bind says; it fails if its last bind is `bad`.
    fn change(&mut self, sql: &str, statement: &Statement) -> Result<Outcome, OraError> {
        self.transaction = !statement.autocommit;
        let into = sql.split("INTO").last().map_or(0, |into| into.matches(':').count());
        let taken = if sql.contains("RETURNING") { into } else { 0 };
        for (place, row) in statement.rows.iter().enumerate() {
            let sent = &row[..row.len() - taken];
            if sent.last() == Some(&Value::text("bad")) {
                let error = OraError::new(12_899, "value too large for column");
                if !statement.batch_errors {
                    return Err(error);
                }
                self.extras.failures.push((place, error));
                self.extras.counts.push(0);
                continue;
            }
            let given = given(sql, sent);
            let changed = match sent.first() {
                _ if taken > 0 => given.len() as u64,
                Some(Value::Number(number)) if sql.contains("C < :1") => {
                    number.to_i64().unwrap_or(1).unsigned_abs()
                }
                _ => 1,
            };
            self.extras.counts.push(changed);
            self.extras.returning.push(vec![given; taken]);
        }
        let returning = (0..taken).map(|bind| {
            self.extras.returning.iter().flat_map(|each| each[bind].iter().cloned()).collect()
        });
        let returning = returning.collect();
        Ok(Outcome::Dml { count: self.extras.counts.iter().sum(), returning })
    }

    /// A block, by what its binds are called or what it says.
    fn block(&mut self, sql: &str, statement: &Statement) -> Result<Outcome, OraError> {
        if sql.contains("RAISE") {
            return Err(OraError::new(20_001, "raised on purpose\nORA-06512: at line 1"));
        }
        let mut directions = Vec::new();
        for row in &statement.rows {
            let values;
            (directions, values) = bound(sql, row);
            self.extras.iterations.push(values);
        }
        // An array comes back turned round, with NULL behind it if there is room.
        for Array { place, elements, room } in &statement.arrays {
            if directions[*place] == Direction::InOut {
                let back = elements.iter().rev().cloned().chain([Value::Null]);
                self.extras.arrays.push((*place, back.take(*room).collect()));
            }
        }
        for place in &statement.cursors {
            if directions[*place] == Direction::Out {
                let cells = (1..=250).flat_map(row).collect();
                self.extras
                    .cursors
                    .push((*place, ResultSet { columns: columns(&ROW_TYPES), cells }));
            }
        }
        let values = self.extras.iterations.last().cloned().unwrap_or_default();
        Ok(Outcome::Plsql { directions, values })
    }

    /// There is one other schema.
    fn set_schema(&mut self, name: Option<&&str>) -> Result<Outcome, OraError> {
        if name != Some(&"SHOP") {
            return Err(OraError::new(1_435, "user does not exist"));
        }
        self.schema = "SHOP";
        Ok(Outcome::Done)
    }

    fn kill(&mut self, sql: &str) -> Result<Outcome, OraError> {
        let mut numbers = sql.split('\'').nth(1).unwrap_or_default().split(',');
        let mut number = || numbers.next().and_then(|number| number.trim().parse::<u32>().ok());
        let (sid, serial) = (number().unwrap_or(0), number().unwrap_or(0));
        if sid == self.sid {
            return Err(OraError::new(27, "cannot kill current session"));
        }
        let mut sessions = self.world.sessions();
        let Some(peer) = sessions.get_mut(&sid).filter(|peer| peer.serial == serial) else {
            return Err(OraError::new(30, "User session ID does not exist."));
        };
        peer.death = Some(if sql.contains("IMMEDIATE") {
            Death::Cut
        } else {
            Death::Error(OraError::new(28, "your session has been killed"))
        });
        drop(sessions);
        self.world.ticks.send_modify(|tick| *tick += 1);
        Ok(Outcome::Done)
    }
}

/// What RETURNING gives to each bind: the first that was sent and 7, or so many numbers as there may be rows, of which
/// the first is NULL.
fn given(sql: &str, sent: &[Value]) -> Vec<Value> {
    let rows = sql.split("ROWNUM <= ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    match rows {
        Some(rows) => {
            let numbers = (1..rows).map(count);
            std::iter::once(Value::Null).chain(numbers).take(rows).collect()
        }
        None => vec![sent.first().cloned().unwrap_or(Value::Null), Value::integer(7)],
    }
}

/// What a block does with its binds, by their names.
fn bound(sql: &str, row: &[Value]) -> (Vec<Direction>, Vec<Value>) {
    let names = sql.split(':').skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        &rest[..end]
    });
    let bound = names.zip(row).map(|(name, value)| match name {
        name if name.starts_with("OUTN") => (Direction::Out, Value::integer(42)),
        name if name.starts_with("OUTS") => (Direction::Out, Value::text("forty-two \u{e9}")),
        name if name.starts_with("ARR") => (Direction::InOut, Value::Null),
        name if name.starts_with("CUR") => (Direction::Out, Value::Null),
        name if name.starts_with("OUTX") => (Direction::Out, Value::Null),
        name if name.starts_with("BOTH") => (Direction::InOut, plus_one(value)),
        _ => (Direction::In, Value::Null),
    });
    bound.unzip()
}

fn plus_one(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(Number::integer(number.to_i128().unwrap_or(0) + 1)),
        Value::Text(text) => Value::text(format!("{text}+1")),
        other => other.clone(),
    }
}

fn count(number: usize) -> Value {
    Value::integer(i64::try_from(number).unwrap_or(0))
}

fn query(named: &[(&str, ColumnType)], cells: Vec<Value>) -> Outcome {
    Outcome::Query { columns: columns(named), cells }
}

fn columns(named: &[(&str, ColumnType)]) -> Vec<ResultColumn> {
    let columns = named.iter().map(|(name, column_type)| ResultColumn {
        name: (*name).to_owned(),
        column_type: *column_type,
        nullable: true,
    });
    columns.collect()
}

const ROW_TYPES: [(&str, ColumnType); 7] = [
    ("ID", ColumnType::Number),
    ("NAME", ColumnType::Varchar2(60)),
    ("BORN", ColumnType::Date),
    ("SEEN", ColumnType::Timestamp),
    ("AMOUNT", ColumnType::Number),
    ("CODE", ColumnType::Char(4)),
    ("NOTE", ColumnType::Varchar2(20)),
];

/// 2026-01-01 00:00:00.
pub(crate) const NEW_YEAR: i64 = 1_767_225_600;

/// The n-th row of T: its number, `name n`, n seconds into 2026, the same and n microseconds, n hundredths,
/// the last digit, and a note on every other row.
fn row(number: i64) -> [Value; 7] {
    let nanos = u32::try_from(number % 1_000_000).unwrap_or(0) * 1_000;
    [
        Value::integer(number),
        Value::text(format!("name {number}")),
        Value::Date(NEW_YEAR + number),
        Value::Timestamp { seconds: NEW_YEAR + number, nanos },
        Value::Number(Number::decimal(number.into(), 2)),
        Value::text(format!("C{}  ", number % 10)),
        if number % 2 == 0 { Value::text("even") } else { Value::Null },
    ]
}

/// One column of each type; one row of values, one of other values, one of NULLs.
fn types() -> Outcome {
    let zoned =
        |offset_minutes| Value::TimestampTz { seconds: NEW_YEAR, nanos: 5_000, offset_minutes };
    let minute = 60 * 1_000_000_000;
    let number = |text: &str| text.parse().map_or(Value::Null, Value::Number);
    let columns = [
        ("N", ColumnType::Number, number("-12345.678"), number("0.000123")),
        ("V", ColumnType::Varchar2(4_000), Value::text("\u{e9}".repeat(1_900)), Value::text("x")),
        ("C", ColumnType::Char(3), Value::text("ab "), Value::text("abc")),
        ("D", ColumnType::Date, Value::Date(-1), Value::Date(NEW_YEAR)),
        (
            "TS",
            ColumnType::Timestamp,
            Value::Timestamp { seconds: NEW_YEAR, nanos: 123_456_000 },
            Value::Timestamp { seconds: NEW_YEAR, nanos: 0 },
        ),
        ("TZ", ColumnType::TimestampTz, zoned(120), zoned(-330)),
        ("R", ColumnType::Raw(16), Value::Raw(vec![0, 1, 255]), Value::Raw(vec![7])),
        ("DS", ColumnType::IntervalDs, Value::IntervalDs(90 * minute), Value::IntervalDs(-minute)),
        ("YM", ColumnType::IntervalYm, Value::IntervalYm(14), Value::IntervalYm(-14)),
        (
            "RI",
            ColumnType::RowId,
            Value::RowId("AAAR3sAAEAAAACXAAA".to_owned()),
            Value::RowId("AAAR3sAAEAAAACXAAB".to_owned()),
        ),
        ("BD", ColumnType::BinaryDouble, Value::Double(-1.5), Value::Double(0.1)),
        ("L", ColumnType::Long, Value::text("long ".repeat(2_400)), Value::text("short")),
    ];
    let named: Vec<_> = columns.iter().map(|(name, kind, _, _)| (*name, *kind)).collect();
    let first = columns.iter().map(|(_, _, value, _)| value.clone());
    let second = columns.iter().map(|(_, _, _, value)| value.clone());
    let cells = first.chain(second).chain(columns.iter().map(|_| Value::Null)).collect();
    query(&named, cells)
}

/// Forty columns, of the kinds that GV$SESSION has.
fn wide(rows: i64) -> Outcome {
    let names: Vec<_> = (0..40).map(|column| format!("COLUMN_{column}")).collect();
    let kind = |column: i64| match column % 4 {
        0 | 1 => ColumnType::Varchar2(64),
        2 => ColumnType::Number,
        _ if column % 8 == 3 => ColumnType::Date,
        _ => ColumnType::Varchar2(13),
    };
    let columns: Vec<_> = names.iter().map(String::as_str).zip((0..).map(kind)).collect();
    let cell = |row: i64, column: i64| match (column % 4, column % 8) {
        (0, _) => Value::text(format!("oracle@node{}.example.com", row % 8)),
        (1, _) => Value::text("ACTIVE"),
        (2, _) => Value::integer(row * 31 + column),
        (_, 3) => Value::Date(NEW_YEAR + row),
        _ => Value::Null,
    };
    let cells = (0..rows).flat_map(|row| (0..40).map(move |column| cell(row, column))).collect();
    query(&columns, cells)
}

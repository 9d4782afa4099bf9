//! A small database for the cases: a few sessions, what they hold and wait for, and an ordinary table.

use std::cell::Cell;

use rac_sim::catalog::{Catalog, Column};
use rac_sim::ora::OraError;
use rac_sim::sql::environment::{Environment, Moment};
use rac_sim::value::{ColumnType, Digits, Number, Value};

/// 2026-03-01 12:00:00 UTC.
pub(crate) const NOW: i64 = 1_772_366_400;

/// Tables in memory.
pub(crate) struct Tables(Vec<Table>, Cell<bool>);

struct Table {
    names: Vec<&'static str>,
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
}

impl Catalog for Tables {
    fn columns(&self, table: &str) -> Result<&[Column], OraError> {
        self.find(table).map(|table| table.columns.as_slice())
    }

    fn scan(
        &self,
        table: &str,
        wanted: &[usize],
        row: &mut dyn FnMut(Vec<Value>) -> bool,
    ) -> Result<(), OraError> {
        let table = self.find(table)?;
        assert!(!self.1.replace(true), "a catalog is not read while it is being read");
        for values in &table.rows {
            if !row(wanted.iter().map(|place| values[*place].clone()).collect()) {
                break;
            }
        }
        self.1.set(false);
        Ok(())
    }
}

impl Tables {
    fn find(&self, name: &str) -> Result<&Table, OraError> {
        let missing = || OraError::new(942, "table or view does not exist");
        self.0.iter().find(|table| table.names.contains(&name)).ok_or_else(missing)
    }

    /// All of them.
    pub(crate) fn new() -> Self {
        Self(vec![sessions(), locks(), notes(), held()], Cell::new(false))
    }
}

fn columns(text: &str) -> Vec<Column> {
    let column = |part: &str| {
        let mut words = part.split_whitespace();
        let name = words.next().expect("a name").to_owned();
        let kind = words.next().expect("a type");
        let column_type = match kind {
            "NUMBER" | "NUMBER5.2" => ColumnType::Number,
            "DATE" => ColumnType::Date,
            "RAW8" => ColumnType::Raw(8),
            "RAW4" => ColumnType::Raw(4),
            "TSTZ" => ColumnType::TimestampTz,
            "CHAR3" => ColumnType::Char(3),
            text => {
                ColumnType::Varchar2(text.trim_start_matches("TEXT").parse().expect("a length"))
            }
        };
        let digits = (kind == "NUMBER5.2").then_some(Digits { precision: 5, scale: 2 });
        Column { name, column_type, digits, nullable: words.next() != Some("!") }
    };
    text.split(',').map(column).collect()
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn number(number: i64) -> Value {
    Value::integer(number)
}

fn optional(value: i64) -> Value {
    if value == 0 { Value::Null } else { number(value) }
}

fn sessions() -> Table {
    let columns = columns(
        "SADDR RAW8,INST_ID NUMBER !,SID NUMBER !,SERIAL# NUMBER !,USERNAME TEXT128,STATUS TEXT8,PROGRAM TEXT48,\
         LOGON_TIME DATE,LAST_CALL_ET NUMBER,SQL_ID TEXT13,BLOCKING_SESSION NUMBER,MODULE TEXT64",
    );
    let row = |place: u8,
               sid,
               serial,
               user: &str,
               status: &str,
               program: &str,
               age,
               et,
               sql: &str,
               blocker,
               module| {
        vec![
            Value::Raw(vec![0, 0, 0, 0, 0, 0, 0xAB, place]),
            number(i64::from(place % 2) + 1),
            number(sid),
            number(serial),
            text(user),
            text(status),
            text(program),
            Value::Date(NOW - age),
            number(et),
            text(sql),
            optional(blocker),
            text(module),
        ]
    };
    let rows = vec![
        row(1, 1, 100, "", "ACTIVE", "oracle@db1 (PMON)", 864_000, 864_000, "", 0, ""),
        row(
            2,
            17,
            4501,
            "APP",
            "ACTIVE",
            "JDBC Thin Client",
            7200,
            12,
            "9babjv8yq8ru3",
            42,
            "orders",
        ),
        row(3, 42, 77, "APP", "INACTIVE", "JDBC Thin Client", 3600, 1800, "", 0, "orders"),
        row(4, 55, 9, "BATCH", "ACTIVE", "sqlplus@host", 90_000, 60, "aaaaaaaaaaaaa", 17, ""),
        row(5, 99, 2, "SCOTT", "KILLED", "Toad 100%", 60, 5, "", 0, "toad_x"),
        row(6, 120, 31, "BATCH", "INACTIVE", "sqlplus@host", 86_400, 7200, "", 0, "load"),
    ];
    Table { names: vec!["V$SESSION", "GV$SESSION", "SYS.GV_$SESSION"], columns, rows }
}

fn locks() -> Table {
    let columns = columns("SID NUMBER,TYPE TEXT2,LMODE NUMBER,REQUEST NUMBER,BLOCK NUMBER");
    let row = |sid, kind: &str, mode, request, block| {
        vec![number(sid), text(kind), number(mode), number(request), number(block)]
    };
    let rows = vec![
        row(42, "TX", 6, 0, 1),
        row(17, "TX", 0, 6, 0),
        row(17, "TM", 3, 0, 0),
        row(700, "UL", 6, 0, 0),
    ];
    Table { names: vec!["V$LOCK"], columns, rows }
}

fn notes() -> Table {
    let columns = columns("ID NUMBER !,BODY TEXT40,CODE CHAR3,AMOUNT NUMBER,AT TSTZ");
    let at = |seconds| Value::TimestampTz { seconds, nanos: 250_000_000, offset_minutes: 120 };
    let amount = |text: &str| Value::Number(text.parse::<Number>().expect("a number"));
    let rows = vec![
        vec![number(1), text("first"), text("A  "), amount("10.25"), at(NOW)],
        vec![number(2), Value::Null, text("BB "), amount("-0.5"), Value::Null],
        vec![number(3), text("x,y,z"), Value::Null, Value::Null, at(NOW + 60)],
    ];
    Table { names: vec!["NOTES", "APP.NOTES"], columns, rows }
}

fn held() -> Table {
    let columns = columns("ID NUMBER,HASH RAW4,RATE NUMBER5.2");
    Table { names: vec!["HELD"], columns, rows: vec![vec![number(1), Value::Null, Value::Null]] }
}

/// A session of APP.
pub(crate) struct Session;

impl Environment for Session {
    fn now(&self) -> Moment {
        Moment { seconds: NOW, nanos: 123_456_000 }
    }

    fn database_offset(&self) -> i16 {
        0
    }

    fn session_offset(&self) -> i16 {
        60
    }

    fn user(&self) -> String {
        "APP".into()
    }

    fn user_id(&self) -> u32 {
        107
    }

    fn context(&self, namespace: &str, parameter: &str) -> Option<Value> {
        match (namespace, parameter) {
            ("USERENV", "INSTANCE") => Some(number(1)),
            ("USERENV", "SID") => Some(number(17)),
            ("USERENV", "SESSION_USER") => Some(text("APP")),
            ("USERENV", _) => None,
            _ => Some(Value::Null),
        }
    }
}

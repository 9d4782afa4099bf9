//! Writes snapshots in the two forms that are read back to the same rows.
//!
//! Not written: that a time is a lower bound, instances without rows, sessions without rows, and in CSV which cells are
//! unknown and not NULL, where rows came from sources with different columns. Text that is one of the
//! words for NULL (`NULL`, `(null)`, …) comes back from CSV as NULL; from JSON Lines it comes back as it was.
//! Blanks round a text, which the reader takes for padding, do not come back.
//! Fractions of more than fifteen digits, which no column of a session comes near, lose the last ones in JSON.

use std::io::{self, Write};

use crate::engine::session::{Column, NumberColumn, Session, SessionKey, Snapshot};
use crate::engine::time::Timestamp;

/// Writes CSV as SQL*Plus does: text in quotes, numbers without, TAKEN_AT first, if it is known.
pub fn write_csv(snapshot: &Snapshot, mut to: impl Write) -> io::Result<()> {
    let columns: Vec<Column> = present(snapshot);
    let taken_at = snapshot.known_time().map(|at| format!("\"{at}\",")).unwrap_or_default();
    if !taken_at.is_empty() {
        to.write_all(br#""TAKEN_AT","#)?;
    }
    to.write_all(br#""INST_ID","SID","SERIAL#""#)?;
    for column in &columns {
        write!(to, ",\"{}\"", column.name())?;
    }
    to.write_all(b"\n")?;
    for session in snapshot.sessions.iter() {
        let key = session.key();
        write!(to, "{taken_at}{},{},{}", key.inst_id, key.sid, key.serial)?;
        for column in &columns {
            to.write_all(b",")?;
            match value(session, *column) {
                Value::Null => {}
                Value::Text(text) => write!(to, "\"{}\"", text.replace('"', "\"\""))?,
                Value::Time(time) => write!(to, "\"{time}\"")?,
                Value::Number(number) => to.write_all(number.as_bytes())?,
            }
        }
        to.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes JSON Lines: an object a session, lower-case names, NULL as `null`.
pub fn write_jsonl(snapshot: &Snapshot, mut to: impl Write) -> io::Result<()> {
    let columns: Vec<(Column, String)> = present(snapshot)
        .into_iter()
        .map(|column| (column, column.name().to_lowercase()))
        .collect();
    let taken_at = snapshot.known_time();
    let taken_at = taken_at.map(|at| format!(r#""taken_at":"{at}","#)).unwrap_or_default();
    for session in snapshot.sessions.iter() {
        let SessionKey { inst_id, sid, serial } = session.key();
        write!(to, r#"{{{taken_at}"inst_id":{inst_id},"sid":{sid},"serial":{serial}"#)?;
        for (column, name) in columns.iter().filter(|(column, _)| session.has(*column)) {
            write!(to, ",\"{name}\":")?;
            match value(session, *column) {
                Value::Null => to.write_all(b"null")?,
                Value::Text(text) => serde_json::to_writer(&mut to, text)?,
                Value::Time(time) => write!(to, "\"{time}\"")?,
                Value::Number(number) => to.write_all(number.as_bytes())?,
            }
        }
        to.write_all(b"}\n")?;
    }
    Ok(())
}

fn present(snapshot: &Snapshot) -> Vec<Column> {
    Column::all().filter(|column| snapshot.sessions.has(*column)).collect()
}

enum Value<'a> {
    Null,
    Text(&'a str),
    Time(Timestamp),
    Number(String),
}

fn value(session: Session<'_>, column: Column) -> Value<'_> {
    match column {
        Column::Text(column) => session.text(column).map_or(Value::Null, Value::Text),
        Column::Number(column) => match session.number(column) {
            None => Value::Null,
            Some(micros) if column.is_time() => Value::Time(Timestamp(micros)),
            Some(stored) => Value::Number(decimal(stored, column)),
        },
    }
}

/// A stored number in the source's units: `12`, `-0.5`.
pub(super) fn decimal(stored: i64, column: NumberColumn) -> String {
    let scale = column.scale().unsigned_abs();
    let (whole, part) = (stored.unsigned_abs() / scale, stored.unsigned_abs() % scale);
    let sign = if stored < 0 { "-" } else { "" };
    if part == 0 {
        return format!("{sign}{whole}");
    }
    let part = format!("{part:03}");
    format!("{sign}{whole}.{}", part.trim_end_matches('0'))
}

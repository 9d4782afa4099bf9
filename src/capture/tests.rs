//! The ways a capture can be broken that do not make good test files, and the round trip.

use std::io::{self, Read};

use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::{
    Capture, CaptureError, PROBLEMS_MAX, RECORD_MAX, ReadOptions, read, write_csv, write_jsonl,
};
use crate::engine::session::{
    Column, Number, NumberColumn, SessionKey, Sessions, Snapshot, TextColumn,
};
use crate::engine::time::Timestamp;

fn read_text(text: impl AsRef<[u8]>) -> Result<Capture, CaptureError> {
    read(text.as_ref(), &ReadOptions::default())
}

/// For captures without a time.
fn taken() -> ReadOptions {
    ReadOptions { at: Some(Timestamp(0)), ..ReadOptions::default() }
}

#[test]
fn a_record_beyond_the_bound_is_passed_over() {
    let head: &[u8] = b"SID,SERIAL#,SQL_TEXT,TAKEN_AT\n1,1,\"";
    let long = io::repeat(b'x').take(3 * RECORD_MAX as u64);
    let tail: &[u8] = b"\",2026-03-29 01:30:00\n2,1,x,2026-03-29 01:30:00\n";
    let capture =
        read(head.chain(long).chain(tail), &ReadOptions::default()).expect("the rest is read");
    assert_eq!(capture.problems.len(), 1);
    assert_eq!(capture.problems[0].to_string(), "line 2: the record is longer than 16 MiB");
    assert_eq!(capture.snapshots[0].sessions.keys()[0].sid, 2);

    let head: &[u8] = b"{\"sid\":1,\"serial\":1,\"sql_text\":\"";
    let long = io::repeat(b'x').take(3 * RECORD_MAX as u64);
    let tail: &[u8] = b"\"}\n{\"sid\":2,\"serial\":1}\n";
    let capture = read(head.chain(long).chain(tail), &taken()).expect("the rest is read");
    assert_eq!(capture.problems[0].to_string(), "line 1: the line is longer than 16 MiB");
    assert_eq!(capture.snapshots[0].sessions.len(), 1);
}

#[test]
fn problems_are_kept_up_to_a_bound_and_counted_beyond() {
    let text = format!("SID,SERIAL#\n{}", "x,1\n".repeat(PROBLEMS_MAX + 7));
    let capture = read_text(text).expect("problems are no error");
    assert_eq!((capture.problems.len(), capture.further_problems), (PROBLEMS_MAX, 7));
    assert!(capture.snapshots.is_empty());
}

#[test]
fn too_many_cells_are_passed_over() {
    let text = format!("SID,SERIAL#\n1,1{}\n2,2\n", ",".repeat(100_000));
    let capture = read(text.as_bytes(), &taken()).expect("the rest is read");
    assert_eq!(capture.problems.len(), 1);
    assert_eq!(capture.snapshots[0].sessions.len(), 1);
}

#[test]
fn what_leaves_nothing_is_an_error() {
    assert!(matches!(read_text(""), Err(CaptureError::Empty)));
    assert!(matches!(read_text("\n  \n"), Err(CaptureError::Empty)));
    assert!(matches!(read_text("SID,SERIAL#\n"), Err(CaptureError::NoSessions)));
    assert!(matches!(read_text("SID,USERNAME\n1,A\n"), Err(CaptureError::NoHeader { lines: 2 })));
    assert!(matches!(read_text([0x1f, 0x8b, 8, 0]), Err(CaptureError::Read(_))));
    let path = std::path::Path::new("/nowhere/at.csv");
    assert!(matches!(super::read_file(path, &ReadOptions::default()), Err(CaptureError::Open(_))));
}

/// Cells of a snapshot as they can be compared.
type Rows = Vec<(SessionKey, Vec<(&'static str, Option<String>)>)>;

fn rows(snapshot: &Snapshot) -> Rows {
    let cell = |session: crate::engine::session::Session<'_>, column| match column {
        Column::Text(column) => session.text(column).map(str::to_owned),
        Column::Number(column) => session.number(column).map(|number| number.to_string()),
    };
    let columns = || Column::all().filter(|column| snapshot.sessions.has(*column));
    let row = |session| columns().map(|column| (column.name(), cell(session, column))).collect();
    snapshot.sessions.iter().map(|session| (session.key(), row(session))).collect()
}

/// Times that have a four-digit year; that is what Oracle's DATE holds.
fn micros() -> impl Strategy<Value = i64> {
    -62_135_596_800_000_000..253_402_300_799_999_999_i64
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[A-Z]{1,8}",
        // Blanks round a text are not kept.
        "[ -~äß𝄞,;\"\n\r\t]{0,30}"
            .prop_map(|text| text.trim().to_owned())
            .prop_filter("a word for NULL", |text| super::cell::without_null_word(text) == text),
    ]
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    let row = (0_u32..50, any::<u32>(), 1_u32..4, text(), text(), any::<i64>(), micros());
    let rows = prop::collection::btree_map(any::<u32>(), row, 1..20);
    (micros(), rows).prop_map(|(taken_at, rows)| {
        let columns = [
            Column::Text(TextColumn::SqlText),
            Column::Text(TextColumn::Module),
            Column::Number(NumberColumn::UserNumber),
            Column::Number(NumberColumn::TempMb),
            Column::Number(NumberColumn::LogonTime),
        ];
        let mut sessions = Sessions::with_columns(columns);
        for (serial, (sid, _, inst_id, sql, module, number, logon)) in rows {
            let row = sessions.push(SessionKey { inst_id, sid, serial });
            sessions.set_text(row, TextColumn::SqlText, &sql);
            sessions.set_text(row, TextColumn::Module, &module);
            sessions.set_number(row, NumberColumn::UserNumber, Number::from(number));
            sessions.set_number(row, NumberColumn::TempMb, Number::from(number / 10_000));
            sessions.set_number(row, NumberColumn::LogonTime, Number::from(logon));
        }
        Snapshot::of_sessions("test", Timestamp(taken_at), sessions)
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(snapshot in snapshot()) {
        let (mut csv, mut json) = (Vec::new(), Vec::new());
        write_csv(&snapshot, &mut csv).expect("memory takes everything");
        write_jsonl(&snapshot, &mut json).expect("memory takes everything");
        for written in [csv, json] {
            let capture = read_text(&written).expect("what is written can be read");
            prop_assert_eq!(capture.problems, vec![]);
            prop_assert_eq!(capture.warnings, Vec::<String>::new());
            prop_assert_eq!(capture.snapshots.len(), 1);
            prop_assert_eq!(capture.snapshots[0].taken_at, snapshot.taken_at);
            prop_assert_eq!(&capture.snapshots[0].instances, &snapshot.instances);
            prop_assert_eq!(rows(&capture.snapshots[0]), rows(&snapshot));
        }
    }

    #[test]
    fn any_bytes_end_in_an_answer(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        text in "[\"',;0-9/: SIDERAL#TKN_\n{}-]{0,300}",
    ) {
        drop(read_text(&bytes));
        drop(read_text(&text));
        drop(read_text(format!("SID,SERIAL#,LOGON_TIME,TAKEN_AT\n{text}")));
    }
}

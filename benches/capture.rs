//! How long it takes to read a capture: `cargo bench --bench capture`.
//!
//! Writes a CSV of 1,000,000 rows and 40 columns (about 400 MB) to the system's temporary directory, reads it on one
//! thread, and prints seconds, megabytes a second, and the peak of resident memory.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::io::{BufWriter, Write as _};
use std::time::Instant;

use orawarden::capture::{ReadOptions, read_file};

const ROWS: u32 = 1_000_000;
const RUNS: usize = 3;

const HEADER: &str = "TAKEN_AT,INST_ID,SID,SERIAL#,USERNAME,OSUSER,MACHINE,PROGRAM,MODULE,ACTION,CLIENT_INFO,\
CLIENT_IDENTIFIER,SERVICE_NAME,SCHEMANAME,TERMINAL,PROCESS,SERVER,STATUS,TYPE,EVENT,WAIT_CLASS,STATE,\
RESOURCE_CONSUMER_GROUP,COMMAND,SQL_ID,PREV_SQL_ID,BLOCKING_SESSION_STATUS,PNAME,TADDR,ORACLE_MAINTAINED,LOGON_TIME,\
LAST_CALL_ET,SQL_EXEC_START,SQL_EXEC_ID,SQL_CHILD_NUMBER,SECONDS_IN_WAIT,BLOCKING_SESSION,CON_ID,AUDSID,PORT";

fn main() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut to = BufWriter::new(file.as_file());
    writeln!(to, "{HEADER}").expect("room for the header");
    for n in 0..ROWS {
        writeln!(to, "{}", row(n)).expect("room for a row");
    }
    to.flush().expect("room for the rest");
    drop(to);
    let megabytes = file.as_file().metadata().expect("its size").len() as f64 / 1e6;
    println!("{ROWS} rows, {} columns, {megabytes:.0} MB", HEADER.split(',').count());
    for _ in 0..RUNS {
        let start = Instant::now();
        let capture = read_file(file.path(), &ReadOptions::default()).expect("a capture");
        let took = start.elapsed().as_secs_f64();
        assert_eq!(capture.snapshots[0].sessions.len(), ROWS as usize, "every row is read");
        println!("{took:.2} s, {:.0} MB/s, peak {} KiB", megabytes / took, peak_kib());
    }
}

/// A row whose texts repeat as they do in real listings: a few dozen programs, many processes and SQL_IDs.
fn row(n: u32) -> String {
    let active = n.is_multiple_of(12);
    let (status, sql) = if active {
        ("ACTIVE", format!("a{:012}", n % 5_000))
    } else {
        ("INACTIVE", String::new())
    };
    let (minute, second) = (n / 60 % 60, n % 60);
    format!(
        "2026-03-29 01:30:00,{},{},{},\"APP{}\",\"tomcat\",\"web{}.example.com\",\"JDBC Thin Client\",\"module {}\",\
         \"action {}\",,\"client-{}\",SHOP,APP,unknown,{},DEDICATED,{status},USER,SQL*Net message from client,Idle,\
         WAITING,OTHER_GROUPS,3,{sql},b{:012},NO HOLDER,,,N,2026-03-28 {:02}:{minute:02}:{second:02},{},\
         2026-03-29 01:{minute:02}:{second:02},16777{:03},0,{},,3,{},{}",
        1 + n % 2,
        n / 2 + 1,
        1 + n % 60_000,
        n % 12,
        n % 30,
        n % 200,
        n % 900,
        n % 40_000,
        n % 50_000,
        n % 20_000,
        n % 24,
        n % 40_000,
        n % 1_000,
        n % 900,
        4_000_000 + n,
        1_024 + n % 60_000
    )
}

/// From Linux; 0 elsewhere.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|it| it.split_whitespace().next()).and_then(|it| it.parse().ok()).unwrap_or(0)
}

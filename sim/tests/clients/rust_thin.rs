//! Oracle's thin driver in Rust, through all that the wire has to do for it.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use oracledb::{
    AUTH_MODE_SYSDBA, Config, Connection, DB_TYPE_NUMBER, DB_TYPE_VARCHAR, Error, ErrorKind,
    ToDbValue,
};

const USER: &str = "scott";
const PASSWORD: &str = "Tiger-\u{e9}9";

type Checked = Result<(), Error>;
type Check = fn(&Target) -> Checked;

/// Runs every check against the server on a port. A failed one panics, which in this driver ends the process.
pub(crate) fn run(port: &str, release: &str) {
    let to = Target { port: port.to_owned(), release: release.to_owned() };
    let checks: [(&str, Check); 22] = [
        ("attributes", attributes),
        ("wrong password, no session", refused),
        ("unknown service", unknown_service),
        ("SYSDBA", sysdba),
        ("identity", identity),
        ("rows", rows),
        ("rows in large arrays", rows_in_large_arrays),
        ("without prefetch", without_prefetch),
        ("all types", types),
        ("bind echo", echo),
        ("long statement", long_statement),
        ("blocks", blocks),
        ("changes", changes),
        ("RETURNING", returning),
        ("errors", errors),
        ("ALTER and kill", alter),
        ("tags", tags),
        ("call timeout", timeout),
        ("a call that waits", waits),
        ("killed while busy", killed_while_busy),
        ("statement cache", statement_cache),
        ("twenty thousand wide rows", wide),
    ];
    for (name, check) in checks {
        let begun = Instant::now();
        say(&match check(&to) {
            Ok(()) => format!("ok {name} in {} ms", begun.elapsed().as_millis()),
            Err(error) => panic!("{name}: {error:?}"),
        });
    }
    say("all checks passed");
}

fn say(line: &str) {
    writeln!(io::stdout(), "{line}").expect("somebody reads");
}

struct Target {
    port: String,
    release: String,
}

impl Target {
    fn config(&self) -> Config {
        let text = format!(
            "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT={}))(CONNECT_DATA=(SERVICE_NAME=sales)))",
            self.port
        );
        let config = Config::default().set_credentials(USER, PASSWORD);
        config.set_connect_string(&text).expect("a descriptor")
    }

    fn connect(&self) -> Result<Connection, Error> {
        oracledb::connect(self.config())
    }
}

/// The number of Oracle's error.
fn code(error: &Error) -> u32 {
    match error.kind() {
        ErrorKind::DbError(error) => u32::try_from(error.code()).unwrap_or(0),
        other => panic!("not an error of the database: {other:?}"),
    }
}

fn failed<T>(result: Result<T, Error>) -> Error {
    result.err().expect("an error")
}

fn attributes(to: &Target) -> Checked {
    let connection = to.connect()?;
    assert_eq!(connection.instance_name()?, "SALES1");
    assert_eq!(connection.service_name()?, "sales");
    let version = format!("{:?}", connection.version()?);
    let expected = match to.release.as_str() {
        "R12_1" | "R12_2" => "12",
        "R19" => "19",
        _ => "23",
    };
    assert!(version.contains(expected), "{version}");
    assert!(connection.session_id()? > 0 && connection.serial_num()? > 0);
    connection.ping()
}

fn refused(to: &Target) -> Checked {
    for (user, password, due) in [
        (USER, "tiger", 1_017),
        (USER, " ", 1_017),
        ("nobody", PASSWORD, 1_017),
        ("locked", PASSWORD, 28_000),
    ] {
        let config = to.config().set_credentials(user, password);
        assert_eq!(code(&failed(oracledb::connect(config))), due, "{user}");
    }
    {
        let mut connection = to.connect()?;
        connection.close()
    }
}

fn unknown_service(to: &Target) -> Checked {
    let text = format!("127.0.0.1:{}/nowhere", to.port);
    let config = Config::default().set_credentials(USER, PASSWORD).set_connect_string(&text)?;
    let error = failed(oracledb::connect(config));
    assert!(matches!(error.kind(), ErrorKind::InvalidServiceName(..)), "{error:?}");
    Ok(())
}

fn sysdba(to: &Target) -> Checked {
    let config = to.config().set_credentials("sys", PASSWORD).set_auth_mode(AUTH_MODE_SYSDBA);
    let connection = oracledb::connect(config)?;
    let row = connection.query_row("select * from v$session", &[])?;
    assert_eq!(row.get::<String>("SYSDBA")?, "YES");
    Ok(())
}

fn identity(to: &Target) -> Checked {
    let config = to.config().set_program("app")?.set_machine("box")?.set_osuser("me")?;
    let connection = oracledb::connect(config.set_terminal("tty7").set_driver_name("thin : 1"))?;
    let row = connection.query_row("select * from v$session", &[])?;
    let expected = [
        ("USERNAME", "SCOTT"),
        ("PROGRAM", "app"),
        ("MACHINE", "box"),
        ("OSUSER", "me"),
        ("TERMINAL", "tty7"),
        ("DRIVER", "thin : 1"),
        ("SERVICE_NAME", "SALES"),
        ("PORT", "YES"),
    ];
    for (column, value) in expected {
        assert_eq!(row.get::<String>(column)?, value, "{column}");
    }
    Ok(())
}

/// Compares every value of the first `count` rows of T.
fn compare_rows(
    connection: &Connection,
    count: u32,
    array: Option<u32>,
    prefetch: Option<u32>,
) -> Checked {
    let sql = format!("select * from t where rownum <= {count}");
    let mut builder = connection.statement(&sql)?;
    if let Some(array) = array {
        builder = builder.fetch_array_size(array);
    }
    if let Some(prefetch) = prefetch {
        builder = builder.prefetch_rows(prefetch);
    }
    let mut seen = 0;
    for row in builder.build()?.query(&[])? {
        let row = row?;
        seen += 1;
        assert_eq!(row.get::<u32>("ID")?, seen);
        assert_eq!(row.get::<String>("NAME")?, format!("name {seen}"));
        let born = row.get::<oracledb::OracleTimestamp>("BORN")?;
        assert_eq!(
            (born.year(), born.month(), born.second()),
            (2026, 1, u8::try_from(seen % 60).expect("small"))
        );
        let at = row.get::<oracledb::OracleTimestamp>("SEEN")?;
        assert_eq!(at.nanoseconds(), seen * 1_000);
        let amount: f64 = row.get("AMOUNT")?;
        assert!((amount - f64::from(seen) / 100.0).abs() < 1e-9, "{amount}");
        assert_eq!(row.get::<String>("CODE")?, format!("C{}  ", seen % 10));
        let note: Option<String> = row.get("NOTE")?;
        assert_eq!(note.as_deref(), (seen % 2 == 0).then_some("even"));
    }
    assert_eq!(seen, count);
    Ok(())
}

fn rows(to: &Target) -> Checked {
    let connection = to.connect()?;
    for count in [0, 1, 2, 3, 5, 100, 102, 25_000] {
        compare_rows(&connection, count, None, None)?;
    }
    Ok(())
}

fn rows_in_large_arrays(to: &Target) -> Checked {
    compare_rows(&to.connect()?, 25_000, Some(1_000), Some(1_000))
}

fn without_prefetch(to: &Target) -> Checked {
    let connection = to.connect()?;
    compare_rows(&connection, 0, None, Some(0))?;
    compare_rows(&connection, 250, None, Some(0))
}

fn types(to: &Target) -> Checked {
    let connection = to.connect()?;
    let rows: Vec<_> = connection.query("select * from types", &[])?.collect::<Result<_, _>>()?;
    let [first, second, nulls] = rows.as_slice() else { panic!("{} rows", rows.len()) };
    assert!((first.get::<f64>("N")? + 12_345.678).abs() < 1e-9);
    assert!((second.get::<f64>("N")? - 0.000_123).abs() < 1e-12);
    assert_eq!(first.get::<String>("V")?, "\u{e9}".repeat(1_900));
    assert_eq!(first.get::<String>("C")?, "ab ");
    let date = first.get::<oracledb::OracleTimestamp>("D")?;
    assert_eq!(
        (date.year(), date.month(), date.day(), date.hour(), date.second()),
        (1969, 12, 31, 23, 59)
    );
    assert_eq!(first.get::<oracledb::OracleTimestamp>("TS")?.nanoseconds(), 123_456_000);
    let zoned = first.get::<oracledb::OracleTimestamp>("TZ")?;
    assert_eq!((zoned.year(), zoned.nanoseconds()), (2026, 5_000));
    assert_eq!(first.get::<Vec<u8>>("R")?, [0, 1, 255]);
    let interval = first.get::<oracledb::OracleIntervalDS>("DS")?;
    assert_eq!((interval.days(), interval.hours(), interval.minutes()), (0, 1, 30));
    let interval = second.get::<oracledb::OracleIntervalYM>("YM")?;
    assert_eq!((interval.years(), interval.months()), (-1, -2));
    assert_eq!(first.get::<String>("RI")?, "AAAR3sAAEAAAACXAAA");
    assert_eq!(second.get::<String>("RI")?, "AAAR3sAAEAAAACXAAB");
    assert!(
        (first.get::<f64>("BD")? + 1.5).abs() < 1e-9
            && (second.get::<f64>("BD")? - 0.1).abs() < 1e-9
    );
    assert_eq!(first.get::<String>("L")?, "long ".repeat(2_400));
    for column in ["V", "C", "D", "R", "RI", "L"] {
        assert_eq!(nulls.get::<Option<String>>(column).ok().flatten(), None, "{column}");
    }
    assert_eq!(nulls.get::<Option<f64>>("N")?, None);
    assert_eq!(first.columns().len(), 12);
    Ok(())
}

fn echo(to: &Target) -> Checked {
    let connection = to.connect()?;
    let sql = "select :1, :2, :3, :4, :5 from dual";
    let at = oracledb::OracleTimestamp::new_timestamp(2024, 2, 29, 23, 59, 58, 7_000);
    for (text, number) in [("first \u{20ac}".to_owned(), -17.25), ("x".repeat(3_800), 1e10)] {
        let none: Option<String> = None;
        let binds: [&dyn ToDbValue; 5] = [&text, &number, &none, &at, &-100_i64];
        let row = connection.query_row(sql, &binds)?;
        assert_eq!(row.get::<String>(0)?, text);
        assert!((row.get::<f64>(1)? - number).abs() < 1e-9);
        assert_eq!(row.get::<Option<String>>(2)?, None);
        let back = row.get::<oracledb::OracleTimestamp>(3)?;
        assert_eq!(
            (back.year(), back.day(), back.second(), back.nanoseconds()),
            (2024, 29, 58, 7_000)
        );
        assert_eq!(row.get::<i64>(4)?, -100);
    }
    Ok(())
}

fn long_statement(to: &Target) -> Checked {
    let connection = to.connect()?;
    for length in [8_182, 40_000] {
        let sql = format!("select length('{}') from dual", "x".repeat(length - 27));
        let row = connection.query_row(&sql, &[])?;
        assert_eq!(row.get::<usize>(0)?, sql.len());
    }
    Ok(())
}

fn blocks(to: &Target) -> Checked {
    let connection = to.connect()?;
    connection.execute("begin null; end;", &[])?;
    for _ in 0..3 {
        let binds: [&dyn ToDbValue; 4] = [&5, &DB_TYPE_NUMBER, &DB_TYPE_VARCHAR, &9];
        let mut done = connection.execute("begin p(:in1, :outn, :outs, :both); end;", &binds)?;
        let out = done.out_bind_data();
        assert_eq!(out.get::<i32>(0)?, 42);
        assert_eq!(out.get::<String>(1)?, "forty-two \u{e9}");
        assert_eq!(out.get::<i32>(2)?, 10);
        let mut done = connection.execute("begin :outx := null; end;", &[&DB_TYPE_VARCHAR])?;
        assert_eq!(done.out_bind_data().get::<Option<String>>(0)?, None);
    }
    assert_eq!(code(&failed(connection.execute("begin raise; end;", &[]))), 20_001);
    connection.ping()
}

fn changes(to: &Target) -> Checked {
    let connection = to.connect()?;
    let insert = "insert into a values (:1, :2)";
    for number in 0..3 {
        assert_eq!(
            connection.execute(insert, &[&number as &dyn ToDbValue, &"x"])?.rows_affected(),
            1
        );
    }
    let one: [&dyn ToDbValue; 2] = [&1, &"a"];
    let two: [&dyn ToDbValue; 2] = [&2, &"b"];
    let batch: [&[&dyn ToDbValue]; 3] = [&one, &two, &one];
    assert_eq!(connection.execute_batch(insert, &batch[..])?.rows_affected(), 3);
    connection.commit()?;
    connection.execute("delete from a", &[])?;
    connection.rollback()?;
    connection.ping()
}

fn returning(to: &Target) -> Checked {
    let connection = to.connect()?;
    let room = " ".repeat(20);
    for _ in 0..2 {
        let binds: [&dyn ToDbValue; 2] = [&"in", &room];
        let mut done = connection.execute("update a set b = :1 returning c into :2", &binds)?;
        let given: Vec<String> =
            done.returned_data().iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
        assert_eq!(given, ["in", "7"]);
    }
    let mut done = connection.execute("delete from a returning c into :1", &[&DB_TYPE_NUMBER])?;
    assert_eq!(done.returned_data().len(), 2);
    Ok(())
}

fn errors(to: &Target) -> Checked {
    let connection = to.connect()?;
    for _ in 0..20 {
        let error = failed(connection.execute("select * from missing", &[]));
        assert_eq!(code(&error), 942);
        assert!(error.to_string().contains("table or view does not exist"), "{error}");
    }
    assert_eq!(code(&failed(connection.execute("nonsense", &[]))), 900);
    assert_eq!(connection.query_row("select 1 from dual", &[])?.get::<i32>(0)?, 1);
    Ok(())
}

fn kill(by: &Connection, victim: &Connection, how: &str) -> Checked {
    let (sid, serial) = (victim.session_id()?, victim.serial_num()?);
    by.execute(&format!("alter system kill session '{sid},{serial},@1'{how}"), &[]).map(drop)
}

/// What the driver makes of a closed connection depends on how much of the closing it has seen.
fn is_gone(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotConnected | ErrorKind::DeadConnection | ErrorKind::StreamOperation
    )
}

fn alter(to: &Target) -> Checked {
    let (connection, victim) = (to.connect()?, to.connect()?);
    connection.execute("alter session set nls_date_format = 'YYYY'", &[])?;
    let (sid, serial) = (connection.session_id()?, connection.serial_num()?);
    let kill_text = |sid: usize| format!("alter system kill session '{sid},{serial}'");
    assert_eq!(code(&failed(connection.execute(&kill_text(sid), &[]))), 27);
    assert_eq!(code(&failed(connection.execute(&kill_text(9_999), &[]))), 30);
    kill(&connection, &victim, "")?;
    assert_eq!(code(&failed(victim.ping())), 28);
    assert!(is_gone(&failed(victim.ping())));
    let cut = to.connect()?;
    kill(&connection, &cut, " immediate")?;
    assert!(is_gone(&failed(cut.ping())));
    Ok(())
}

fn tags(to: &Target) -> Checked {
    let connection = to.connect()?;
    connection.set_module("billing")?;
    connection.set_action("post")?;
    connection.set_client_info("info")?;
    connection.set_client_identifier("id")?;
    let tag = |name: &str| {
        connection.query_row("select * from v$session", &[])?.get::<Option<String>>(name)
    };
    for (name, value) in [
        ("MODULE", "billing"),
        ("ACTION", "post"),
        ("CLIENT_INFO", "info"),
        ("CLIENT_IDENTIFIER", "id"),
    ] {
        assert_eq!(tag(name)?.as_deref(), Some(value), "{name}");
    }
    connection.set_action("")?;
    assert_eq!((tag("ACTION")?, tag("MODULE")?.as_deref()), (None, Some("billing")));
    Ok(())
}

fn timeout(to: &Target) -> Checked {
    let connection = to.connect()?;
    for _ in 0..3 {
        connection.set_call_timeout(Some(Duration::from_millis(200)))?;
        let error = failed(connection.execute("begin sleep; end;", &[]));
        assert!(matches!(error.kind(), ErrorKind::CallTimeoutExceeded), "{error:?}");
        connection.set_call_timeout(None)?;
        assert_eq!(connection.query_row("select 1 from dual", &[])?.get::<i32>(0)?, 1);
    }
    Ok(())
}

/// A kill makes the clock move, and that ends the wait.
fn waits(to: &Target) -> Checked {
    let (connection, other, victim) = (to.connect()?, to.connect()?, to.connect()?);
    let waiting =
        std::thread::spawn(move || connection.execute("begin next tick; end;", &[]).map(drop));
    // The one who waits may come late, and then needs another tick.
    while !waiting.is_finished() {
        let _already_killed = kill(&other, &victim, "");
        std::thread::yield_now();
    }
    waiting.join().expect("no panic")
}

fn killed_while_busy(to: &Target) -> Checked {
    let (busy, killer) = (to.connect()?, to.connect()?);
    let text = format!("alter system kill session '{},{}'", busy.session_id()?, busy.serial_num()?);
    let waiting = std::thread::spawn(move || busy.execute("begin sleep; end;", &[]).map(drop));
    killer.execute(&text, &[])?;
    let error = failed(waiting.join().expect("no panic"));
    assert_eq!(code(&error), 28);
    Ok(())
}

fn statement_cache(to: &Target) -> Checked {
    let connection = to.connect()?;
    for round in 0..50 {
        for kind in 0..30 {
            let row = connection.query_row(&format!("select :1 from dual{kind}"), &[&round])?;
            assert_eq!(row.get::<i32>(0)?, round);
        }
    }
    Ok(())
}

/// As much as GV$SESSION of a large cluster: 20,000 rows of 40 columns.
fn wide(to: &Target) -> Checked {
    /// Far beyond what it takes on a busy machine, and far below what it took when this driver read every answer from
    /// its start again for each packet. How long it takes is the bench's matter.
    const AT_MOST: Duration = Duration::from_secs(10);
    const RUNS: usize = 5;
    let connection = to.connect()?;
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let begun = Instant::now();
        let statement = connection.statement("select * from wide where rownum <= 20000")?;
        let statement = statement.fetch_array_size(1_000).prefetch_rows(1_000).build()?;
        let mut rows = 0_u32;
        for row in statement.query(&[])? {
            assert_eq!(row?.columns().len(), 40);
            rows += 1;
        }
        assert_eq!(rows, 20_000);
        best = best.min(begun.elapsed());
    }
    say(&format!("20,000 rows of 40 columns came in {} ms", best.as_millis()));
    assert!(best < AT_MOST, "{best:?}");
    Ok(())
}

/// Opens so many connections, tells that they are there, and keeps them until it is told to leave.
pub(crate) fn hold(port: &str, count: usize) {
    let to = Target { port: port.to_owned(), release: String::new() };
    let open = || {
        let connection = to.connect().expect("a connection");
        connection.query_row("select * from v$session", &[]).expect("a row");
        connection
    };
    let connections: Vec<_> = (0..count).map(|_| open()).collect();
    say("all connections are open");
    io::stdin().read_line(&mut String::new()).expect("somebody writes");
    drop(connections);
}

/// Breaks a call off, whatever comes of it.
pub(crate) fn break_off(port: &str) {
    let to = Target { port: port.to_owned(), release: String::new() };
    let connection = to.connect().expect("a connection");
    let short = Some(Duration::from_millis(200));
    connection.set_call_timeout(short).expect("it is open");
    failed(connection.execute("begin sleep; end;", &[]));
    say("broken off");
}

/// Logs in with TLS, trusting the certificate in a directory.
pub(crate) fn over_tls(port: &str, trusted: &str) {
    let text = format!(
        "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcps)(HOST=localhost)(PORT={port}))(CONNECT_DATA=(SERVICE_NAME=sales)))"
    );
    let config = Config::default().set_credentials(USER, PASSWORD).set_wallet_location(trusted);
    let config = config.set_connect_string(&text).expect("a descriptor");
    let connection = oracledb::connect(config).expect("a connection");
    compare_rows(&connection, 5_000, None, None).expect("rows");
    say("all checks passed");
}

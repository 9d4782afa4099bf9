//! The crate `oracle` over a real client library, through all that the wire has to do for it.

use std::error::Error as _;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use oracle::sql_type::{IntervalDS, IntervalYM, OracleType, RefCursor, Timestamp};
use oracle::{Connection, Connector, Error, Privilege};

const USER: &str = "scott";
const PASSWORD: &str = "Tiger-\u{e9}9";

type Checked = Result<(), Error>;

fn main() -> ExitCode {
    let port = std::env::var("RAC_SIM_PORT").expect("the port of the server");
    let release = std::env::var("RAC_SIM_RELEASE").expect("its release");
    let to = Target { address: format!("//127.0.0.1:{port}/sales"), release };
    let checks: [(&str, fn(&Target) -> Checked); 24] = [
        ("attributes", attributes),
        ("wrong password", wrong_password),
        ("unknown service", unknown_service),
        ("locked", locked),
        ("SYSDBA", sysdba),
        ("passwords", passwords),
        ("identity", identity),
        ("rows", rows),
        ("rows in large arrays", rows_in_large_arrays),
        ("without prefetch", without_prefetch),
        ("all types", types),
        ("bind echo", echo),
        ("long statement", long_statement),
        ("blocks", blocks),
        ("cursors of blocks", cursors_of_blocks),
        ("changes", changes),
        ("RETURNING", returning),
        ("binds without a variable", unbound),
        ("errors of single rows", errors_of_single_rows),
        ("errors", errors),
        ("ALTER and kill", alter),
        ("tags", tags),
        ("break", break_off),
        ("killed while busy", killed_while_busy),
    ];
    for (name, check) in checks {
        let begun = Instant::now();
        match check(&to) {
            Ok(()) => say(&format!("ok {name} in {} ms", begun.elapsed().as_millis())),
            Err(error) => {
                say(&format!("FAILED {name}: {error} {:?}", error.source()));
                return ExitCode::FAILURE;
            }
        }
    }
    say("all checks passed");
    ExitCode::SUCCESS
}

fn say(line: &str) {
    writeln!(io::stdout(), "{line}").expect("somebody reads");
}

struct Target {
    address: String,
    release: String,
}

impl Target {
    fn connect(&self) -> Result<Connection, Error> {
        Connection::connect(USER, PASSWORD, &self.address)
    }
}

fn fails<T>(result: Result<T, Error>, codes: &[i32]) {
    let error = result.err().expect("an error");
    let code = error.db_error().map(oracle::DbError::code);
    let text = error.to_string();
    let named = codes.iter().any(|due| code == Some(*due) || text.contains(&format!("{due:05}")));
    assert!(named, "{codes:?} was due: {error:?}");
}

fn one(connection: &Connection) -> Checked {
    assert_eq!(connection.query_row_as::<i32>("select 1 from dual", &[])?, 1);
    Ok(())
}

fn attributes(to: &Target) -> Checked {
    let connection = to.connect()?;
    let (version, banner) = connection.server_version()?;
    let expected = match to.release.as_str() {
        "R11_2" => "11.2.0.4.0",
        "R12_1" => "12.1.0.2.0",
        "R12_2" => "12.2.0.1.0",
        "R19" => "19.0.0.0.0",
        _ => "23.0.0.0.0",
    };
    assert_eq!((version.to_string().as_str(), banner.as_str()), (expected, "Fake Database"));
    connection.ping()?;
    connection.close()
}

fn wrong_password(to: &Target) -> Checked {
    fails(Connection::connect(USER, "tiger", &to.address), &[1_017]);
    fails(Connection::connect("nobody", PASSWORD, &to.address), &[1_017]);
    Ok(())
}

fn unknown_service(to: &Target) -> Checked {
    let nowhere = to.address.replace("sales", "nowhere");
    fails(Connection::connect(USER, PASSWORD, nowhere), &[12_514]);
    Ok(())
}

fn locked(to: &Target) -> Checked {
    fails(Connection::connect("locked", PASSWORD, &to.address), &[28_000]);
    Ok(())
}

fn passwords(to: &Target) -> Checked {
    let with = |password: &str| Connection::connect("expired", password, &to.address);
    fails(with(PASSWORD), &[28_001]);
    let mut change = Connector::new("expired", PASSWORD, &to.address);
    change.new_password("Lion 1").connect()?.close()?;
    fails(with(PASSWORD), &[1_017]);
    let connection = with("Lion 1")?;
    fails(connection.change_password("expired", "wrong", "Bear 2"), &[1_017]);
    connection.change_password("expired", "Lion 1", "Bear 2")?;
    assert_eq!(connection.query_row_as::<i32>("select 1 from dual", &[])?, 1);
    with("Bear 2")?.close()?;
    Connection::connect("grace", PASSWORD, &to.address)?.close()
}

fn sysdba(to: &Target) -> Checked {
    let connection =
        Connector::new("sys", PASSWORD, &to.address).privilege(Privilege::Sysdba).connect()?;
    let row = connection.query_row("select * from v$session", &[])?;
    assert_eq!(row.get::<_, String>("SYSDBA")?, "YES");
    Ok(())
}

fn identity(to: &Target) -> Checked {
    let connection =
        Connector::new(USER, PASSWORD, &to.address).driver_name("thick : 1").connect()?;
    let row = connection.query_row("select * from v$session", &[])?;
    assert_eq!(row.get::<_, String>("DRIVER")?, "thick : 1");
    assert!(row.get::<_, String>("PROGRAM")?.starts_with("rust_thick@"));
    assert!(
        !row.get::<_, String>("MACHINE")?.is_empty() && !row.get::<_, String>("OSUSER")?.is_empty()
    );
    assert_eq!(row.get::<_, String>("SERVICE_NAME")?, "SALES");
    Ok(())
}

fn compare_rows(connection: &Connection, count: u32, array: u32, prefetch: u32) -> Checked {
    let sql = format!("select * from t where rownum <= {count}");
    let mut statement =
        connection.statement(&sql).fetch_array_size(array).prefetch_rows(prefetch).build()?;
    let mut seen = 0;
    for row in statement.query(&[])? {
        let row = row?;
        seen += 1;
        assert_eq!(row.get::<_, u32>("ID")?, seen);
        assert_eq!(row.get::<_, String>("NAME")?, format!("name {seen}"));
        let born: Timestamp = row.get("BORN")?;
        assert_eq!((born.year(), born.month(), born.second()), (2026, 1, seen % 60));
        assert_eq!(row.get::<_, Timestamp>("SEEN")?.nanosecond(), seen * 1_000);
        assert!((row.get::<_, f64>("AMOUNT")? - f64::from(seen) / 100.0).abs() < 1e-9);
        assert_eq!(row.get::<_, String>("CODE")?, format!("C{}  ", seen % 10));
        let note: Option<String> = row.get("NOTE")?;
        assert_eq!(note.as_deref(), (seen % 2 == 0).then_some("even"));
    }
    assert_eq!(seen, count);
    Ok(())
}

fn rows(to: &Target) -> Checked {
    let connection = to.connect()?;
    for count in [0, 1, 2, 3, 5, 100, 102, 25_000] {
        compare_rows(&connection, count, 100, 2)?;
    }
    Ok(())
}

fn rows_in_large_arrays(to: &Target) -> Checked {
    compare_rows(&to.connect()?, 25_000, 1_000, 1_000)
}

fn without_prefetch(to: &Target) -> Checked {
    let connection = to.connect()?;
    compare_rows(&connection, 0, 100, 0)?;
    compare_rows(&connection, 250, 100, 0)
}

fn types(to: &Target) -> Checked {
    let connection = to.connect()?;
    let rows: Vec<_> = connection.query("select * from types", &[])?.collect::<Result<_, _>>()?;
    let [first, second, nulls] = rows.as_slice() else { panic!("{} rows", rows.len()) };
    assert_eq!(first.get::<_, String>("N")?, "-12345.678");
    assert_eq!(first.get::<_, String>("V")?, "\u{e9}".repeat(1_900));
    assert_eq!(first.get::<_, String>("C")?, "ab ");
    let date: Timestamp = first.get("D")?;
    assert_eq!((date.year(), date.month(), date.day(), date.hour()), (1969, 12, 31, 23));
    assert_eq!(first.get::<_, Timestamp>("TS")?.nanosecond(), 123_456_000);
    let zoned: Timestamp = first.get("TZ")?;
    assert_eq!((zoned.year(), zoned.nanosecond(), zoned.tz_offset()), (2026, 5_000, 7_200));
    assert_eq!(first.get::<_, Vec<u8>>("R")?, [0, 1, 255]);
    assert_eq!(first.get::<_, IntervalDS>("DS")?.minutes(), 30);
    let years: IntervalYM = second.get("YM")?;
    assert_eq!((years.years(), years.months()), (-1, -2));
    assert_eq!(first.get::<_, String>("RI")?, "AAAR3sAAEAAAACXAAA");
    assert_eq!(second.get::<_, String>("RI")?, "AAAR3sAAEAAAACXAAB");
    assert!((second.get::<_, f64>("BD")? - 0.1).abs() < 1e-12);
    assert_eq!(first.get::<_, String>("L")?, "long ".repeat(2_400));
    for column in 0..12 {
        assert_eq!(nulls.get::<_, Option<String>>(column)?, None, "{column}");
    }
    Ok(())
}

fn echo(to: &Target) -> Checked {
    let connection = to.connect()?;
    let sql = "select :1, :2, :3, :4 from dual";
    let at = Timestamp::new(2024, 2, 29, 23, 59, 58, 7_000)?;
    for (text, number) in [("first \u{20ac}".to_owned(), -17.25), ("x".repeat(1_900), 1e10)] {
        let row = connection.query_row(sql, &[&text, &number, &None::<String>, &at])?;
        assert_eq!(row.get::<_, String>(0)?, text);
        assert!((row.get::<_, f64>(1)? - number).abs() < 1e-9);
        assert_eq!(row.get::<_, Option<String>>(2)?, None);
        let back: Timestamp = row.get(3)?;
        assert_eq!(
            (back.year(), back.day(), back.second(), back.nanosecond()),
            (2024, 29, 58, 7_000)
        );
    }
    let mut statement = connection.statement("select :1 from dual").build()?;
    for round in 0..100_i32 {
        assert_eq!(statement.query_row_as::<i32>(&[&round])?, round);
    }
    Ok(())
}

fn long_statement(to: &Target) -> Checked {
    let connection = to.connect()?;
    for length in [8_182, 40_000] {
        let sql = format!("select length('{}') from dual", "x".repeat(length - 27));
        assert_eq!(connection.query_row_as::<usize>(&sql, &[])?, sql.len());
    }
    Ok(())
}

fn blocks(to: &Target) -> Checked {
    let connection = to.connect()?;
    connection.execute("begin null; end;", &[])?;
    let mut block =
        connection.statement("begin p(:in1, :outn, :outs, :outx, :both); end;").build()?;
    // Another length makes the client declare its binds anew.
    for length in [600, 600, 500, 4_000, 4_000] {
        let nothing = OracleType::Varchar2(600);
        block.execute(&[
            &5,
            &OracleType::Number(0, 0),
            &OracleType::Varchar2(length),
            &nothing,
            &9,
        ])?;
        assert_eq!(block.bind_value::<_, i32>(2)?, 42);
        assert_eq!(block.bind_value::<_, String>(3)?, "forty-two \u{e9}");
        assert_eq!(block.bind_value::<_, Option<String>>(4)?, None);
        assert_eq!(block.bind_value::<_, i32>(5)?, 10);
    }
    fails(connection.execute("begin raise; end;", &[]), &[20_001]);
    one(&connection)
}

fn cursors_of_blocks(to: &Target) -> Checked {
    let connection = to.connect()?;
    for _ in 0..3 {
        let mut block =
            connection.statement("begin open :cur1 for x; p(:outn); end;").build()?;
        block.execute(&[&OracleType::RefCursor, &OracleType::Number(0, 0)])?;
        assert_eq!(block.bind_value::<_, i32>(2)?, 42);
        let mut cursor: RefCursor = block.bind_value(1)?;
        let mut seen = 0;
        for row in cursor.query()? {
            seen += 1;
            assert_eq!(row?.get::<_, i32>(0)?, seen);
        }
        assert_eq!(seen, 250);
    }
    one(&connection)
}

fn changes(to: &Target) -> Checked {
    let mut connection = to.connect()?;
    let insert = "insert into a values (:1, :2)";
    assert_eq!(connection.execute(insert, &[&1, &"x"])?.row_count()?, 1);
    let mut batch = connection.batch(insert, 10).build()?;
    for number in 0..5 {
        batch.append_row(&[&number, &"x"])?;
    }
    batch.execute()?;
    drop(batch);
    connection.commit()?;
    connection.execute("delete from a", &[])?;
    connection.rollback()?;
    connection.set_autocommit(true);
    connection.execute(insert, &[&1, &"x"])?;
    one(&connection)
}

/// One row and several, none, and NULLs; run again, and with binds of other types and sizes.
fn returning(to: &Target) -> Checked {
    let connection = to.connect()?;
    let sql = "update a set b = :1 returning b, c into :2, :3";
    let mut statement = connection.statement(sql).build()?;
    for (number, size) in [(5, 20), (70_000, 20), (-1, 4_000), (8, 20)] {
        let taken = (OracleType::Varchar2(size), OracleType::Number(0, 0));
        statement.execute(&[&number, &taken.0, &taken.1])?;
        assert_eq!(statement.returned_values::<_, String>(2)?, [number.to_string(), "7".into()]);
        assert_eq!(statement.returned_values::<_, i32>(3)?, [number, 7]);
    }
    statement.execute(&[&"6", &OracleType::Int64, &OracleType::NVarchar2(9)])?;
    assert_eq!(statement.returned_values::<_, i32>(2)?, [6, 7]);
    assert_eq!(statement.returned_values::<_, String>(3)?, ["6", "7"]);
    for count in [0, 1, 2, 300] {
        let sql = format!("delete from a where rownum <= {count} returning b, c into :1, :2");
        let mut statement = connection.statement(&sql).build()?;
        for size in [20, 20, 30] {
            statement.execute(&[&OracleType::Int64, &OracleType::Varchar2(size)])?;
            assert_eq!(statement.row_count()?, count);
            let numbers = statement.returned_values::<_, Option<u64>>(1)?;
            assert_eq!(numbers, (0..count).map(|n| Some(n).filter(|n| *n > 0)).collect::<Vec<_>>());
            assert_eq!(statement.returned_values::<_, Option<String>>(2)?.len() as u64, count);
        }
    }
    let mut statement = connection.statement("update a set b = :1 returning b into :2").build()?;
    for text in ["bad", "good", "bad", "good"] {
        let done = statement.execute(&[&text, &OracleType::Varchar2(9)]);
        if text == "bad" {
            fails(done, &[12_899]);
        } else {
            assert_eq!(statement.returned_values::<_, String>(2)?, ["good", "7"]);
        }
    }
    one(&connection)
}

/// Nobody is to take a NULL for what was left out.
fn unbound(to: &Target) -> Checked {
    let connection = to.connect()?;
    fails(connection.query("select :1, :2 from dual", &[]).map(drop), &[1_008]);
    fails(connection.execute("begin p(:in1, :outn); end;", &[]), &[1_008]);
    fails(connection.execute("delete from a where b = :1", &[]), &[1_008]);
    for sql in ["select :1, :2 from dual", "begin p(:in1, :in2); end;", "update a set b = :1, c = :2"] {
        for place in [1, 2] {
            let mut statement = connection.statement(sql).build()?;
            statement.bind(place, &"bound")?;
            let done = if sql.starts_with("select") {
                statement.query(&[]).map(drop)
            } else {
                statement.execute(&[])
            };
            fails(done, &[1_008]);
        }
    }
    let row = connection.query_row("select :1, :2 from dual", &[&None::<String>, &"x"])?;
    assert_eq!(row.get::<_, Option<String>>(0)?, None);
    one(&connection)
}

/// Few of them, and more than the lengths of their lists fit a byte.
fn errors_of_single_rows(to: &Target) -> Checked {
    let connection = to.connect()?;
    for count in [4, 500] {
        let sql = "update a set b = b where c < :1 and d = :2";
        let mut batch = connection.batch(sql, 1_000).with_batch_errors().build()?;
        for number in 0..count {
            batch.append_row(&[&number, &if number % 2 == 0 { "good" } else { "bad" }])?;
        }
        let Err(error) = batch.execute() else { panic!("no error, but every other row is bad") };
        let found = error.batch_errors().expect("they are told");
        assert_eq!(found.len(), count / 2);
        for (place, one) in found.iter().enumerate() {
            assert_eq!((one.offset() as usize, one.code()), (2 * place + 1, 12_899));
            assert!(one.message().contains("value too large"), "{one}");
        }
    }
    one(&connection)
}

fn errors(to: &Target) -> Checked {
    let connection = to.connect()?;
    for _ in 0..20 {
        fails(connection.query("select * from missing", &[]), &[942]);
    }
    fails(connection.execute("nonsense", &[]), &[900]);
    one(&connection)
}

fn own_session(connection: &Connection) -> Result<String, Error> {
    let row = connection.query_row("select * from v$session", &[])?;
    Ok(format!("{},{}", row.get::<_, u32>(0)?, row.get::<_, u32>(1)?))
}

fn alter(to: &Target) -> Checked {
    let (connection, victim, cut) = (to.connect()?, to.connect()?, to.connect()?);
    let kill = |session: &str, how: &str| {
        connection.execute(&format!("alter system kill session '{session},@1'{how}"), &[]).map(drop)
    };
    connection.execute("alter session set nls_date_format = 'YYYY'", &[])?;
    fails(kill(&own_session(&connection)?, ""), &[27]);
    fails(kill("9999,8", ""), &[30]);
    kill(&own_session(&victim)?, "")?;
    fails(one(&victim), &[28]);
    kill(&own_session(&cut)?, " immediate")?;
    fails(one(&cut), &[3_113, 3_114, 3_135]);
    Ok(())
}

fn tags(to: &Target) -> Checked {
    let connection = to.connect()?;
    connection.set_module("billing")?;
    connection.set_action("post")?;
    connection.set_client_info("info")?;
    connection.set_client_identifier("id")?;
    let row = connection.query_row("select * from v$session", &[])?;
    for (name, value) in [
        ("MODULE", "billing"),
        ("ACTION", "post"),
        ("CLIENT_INFO", "info"),
        ("CLIENT_IDENTIFIER", "id"),
    ] {
        assert_eq!(row.get::<_, Option<String>>(name)?.as_deref(), Some(value), "{name}");
    }
    Ok(())
}

fn break_off(to: &Target) -> Checked {
    let connection = Arc::new(to.connect()?);
    for _ in 0..3 {
        let other = Arc::clone(&connection);
        let waiting = std::thread::spawn(move || other.execute("begin sleep; end;", &[]).map(drop));
        // A break before the call is sent is lost, so it is tried until the call is over.
        while !waiting.is_finished() {
            std::thread::park_timeout(std::time::Duration::from_millis(200));
            if !waiting.is_finished() {
                connection.break_execution()?;
                std::thread::park_timeout(std::time::Duration::from_millis(200));
            }
        }
        fails(waiting.join().expect("no panic"), &[1_013]);
        one(&connection)?;
    }
    Ok(())
}

fn killed_while_busy(to: &Target) -> Checked {
    let (killer, busy) = (to.connect()?, to.connect()?);
    let session = own_session(&busy)?;
    let waiting = std::thread::spawn(move || busy.execute("begin sleep; end;", &[]).map(drop));
    killer.execute(&format!("alter system kill session '{session}'"), &[])?;
    fails(waiting.join().expect("no panic"), &[28]);
    Ok(())
}

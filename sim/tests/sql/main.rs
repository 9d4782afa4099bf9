//! Statements and what they answer, as files that a DBA can read. A case is a statement (with its binds in front, as
//! `:name = 'text'` or `:name = 12`), a line `----` and the answer; blank lines part the cases.
//!
//! Run with `UPDATE=1` in the environment to write what the engine answers now into the files.

mod blocks;
mod fixture;
mod speed;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use fixture::{Session, Tables};
use rac_sim::conversation::Release;
use rac_sim::ora::OraError;
use rac_sim::sql::query::{Input, Inputs, Rows};
use rac_sim::sql::statement::{Command, Parsed, parse};
use rac_sim::sql::{dml, query};
use rac_sim::value::{ColumnType, Value};

#[test]
fn sql_cases() {
    for file in files("query") {
        check(&file, |text| {
            let (inputs, statement, release) = prepared(text);
            answer(&statement, &inputs, release)
        });
    }
}

/// The same for blocks in blocks.
#[test]
fn deep_blocks_are_refused_and_others_run() {
    for (open, close) in [
        ("BEGIN ", " END; "),
        ("IF 1 = 1 THEN ", " END IF; "),
        ("LOOP ", " EXIT; END LOOP; "),
        ("FOR r IN (SELECT 1 x FROM dual) LOOP ", " END LOOP; "),
        ("BEGIN RAISE NO_DATA_FOUND; EXCEPTION WHEN OTHERS THEN ", " END; "),
        ("CASE 1 WHEN 1 THEN ", " END CASE; "),
    ] {
        let nested = |count: usize| {
            let text = format!("BEGIN {}NULL; {}END;", open.repeat(count), close.repeat(count));
            blocks::answer(&text, &[], Release::R19)
        };
        assert!(nested(20).contains("done"), "{open}: {}", nested(20));
        let deepest = (20..200).take_while(|count| nested(*count).contains("done")).count();
        assert!(nested(21 + deepest).contains("ORA-00036"), "{open}: {deepest}");
        assert!(nested(5_000).contains("ORA-00036"), "{open}");
    }
}

#[test]
fn a_literal_has_a_bound_in_sql_and_another_in_blocks() {
    let run = |text: String| answer(&text, &[], Release::R19);
    let text = |count: usize| format!("'{}'", "x".repeat(count));
    assert!(run(format!("SELECT LENGTH({}) n FROM dual", text(4_000))).contains("4000"));
    // Bytes count.
    assert!(run(format!("SELECT LENGTH('{}') n FROM dual", "é".repeat(2_000))).contains("2000"));
    for long in
        [text(4_001), format!("'{}'", "é".repeat(2_001)), format!("q'[{}]'", "x".repeat(4_001))]
    {
        assert!(run(format!("SELECT {long} FROM dual")).starts_with("ORA-01704"), "{}", &long[..9]);
    }
    let block = |count| {
        let text = format!("BEGIN IF LENGTH({}) = 0 THEN NULL; END IF; END;", text(count));
        parse(&text, Release::R19).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(block(32_767), Ok(()));
    assert!(block(32_768).is_err_and(|error| error.contains("PLS-00172")));
}

/// A statement that is too long is refused; nothing it holds overflows the stack.
#[test]
fn long_chains_are_refused_and_short_ones_run() {
    let chain = |part: &str, count: usize| vec![part; count].join("+");
    let run = |text: &str| answer(text, &[], Release::R19);
    assert!(run(&format!("SELECT {} x FROM dual", chain("1", 500))).contains("500"));
    assert!(run(&format!("SELECT {} x FROM dual", vec!["'ab'"; 500].join("||"))).contains("abab"));
    let unions = vec!["SELECT 1 x FROM dual"; 500].join(" UNION ALL ");
    assert!(run(&format!("SELECT SUM(x) FROM ({unions})")).contains("500"));
    // As deep as is allowed, and then much deeper.
    for (open, close) in [
        ("(SELECT x FROM ", ")"),
        ("(SELECT CASE WHEN EXISTS ", " THEN 1 END x FROM dual)"),
        ("(SELECT NVL((SELECT x FROM dual), 1) x FROM ", ")"),
    ] {
        let nested = |count: usize| {
            let inner = "(SELECT 1 x FROM dual)";
            let text = format!("{}{inner}{}", open.repeat(count), close.repeat(count));
            run(&format!("SELECT * FROM {text}"))
        };
        let deepest = (1..200).take_while(|count| !nested(*count).contains("ORA-00036")).count();
        assert!(deepest >= 10, "{open}: {deepest}");
        assert!(nested(5_000).contains("ORA-00036"), "{open}");
    }
    // AND and OR have no such bound: their trees stay flat.
    let all = format!("SELECT 7 x FROM dual WHERE {}", vec!["1=1"; 50_000].join(" AND "));
    let none = format!("SELECT 7 x FROM dual WHERE {}", vec!["1=2"; 50_000].join(" OR "));
    assert!(run(&all).contains('7') && !run(&none).contains('7'));
    for text in [
        format!("SELECT {} FROM dual", chain("1", 200_000)),
        format!("SELECT {}1{} FROM dual", "(1+".repeat(90_000), ")".repeat(90_000)),
        vec!["SELECT 1 FROM dual"; 50_000].join(" UNION ALL "),
    ] {
        assert!(run(&text).contains("ORA-00036"), "{}", &text[..40]);
    }
}

#[test]
fn sql_commands() {
    for file in files("command") {
        check(&file, |text| {
            let (_, statement, release) = prepared(text);
            match parse(&statement, release) {
                Ok(parsed) => format!("{:?}", parsed.command),
                Err(error) => shown(&error),
            }
        });
    }
}

#[test]
fn sql_blocks() {
    for file in files("block") {
        check(&file, |text| {
            let (inputs, statement, release) = prepared(text);
            blocks::answer(&statement, &inputs, release)
        });
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql").join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder of cases is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no cases in {}", folder.display());
    files
}

/// Runs every case of a file and compares.
fn check(file: &Path, run: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(file).expect("a readable file");
    let mut now = String::new();
    for case in text.split("\n\n").map(str::trim).filter(|case| !case.is_empty()) {
        let statement = case.split("\n----").next().unwrap_or(case).trim_end();
        if case.lines().all(|line| line.starts_with("--")) {
            writeln!(now, "{case}\n").expect("text can be written to");
            continue;
        }
        writeln!(now, "{statement}\n----\n{}\n", run(statement).trim_end())
            .expect("text can be written to");
    }
    let now = format!("{}\n", now.trim_end());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, now).expect("a writable file");
        return;
    }
    for (expected, found) in text.split("\n\n").zip(now.split("\n\n")) {
        assert_eq!(expected.trim(), found.trim(), "{}", file.display());
    }
    assert_eq!(text.trim(), now.trim(), "{}", file.display());
}

/// The binds, the statement and the release that a case names.
fn prepared(text: &str) -> (Vec<(String, Input)>, String, Release) {
    let mut inputs = Vec::new();
    let mut release = Release::R19;
    let mut statement = Vec::new();
    for line in text.lines() {
        if let Some((name, value)) =
            line.split_once(" = ").filter(|_| line.starts_with(':') && statement.is_empty())
        {
            inputs.push((name[1..].to_uppercase(), bind(value)));
        } else if let Some(name) = line.strip_prefix("@release ") {
            release = match name {
                "11.2" => Release::R11_2,
                "12.1" => Release::R12_1,
                "12.2" => Release::R12_2,
                "23" => Release::R23,
                _ => Release::R19,
            };
        } else {
            statement.push(line);
        }
    }
    (inputs, statement.join("\n"), release)
}

/// The binds that a statement wants, as far as the case has them.
fn arranged(parsed: &Parsed, given: &[(String, Input)]) -> Result<Inputs, OraError> {
    let by_place: Vec<Input> = parsed
        .binds
        .iter()
        .filter_map(|name| given.iter().find(|given| given.0 == *name).map(|given| given.1.clone()))
        .collect();
    Ok(Inputs { binds: parsed.arrange(by_place)?, ..Inputs::default() })
}

fn bind(text: &str) -> Input {
    let value = match text.strip_prefix('\'') {
        Some(rest) => Value::text(rest.trim_end_matches('\'')),
        None if text == "NULL" => Value::Null,
        None => Value::Number(text.parse().expect("a number")),
    };
    let column_type = match value {
        Value::Number(_) => ColumnType::Number,
        _ => ColumnType::Varchar2(2000),
    };
    Input { column_type, value }
}

fn answer(statement: &str, given: &[(String, Input)], release: Release) -> String {
    let tables = Tables::new();
    let parsed = match parse(statement, release) {
        Ok(parsed) => parsed,
        Err(error) => return shown(&error),
    };
    let inputs = match arranged(&parsed, given) {
        Ok(inputs) => inputs,
        Err(error) => return shown(&error),
    };
    let inputs = &inputs;
    match &parsed.command {
        Command::Query(query) => match query::run(query, &tables, &Session, inputs) {
            Ok(rows) => {
                let described = query::describe(query, &tables, &Session, inputs);
                assert_eq!(described.as_ref(), Ok(&rows.columns), "{statement}");
                table(&rows)
            }
            Err(error) => shown(&error),
        },
        Command::Dml(dml) => match dml::changes(dml, &tables, &Session, inputs) {
            Ok(changes) => {
                let mut text = changes.table.clone();
                for change in &changes.rows {
                    write!(text, "\n{change:?}").expect("text can be written to");
                }
                for returned in &changes.returning {
                    write!(text, "\n{returned:?}").expect("text can be written to");
                }
                text
            }
            Err(error) => shown(&error),
        },
        other => format!("{other:?}"),
    }
}

fn shown(error: &OraError) -> String {
    match error.position {
        Some(position) => format!("{error}\nat {position}"),
        None => error.to_string(),
    }
    // Blank lines part the cases.
    .replace("\n\n", "\n")
}

fn table(rows: &Rows) -> String {
    let heads: Vec<String> = rows
        .columns
        .iter()
        .map(|column| {
            format!(
                "{} {:?}{}",
                column.name,
                column.column_type,
                if column.nullable { "" } else { "!" }
            )
        })
        .collect();
    let mut text = heads.join(" | ");
    for row in rows.cells.chunks(rows.columns.len()) {
        let cells: Vec<String> = row.iter().map(cell).collect();
        write!(text, "\n{}", cells.join(" | ")).expect("text can be written to");
    }
    text
}

fn cell(value: &Value) -> String {
    let time = |seconds: i64| {
        let days = seconds.div_euclid(86_400);
        let within = seconds.rem_euclid(86_400);
        format!("day {days} {:02}:{:02}:{:02}", within / 3600, within / 60 % 60, within % 60)
    };
    match value {
        Value::Null => "-".into(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) | Value::RowId(text) => format!("'{text}'"),
        Value::Date(seconds) => time(*seconds),
        Value::Timestamp { seconds, nanos } => format!("{}.{nanos:09}", time(*seconds)),
        Value::TimestampTz { seconds, nanos, offset_minutes } => {
            format!("{}.{nanos:09} UTC shown at {offset_minutes:+}", time(*seconds))
        }
        Value::IntervalDs(nanos) => format!("{nanos} ns"),
        Value::IntervalYm(months) => format!("{months} months"),
        Value::Raw(bytes) => format!("{bytes:02X?}"),
        Value::Double(float) => format!("{float:e}"),
    }
}

#[test]
fn sql_long_and_deep_statements_end() {
    let long = format!("SELECT 1 FROM dual WHERE {} 1 = 0", "1 = 2 OR ".repeat(3000));
    assert_eq!(answer(&long, &[], Release::R19), "1 Number!");
    let deep = format!("SELECT {}1{} FROM dual", "(".repeat(500), ")".repeat(500));
    assert!(answer(&deep, &[], Release::R19).starts_with("ORA-00036"), "too deep");
}

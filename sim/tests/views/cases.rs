//! Queries over views and what they answer, as files: a query, a line `----`, its column names and its rows. A file
//! says in its first line who asks.
//!
//! Run with `UPDATE=1` in the environment to write what is answered now into the files.

use rac_sim::conversation::{Outcome, Progress, Statement};
use rac_sim::database::SimDatabase;
use rac_sim::scenario::Scenario;
use rac_sim::value::Value;

const SHOP: &str = "
databases:
  - name: SHOPDB
    accounts:
      - {name: SHOP, password: shop, grants: [CREATE SESSION]}
      - {name: CLERK, password: clerk, grants: [CREATE SESSION, UPDATE ON SHOP.ORDERS]}
    tables:
      - owner: SHOP
        name: ORDERS
        columns: [ID NUMBER, STATE VARCHAR2(10), PLACED DATE]
        rows: [[1, new, '2026-03-02 09:30:00'], [2, paid, null]]
";

#[test]
fn files_of_queries() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/views");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("it is readable");
        let now = answered(&text);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, now).expect("it can be written");
        } else {
            for (now, expected) in now.split("\n\n").zip(text.split("\n\n")) {
                assert_eq!(now, expected, "{}", file.display());
            }
            assert_eq!(now.len(), text.len(), "{}", file.display());
        }
    }
}

/// The file with the answers of now.
fn answered(text: &str) -> String {
    let scenario = Scenario::parse(SHOP).expect("it is read");
    let database = scenario.build().expect("it is sound").remove(0);
    let mut cases = text.trim_end().split("\n\n");
    let head = cases.next().expect("a first line");
    let user = head.rsplit_once("user: ").expect("the first line says who asks").1;
    let mut now = vec![head.to_owned()];
    for case in cases {
        let query = case.split("\n----").next().unwrap_or(case);
        now.push(format!("{query}\n----\n{}", answer(&database, user, query)));
    }
    now.join("\n\n") + "\n"
}

fn answer(database: &SimDatabase, user: &str, sql: &str) -> String {
    let mut client = database.connect(user, "SHOPDB1").expect("it logs in");
    let mut progress = client.execute(&Statement { sql: sql.to_owned(), ..Statement::default() });
    while matches!(progress, Progress::Waiting) {
        database.advance(100_000);
        progress = client.resume();
    }
    let (columns, cells) = match progress {
        Progress::Done(Ok(Outcome::Query { columns, cells })) => (columns, cells),
        Progress::Done(Err(error)) => return format!("ORA-{:05}: {}", error.code, error.text),
        other => panic!("{sql}: {other:?}"),
    };
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let rows = cells.chunks(columns.len().max(1)).map(|row| {
        let shown: Vec<String> = row.iter().map(shown).collect();
        shown.join(" | ")
    });
    std::iter::once(names.join(" | ")).chain(rows).collect::<Vec<String>>().join("\n")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Text(text) => format!("'{text}'"),
        Value::Number(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

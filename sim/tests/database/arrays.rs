//! Arrays of DML: what each iteration gave, and how far an error reaches.

use rac_sim::conversation::{Bind, Extras, Outcome, Statement};
use rac_sim::ora::OraError;
use rac_sim::value::{ColumnType, Value};

use crate::support::{Client, shop};

/// Texts by iteration. One of the names is too long for its column.
const ROWS: [[&str; 2]; 4] =
    [["uno", "1"], ["much longer than twenty", "1"], ["nobody", "7"], ["dos", "2"]];

fn run(client: &mut Client, sql: &str, batch_errors: bool) -> (Result<Outcome, OraError>, Extras) {
    let statement = Statement {
        sql: sql.to_owned(),
        binds: vec![Bind { column_type: ColumnType::Varchar2(4_000) }; 2],
        rows: ROWS.map(|row| row.map(Value::text).to_vec()).to_vec(),
        batch_errors,
        ..Statement::default()
    };
    let progress = client.talk.execute(&statement);
    let outcome = client.finish(progress);
    (outcome, client.talk.extras())
}

const UPDATE: &str = "UPDATE app.t SET name = :1 WHERE id = :2";

#[test]
fn an_error_in_one_iteration_is_told_and_the_others_are_done() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let (outcome, extras) = run(&mut ann, UPDATE, true);
    assert_eq!(outcome, Ok(Outcome::Dml { count: 2, returning: Vec::new() }));
    assert_eq!(extras.counts, [1, 0, 0, 1]);
    let failed: Vec<_> =
        extras.failures.iter().map(|(place, error)| (*place, error.code)).collect();
    assert_eq!(failed, [(1, 12_899)]);
    assert_eq!(ann.cells("SELECT name FROM app.t ORDER BY id"), ["uno", "dos"]);
    assert_eq!(ann.talk.extras(), Extras::default(), "they are handed out once");
}

#[test]
fn without_batch_errors_the_first_error_is_the_calls() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    assert_eq!(run(&mut ann, UPDATE, false).0.map_err(|error| error.code), Err(12_899));
}

#[test]
fn an_error_that_every_iteration_would_meet_is_the_calls() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    for (sql, code) in [
        ("UPDATE app.missing SET name = :1 WHERE id = :2", 942),
        ("UPDATE app.t SET surname = :1 WHERE id = :2", 904),
        ("INSERT INTO app.t (name, id) VALUES (:1, :2)", 1_031),
    ] {
        let (outcome, extras) = run(&mut ann, sql, true);
        assert_eq!(outcome.map_err(|error| error.code), Err(code), "{sql}");
        assert_eq!(extras.failures, []);
    }
}

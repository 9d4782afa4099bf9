//! Cursors that a block opens for its client.

use rac_sim::conversation::{Bind, Direction, Extras, Outcome, Statement};
use rac_sim::ora::OraError;
use rac_sim::value::{ColumnType, Value};

use crate::support::{Client, shop};

/// Runs a statement whose first bind is a cursor and whose others are numbers.
fn run(client: &mut Client, sql: &str, numbers: &[i32]) -> (Result<Outcome, OraError>, Extras) {
    let numbers = numbers.iter().map(|number| Value::integer(*number));
    let row: Vec<Value> = std::iter::once(Value::Null).chain(numbers).collect();
    let statement = Statement {
        sql: sql.to_owned(),
        binds: vec![Bind { column_type: ColumnType::Number }; row.len()],
        rows: vec![row],
        cursors: vec![0],
        ..Statement::default()
    };
    let progress = client.talk.execute(&statement);
    let outcome = client.finish(progress);
    (outcome, client.talk.extras())
}

#[test]
fn a_block_opens_a_cursor_for_its_client() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let sql = "BEGIN OPEN :c FOR SELECT name, id FROM app.t WHERE id >= :low ORDER BY id; :low := 7; END;";
    let (outcome, extras) = run(&mut ann, sql, &[2]);
    let Ok(Outcome::Plsql { directions, values }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(directions, [Direction::Out, Direction::InOut]);
    assert_eq!(values[1], Value::integer(7));
    let [(0, set)] = extras.cursors.as_slice() else { panic!("{extras:?}") };
    let names: Vec<&str> = set.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["NAME", "ID"]);
    assert_eq!(set.cells, [Value::text("two"), Value::integer(2)]);
}

#[test]
fn a_cursor_that_is_not_opened_is_not_there() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let sql = "BEGIN IF 1 = 2 THEN OPEN :c FOR SELECT id FROM app.t; END IF; END;";
    let (outcome, extras) = run(&mut ann, sql, &[]);
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(extras.cursors, []);
}

#[test]
fn a_client_fetches_what_a_text_asks_for() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let sql = "BEGIN OPEN :c FOR 'SELECT id FROM app.t WHERE id >= :x ORDER BY id' USING 2; END;";
    let (outcome, extras) = run(&mut ann, sql, &[]);
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(extras.cursors.len(), 1);
}

#[test]
fn a_cursor_is_no_value() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    for (sql, numbers, code) in [
        ("SELECT :c FROM dual", &[][..], 932),
        ("BEGIN :c := 5; END;", &[], 6_550),
        ("DECLARE n NUMBER; BEGIN n := :c; END;", &[], 6_550),
        ("BEGIN OPEN :c FOR SELECT missing FROM app.t; END;", &[], 6_550),
        ("BEGIN OPEN :c FOR SELECT 1 FROM dual; OPEN :n FOR SELECT 1 FROM dual; END;", &[1], 6_550),
        ("BEGIN OPEN :c FOR 'SELECT missing FROM app.t'; END;", &[], 904),
        ("BEGIN OPEN :c FOR 'COMMIT'; END;", &[], 6_539),
    ] {
        let (outcome, extras) = run(&mut ann, sql, numbers);
        assert_eq!(outcome.map_err(|error| error.code), Err(code), "{sql}");
        assert_eq!(extras.cursors, [], "{sql}");
    }
}

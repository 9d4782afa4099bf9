//! MERGE: rows that match, rows that do not, and who may.

use rac_sim::conversation::Outcome;

use crate::support::{Client, database};

fn shop() -> rac_sim::database::SimDatabase {
    database(
        "
databases:
  - name: SHOP
    accounts:
      - {name: ANN, password: ann, grants: [CREATE SESSION, SELECT ON APP.T, UPDATE ON APP.T, SELECT ON APP.NEWS]}
    tables:
      - {owner: APP, name: T, columns: [ID NUMBER, NAME VARCHAR2(20)], rows: [[1, one], [2, two]]}
      - {owner: APP, name: NEWS, columns: [ID NUMBER, NAME VARCHAR2(40)], rows: [[2, zwei], [3, drei], [4, null]]}
",
    )
}

fn count(client: &mut Client, sql: &str) -> Result<u64, u32> {
    match client.run(sql) {
        Ok(Outcome::Dml { count, .. }) => Ok(count),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.code),
    }
}

const MERGE: &str = "MERGE INTO app.t t USING app.news n ON (t.id = n.id)";
const UPDATE: &str = "WHEN MATCHED THEN UPDATE SET t.name = n.name";
const INSERT: &str = "WHEN NOT MATCHED THEN INSERT (id, name) VALUES (n.id, NVL(n.name, 'none'))";

#[test]
fn rows_that_match_change_and_the_others_are_new() {
    let database = shop();
    let mut app = Client::new(&database, "SYSTEM", 1);
    assert_eq!(count(&mut app, &format!("{MERGE} {UPDATE} {INSERT}")), Ok(3));
    let all = "SELECT id || name FROM app.t ORDER BY id";
    assert_eq!(app.cells(all), ["1one", "2zwei", "3drei", "4none"]);
    app.run("ROLLBACK").expect("it rolls back");
    assert_eq!(app.cells(all), ["1one", "2two"]);
    assert_eq!(count(&mut app, &format!("{MERGE} {INSERT} WHERE n.id > 3")), Ok(1));
    assert_eq!(app.cells(all), ["1one", "2two", "4none"]);
    assert_eq!(count(&mut app, &format!("{MERGE} {UPDATE} WHERE t.name = 'nobody'")), Ok(0));
    let own = "MERGE INTO app.t USING (SELECT 9 id FROM dual) s ON (t.id = s.id)
               WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'nine')";
    assert_eq!(count(&mut app, own), Ok(1));
    assert_eq!(count(&mut app, own), Ok(0));
}

#[test]
fn what_cannot_be_merged_is_an_error_and_changes_nothing() {
    let database = shop();
    let mut app = Client::new(&database, "SYSTEM", 1);
    for (sql, code) in [
        ("MERGE INTO app.t USING app.news n ON (1 = 1) WHEN MATCHED THEN UPDATE SET name = 'x'", 30_926),
        ("MERGE INTO app.t t USING app.news n ON (t.id = n.id) WHEN MATCHED THEN UPDATE SET id = 1", 38_104),
        ("MERGE INTO app.t USING app.news n ON (t.id = n.id) WHEN NOT MATCHED THEN INSERT (id) VALUES (1, 2)", 913),
        ("MERGE INTO app.t t USING app.news n ON (t.id = n.id) WHEN NOT MATCHED THEN INSERT VALUES (n.id, t.name)",
         38_101),
        ("MERGE INTO app.t USING (SELECT 9 i FROM dual) ON (id = i) WHEN NOT MATCHED THEN INSERT VALUES (i, UPPER(name))",
         38_101),
        ("MERGE INTO app.t t USING app.news n ON (t.id = n.id) WHEN NOT MATCHED THEN INSERT (id) VALUES (n.id)
          WHERE t.name IS NULL", 38_102),
        ("MERGE INTO app.t USING app.missing n ON (t.id = n.id) WHEN MATCHED THEN UPDATE SET name = 'x'", 942),
        ("MERGE INTO app.t USING app.news n ON (t.id = n.id) WHEN MATCHED THEN UPDATE SET nope = 'x'", 904),
        ("MERGE INTO app.t USING app.news n ON (t.id = n.id) WHEN NOT MATCHED THEN
          INSERT VALUES (n.id, 'much longer than twenty bytes')", 12_899),
        ("MERGE INTO app.t USING app.news n ON (t.id = n.id)", 905),
        ("MERGE INTO app.t USING app.news n ON (t.id = n.id) WHEN MATCHED THEN UPDATE SET name = 'x' DELETE
          WHERE name = 'x'", 3_001),
        ("MERGE INTO v$session s USING dual ON (s.sid = 1) WHEN MATCHED THEN UPDATE SET module = 'x'", 1_732),
    ] {
        assert_eq!(count(&mut app, sql), Err(code), "{sql}");
    }
    assert_eq!(app.cells("SELECT name FROM app.t ORDER BY id"), ["one", "two"]);
    assert!(!app.talk.in_transaction());
    let mut ann = Client::new(&database, "ANN", 1);
    assert_eq!(count(&mut ann, &format!("{MERGE} {UPDATE}")), Ok(1));
    assert_eq!(count(&mut ann, &format!("{MERGE} {UPDATE} {INSERT}")), Err(1_031));
    // Nor without a row that would need it.
    assert_eq!(count(&mut ann, "DELETE FROM app.t WHERE id = 77"), Err(1_031));
}

#[test]
fn columns_are_set_from_one_query() {
    let database = shop();
    let mut app = Client::new(&database, "SYSTEM", 1);
    let sql = "UPDATE app.t t SET (id, name) = (SELECT n.id * 10, n.name || t.name FROM app.news n WHERE n.id = t.id)
               WHERE id = 2";
    assert_eq!(count(&mut app, sql), Ok(1));
    assert_eq!(app.cells("SELECT id || name FROM app.t ORDER BY id"), ["1one", "20zweitwo"]);
    for (sql, code) in [
        ("UPDATE app.t SET (id, name) = (SELECT id FROM app.news WHERE id = 2)", 947),
        ("UPDATE app.t SET (id) = (SELECT id, name FROM app.news WHERE id = 2)", 913),
        ("UPDATE app.t SET (id, name) = (SELECT id, name FROM app.news)", 1_427),
        ("UPDATE app.t SET (id, nope) = (SELECT 1, 2 FROM dual)", 904),
        ("UPDATE app.t SET (id, name) = (SELECT * FROM app.news WHERE id = 2)", 3_001),
    ] {
        assert_eq!(count(&mut app, sql), Err(code), "{sql}");
    }
}

#[test]
fn a_row_that_somebody_holds_is_waited_for() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    ann.run("UPDATE app.t SET name = 'hers' WHERE id = 2").expect("she may");
    let mut app = Client::new(&database, "SYSTEM", 2);
    let progress = app.start(&format!("{MERGE} {UPDATE}"));
    assert!(matches!(progress, rac_sim::conversation::Progress::Waiting));
    ann.run("COMMIT").expect("it is hers");
    assert!(matches!(app.finish(progress), Ok(Outcome::Dml { count: 1, .. })));
    assert_eq!(app.cells("SELECT name FROM app.t ORDER BY id"), ["one", "zwei"]);
    // In a block it counts like the others.
    let block = format!("BEGIN {MERGE} {UPDATE} {INSERT}; :1 := SQL%ROWCOUNT; END;");
    let counted = app.block(&block, &[rac_sim::value::Value::Null]).expect("it runs");
    assert_eq!(counted, [rac_sim::value::Value::integer(3)]);
}

//! Blocks that move many rows at once: BULK COLLECT, FORALL, RETURNING.

use rac_sim::value::Value;

use crate::support::{Client, shop};

fn result(client: &mut Client, sql: &str) -> Result<String, u32> {
    let values = client.block(sql, &[Value::text("-")]);
    values.map(|values| crate::support::shown(&values[0])).map_err(|error| error.code)
}

#[test]
fn forall_changes_a_row_per_element() {
    let database = shop();
    let mut app = Client::new(&database, "SYSTEM", 1);
    let sql = "DECLARE
                 TYPE ids IS TABLE OF NUMBER; TYPE names IS TABLE OF VARCHAR2(20);
                 i ids; n names;
               BEGIN
                 SELECT id, name BULK COLLECT INTO i, n FROM app.t ORDER BY id;
                 FORALL k IN 1 .. i.COUNT INSERT INTO app.t VALUES (i(k) + 10, n(k) || k);
                 :1 := SQL%ROWCOUNT;
                 FORALL k IN i.FIRST .. i.LAST UPDATE app.t SET name = UPPER(name) WHERE id >= i(k) + 10;
                 :1 := :1 || ' ' || SQL%ROWCOUNT;
                 i.DELETE;
                 FORALL k IN i.FIRST .. i.LAST DELETE FROM app.t WHERE id = i(k);
                 :1 := :1 || ' ' || SQL%ROWCOUNT;
               END;";
    assert_eq!(result(&mut app, sql).as_deref(), Ok("2 3 0"));
    let all = "SELECT id || name FROM app.t ORDER BY id";
    assert_eq!(app.cells(all), ["1one", "2two", "11ONE1", "12TWO2"]);
}

#[test]
fn returning_fills_collections() {
    let database = shop();
    let mut app = Client::new(&database, "SYSTEM", 1);
    let sql = "DECLARE v dbms_sql.varchar2_table;
               BEGIN
                 UPDATE app.t SET name = name || '!' RETURNING name BULK COLLECT INTO v;
                 :1 := v.COUNT || v(1) || v(2);
               END;";
    assert_eq!(result(&mut app, sql).as_deref(), Ok("2one!two!"));
    // Without BULK COLLECT several rows are an error, and so is a target that is none.
    let one = "DECLARE v VARCHAR2(20); BEGIN UPDATE app.t SET id = id RETURNING name INTO v; :1 := v; END;";
    assert_eq!(result(&mut app, one), Err(1_422));
    let none = "BEGIN UPDATE app.t SET id = id RETURNING name INTO nowhere; :1 := 'x'; END;";
    assert_eq!(result(&mut app, none), Err(6_550));
}

#[test]
fn an_error_in_forall_leaves_what_came_before() {
    let database = shop();
    let mut app = Client::new(&database, "SYSTEM", 1);
    let sql = "DECLARE v dbms_sql.varchar2_table;
               BEGIN
                 v(1) := 'fits'; v(2) := 'is much longer than twenty'; v(3) := 'never';
                 FORALL k IN 1 .. 3 INSERT INTO app.t VALUES (k + 10, v(k));
               EXCEPTION WHEN OTHERS THEN :1 := SQLCODE;
               END;";
    assert_eq!(result(&mut app, sql).as_deref(), Ok("-12899"));
    assert_eq!(app.cells("SELECT name FROM app.t WHERE id > 10"), ["fits"]);
}

#[test]
fn a_collection_has_a_bound() {
    let database = shop();
    let mut app = Client::new(&database, "SYSTEM", 1);
    let sql = "DECLARE TYPE t IS TABLE OF NUMBER; v t := t(); BEGIN v.EXTEND(2000000000); :1 := 'x'; END;";
    assert_eq!(result(&mut app, sql), Err(4_030));
}

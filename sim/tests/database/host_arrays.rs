//! Binds that are arrays of PL/SQL.

use rac_sim::conversation::{Array, Bind, Direction, Outcome, Statement};
use rac_sim::ora::OraError;
use rac_sim::value::{ColumnType, Value};

use crate::support::{Client, shop, shown};

/// What a block left in its arrays and in its other binds.
type Left = (Vec<(usize, Vec<String>)>, Vec<String>, Vec<Direction>);

/// Runs a block whose binds are arrays of texts with room for three, but the last of them, a number.
fn run(client: &mut Client, sql: &str, arrays: &[&[&str]], number: i128) -> Result<Left, OraError> {
    let text = Bind { column_type: ColumnType::Varchar2(20) };
    let mut binds = vec![text; arrays.len()];
    binds.push(Bind { column_type: ColumnType::Number });
    let mut row = vec![Value::Null; arrays.len()];
    row.push(Value::integer(number));
    let arrays = arrays.iter().enumerate().map(|(place, elements)| Array {
        place,
        elements: elements.iter().copied().map(Value::text).collect(),
        room: 3,
    });
    let (sql, arrays) = (sql.to_owned(), arrays.collect());
    let statement = Statement { sql, binds, rows: vec![row], arrays, ..Statement::default() };
    let progress = client.talk.execute(&statement);
    let Outcome::Plsql { directions, values } = client.finish(progress)? else {
        panic!("no block");
    };
    let shown = |values: &[Value]| values.iter().map(shown).collect::<Vec<_>>();
    let left = client.talk.extras().arrays.iter().map(|one| (one.0, shown(&one.1))).collect();
    Ok((left, shown(&values), directions))
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn an_array_goes_into_a_table_and_comes_out_of_one() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    let table = "DECLARE TYPE t IS TABLE OF VARCHAR2(10) INDEX BY PLS_INTEGER; l t;";
    let sql =
        format!("{table} BEGIN l := :1; l(l.COUNT + 1) := 'last'; :2 := l; :3 := l.COUNT; END;");
    let (arrays, values, directions) = run(&mut ann, &sql, &[&["a", ""], &["x"]], 0).expect("done");
    assert_eq!(arrays, [(1, strings(&["a", "", "last"]))]);
    assert_eq!(
        (values[2].as_str(), directions),
        ("3", vec![Direction::In, Direction::Out, Direction::Out])
    );
    // Both ways, with a hole in it, and another type of number.
    let sql = "DECLARE TYPE t IS TABLE OF NUMBER INDEX BY BINARY_INTEGER; l t := :1;
        BEGIN l.DELETE(1); l(3) := :2; :1 := l; END;";
    let (arrays, _, directions) = run(&mut ann, sql, &[&["1", "2"]], 7).expect("done");
    assert_eq!((arrays, directions[0]), (vec![(0, strings(&["", "2", "7"]))], Direction::InOut));
    let sql =
        "BEGIN SELECT name BULK COLLECT INTO :1 FROM app.t ORDER BY id; :2 := SQL%ROWCOUNT; END;";
    let (arrays, values, _) = run(&mut ann, sql, &[&[]], 0).expect("done");
    assert_eq!((arrays, values[1].as_str()), (vec![(0, strings(&["one", "two"]))], "2"));
}

#[test]
fn get_lines_gives_as_many_lines_as_are_wanted() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    ann.run("BEGIN dbms_output.enable(); FOR i IN 1..4 LOOP dbms_output.put_line('line ' || i); END LOOP; END;")
        .expect("written");
    let sql = "BEGIN dbms_output.get_lines(:lines, :n); END;";
    let mut get = |wanted| run(&mut ann, sql, &[&["old"]], wanted).expect("read");
    let (arrays, values, directions) = get(2);
    assert_eq!((arrays, values[1].as_str()), (vec![(0, strings(&["line 1", "line 2"]))], "2"));
    assert_eq!(directions, [Direction::Out, Direction::InOut]);
    assert_eq!(get(0).0, [(0, Vec::new())]);
    let (arrays, values, _) = get(100);
    assert_eq!((arrays, values[1].as_str()), (vec![(0, strings(&["line 3", "line 4"]))], "2"));
    assert_eq!(get(100).1[1], "0");
    let sql = "DECLARE l dbms_output.chararr; m dbmsoutput_linesarray; n INTEGER := 2; BEGIN
        dbms_output.put_line('a'); dbms_output.put_line('b'); dbms_output.put_line('c');
        dbms_output.get_lines(numlines => n, lines => l); :1 := l(2) || n;
        dbms_output.get_lines(m, n); :1 := :1 || m(1) || n; END;";
    assert_eq!(ann.block(sql, &[Value::text("x")]).map(|left| shown(&left[0])), Ok("b2c1".into()));
}

#[test]
fn an_array_is_never_taken_for_a_scalar() {
    let database = shop();
    let mut ann = Client::new(&database, "ANN", 1);
    // The array is the first bind, and a use of it that is right makes no other one so.
    let table = "DECLARE TYPE t IS TABLE OF VARCHAR2(2) INDEX BY PLS_INTEGER; l t; n NUMBER;
        BEGIN IF 1 = 2 THEN l := :1; END IF;";
    for (body, code) in [
        ("n := :1;", 6_550),
        ("l(1) := :1;", 6_550),
        (":1 := 5;", 6_550),
        (":1 := 'a' || :2;", 6_550),
        ("SELECT COUNT(*) INTO n FROM app.t WHERE name = :1;", 6_550),
        ("SELECT name INTO :1 FROM app.t WHERE id = 1;", 6_550),
        ("EXECUTE IMMEDIATE 'BEGIN :x := 1; END;' USING OUT :1;", 6_550),
        ("IF :1 IS NULL THEN n := 1; END IF;", 6_550),
        ("dbms_output.put_line(:1);", 6_550),
        ("dbms_output.get_lines(:2, :2);", 6_550),
        ("dbms_output.get_lines(:1);", 6_550),
        ("l := :2;", 6_550),
        ("l := :1;", 6_502),
        ("l(4) := 'x'; :1 := l;", 6_513),
        ("l(0) := 'x'; :1 := l;", 6_513),
    ] {
        let sql = format!("{table} {body} n := :2; END;");
        let done = run(&mut ann, &sql, &[&["long"]], 1);
        let found = done.map(drop).map_err(|error| error.code);
        assert_eq!(found, Err(code), "{body}");
    }
    for sql in ["SELECT :1, :2 FROM dual", "UPDATE app.t SET name = :1 WHERE id = :2"] {
        let done = run(&mut ann, sql, &[&["a", "b"]], 1);
        assert_eq!(done.map(drop).map_err(|error| error.code), Err(1_484), "{sql}");
    }
    assert_eq!(ann.cells("SELECT name FROM app.t ORDER BY id"), ["one", "two"]);
}

//! How long large results take. The limits hold for an optimised build, so they are only looked at when `SPEED` is in
//! the environment.

use std::time::{Duration, Instant};

use rac_sim::catalog::{Catalog, Column};
use rac_sim::conversation::Release;
use rac_sim::ora::OraError;
use rac_sim::sql::query::{self, Inputs};
use rac_sim::sql::statement::{Command, parse};
use rac_sim::value::{ColumnType, Value};

use crate::fixture::Session;

/// Forty columns of many rows, made when they are asked for.
struct Many(Vec<Column>, usize);

impl Catalog for Many {
    fn columns(&self, _: &str) -> Result<&[Column], OraError> {
        Ok(&self.0)
    }

    fn scan(
        &self,
        _: &str,
        wanted: &[usize],
        row: &mut dyn FnMut(Vec<Value>) -> bool,
    ) -> Result<(), OraError> {
        for at in 0..self.1 {
            let value = |column: &usize| match column % 2 {
                0 => Value::integer(at as i128),
                _ => Value::text(format!("text {}", at % 100)),
            };
            if !row(wanted.iter().map(value).collect()) {
                break;
            }
        }
        Ok(())
    }
}

#[test]
fn sql_large_results_are_quick() {
    let measured = std::env::var_os("SPEED").is_some();
    let rows = if measured { 20_000 } else { 200 };
    let column = |at: usize| Column {
        name: format!("C{at}"),
        column_type: if at.is_multiple_of(2) {
            ColumnType::Number
        } else {
            ColumnType::Varchar2(30)
        },
        digits: None,
        nullable: true,
    };
    let table = Many((0..40).map(column).collect(), rows);
    let cases = [
        ("SELECT * FROM gv$session", rows, 150),
        (
            "SELECT c0, c1 FROM gv$session WHERE c1 = 'text 7' AND c0 > 100 ORDER BY c0 DESC",
            rows / 100 - 1,
            150,
        ),
        ("SELECT c1, COUNT(*) FROM gv$session GROUP BY c1", 100, 150),
        ("SELECT a.c0 FROM gv$session a, gv$session b WHERE a.c0 = b.c0", rows, 150),
        (
            "SELECT c0 FROM gv$session a WHERE EXISTS (SELECT 1 FROM gv$session b WHERE b.c0 = a.c0)",
            rows,
            150,
        ),
        (
            "SELECT * FROM (SELECT a.*, ROW_NUMBER() OVER (PARTITION BY c1 ORDER BY c0) r FROM gv$session a)",
            rows,
            600,
        ),
    ];
    for (statement, expected, limit_ms) in cases {
        let parsed = parse(statement, Release::R19).expect("a statement");
        let Command::Query(query) = parsed.command else { panic!("a query: {statement}") };
        let begun = Instant::now();
        let result = query::run(&query, &table, &Session, &Inputs::default()).expect("rows");
        let elapsed = begun.elapsed();
        assert_eq!(result.cells.len() / result.columns.len(), expected, "{statement}");
        assert!(!measured || elapsed < Duration::from_millis(limit_ms), "{statement}: {elapsed:?}");
    }
}

//! DML on ordinary tables: what changes is worked out, then every row is locked, and only then anything changes. If a
//! row has to be waited for, all begins anew afterwards, as Oracle restarts a statement whose rows moved.

use std::collections::BTreeMap;
use std::task::Poll;

use super::command::{Progress, failed, unknown};
use super::session::{Act, Waited, Waiting};
use crate::catalog::Catalog;
use crate::catalog::rowid::RowId;
use crate::catalog::view::Resolved;
use crate::cluster::SECOND;
use crate::cluster::live::Grant;
use crate::cluster::lock::Row;
use crate::ora::OraError;
use crate::sql::dml::{Change, Changes, Dml};
use crate::sql::meter::{self, Meter};
use crate::sql::plsql::Executed;
use crate::sql::query::{self, Inputs, Query};
use crate::sql::statement::LockWait;
use crate::value::Value;

/// A table that is changed.
struct Place {
    /// `OWNER.NAME`.
    name: String,
    object_id: u32,
    /// The numbers of its rows in the order in which they are scanned.
    numbers: Vec<u32>,
    next: u32,
}

/// Steps to find the rows that FOR UPDATE locks, which nobody else can do anything meanwhile.
const STEPS_OF_LOCKING: u64 = 1_000_000;

/// What became of a wish for rows.
enum Locked {
    All,
    Waits,
    Failed(OraError),
}

impl Act<'_> {
    /// INSERT, UPDATE, DELETE.
    pub(super) fn dml(&mut self, statement: &Dml, inputs: &Inputs) -> Progress {
        if let Some(waiting) = self.session.waiting {
            match self.look(waiting) {
                Waited::Still => return Poll::Pending,
                Waited::Over(_) => {}
                Waited::Failed(error) => return Poll::Ready(Err(error)),
            }
        }
        if self.state.cluster.spec().read_only {
            return failed(16000, "database or pluggable database open for read-only access");
        }
        if let Err(error) = self.check_read_write() {
            return Poll::Ready(Err(error));
        }
        let changes = match self.changes(statement, inputs) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(changes)) => changes,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
        };
        let inserts = changes.rows.iter().all(|change| matches!(change, Change::Insert(_)));
        let privileges = statement.0.privileges();
        let granted = privileges.iter().map(|one| self.place(&changes.table, one, !inserts));
        let place = match granted.collect::<Result<Vec<Place>, OraError>>().map(|mut all| all.pop())
        {
            Ok(Some(place)) => place,
            Ok(None) => return Poll::Ready(Ok(Executed::default())),
            Err(error) => return Poll::Ready(Err(error)),
        };
        let wanted: Vec<u32> = changes
            .rows
            .iter()
            .filter_map(|change| match change {
                Change::Update { row, .. } | Change::Delete { row } => {
                    place.numbers.get(*row).copied()
                }
                Change::Insert(_) => None,
            })
            .collect();
        let began = !self.state.cluster.in_transaction(self.session.key);
        match self.lock_rows(place.object_id, &wanted) {
            Locked::All => {}
            Locked::Waits => return self.wait(Waiting::Model { until: None }),
            Locked::Failed(error) => return Poll::Ready(Err(error)),
        }
        Poll::Ready(Ok(self.apply(&place, changes, began)))
    }

    /// A table by the name that the statement used, with the numbers of its rows if they are of interest: going over
    /// all of them for every row that an array inserts takes too long. The error is ORA-00942, ORA-01031 or ORA-01732.
    fn place(&self, name: &str, privilege: &str, numbered: bool) -> Result<Place, OraError> {
        match self.view().resolve(name, privilege)? {
            Resolved::Fixed(_) => {
                Err(OraError::new(1732, "data manipulation operation not legal on this view"))
            }
            Resolved::Heap(table) => Ok(Place {
                name: format!("{}.{}", table.owner, table.name),
                object_id: table.object_id,
                numbers: if numbered {
                    table.rows(self.session.key).map(|(number, _)| number).collect()
                } else {
                    Vec::new()
                },
                next: table.next_number(),
            }),
        }
    }

    fn lock_rows(&mut self, object: u32, numbers: &[u32]) -> Locked {
        for number in numbers {
            match self.state.cluster.lock_row(self.session.key, Row { object, number: *number }) {
                Ok(Grant::Granted) => {}
                Ok(Grant::Queued) => return Locked::Waits,
                Err(error) => return Locked::Failed(error),
            }
        }
        Locked::All
    }

    /// Makes the changes, whose locks are held.
    fn apply(&mut self, place: &Place, changes: Changes, began: bool) -> Executed {
        let key = self.session.key;
        let updates = changes.rows.iter().any(|change| matches!(change, Change::Update { .. }));
        let current: BTreeMap<u32, Vec<Value>> = match self.state.books.heap.get(&place.name) {
            Some(table) if updates => {
                table.rows(key).map(|(number, values)| (number, values.clone())).collect()
            }
            _ => BTreeMap::new(),
        };
        let count = changes.rows.len() as u64;
        if count > 0 {
            // A transaction begins with the first of its undo records.
            self.state.cluster.change(key, &place.name, count - u64::from(began));
        }
        let mut next = place.next;
        for change in changes.rows {
            let (number, values) = match change {
                Change::Insert(values) => {
                    let number = next;
                    next += 1;
                    // A new row is nobody else's to wait for, but it is locked all the same.
                    drop(self.state.cluster.lock_row(key, Row { object: place.object_id, number }));
                    (number, Some(values))
                }
                Change::Delete { row } => (place.numbers[row], None),
                Change::Update { row, values } => {
                    let number = place.numbers[row];
                    let mut new = current.get(&number).cloned().unwrap_or_default();
                    for (column, value) in values {
                        if let Some(cell) = new.get_mut(column) {
                            *cell = value;
                        }
                    }
                    (number, Some(new))
                }
            };
            self.state.books.heap.change(key, &place.name, number, values);
            let row = Row { object: place.object_id, number };
            self.session.last_rowid = Some(RowId::from(row).to_string());
        }
        Executed { count, rows: None, returning: changes.returning }
    }

    /// SELECT … FOR UPDATE. Every row of the table that the query would give is locked; which ones these are follows
    /// from a table of one: with several, all rows of the first are taken.
    pub(super) fn select_for_update(
        &mut self,
        query: &Query,
        tables: &[String],
        wait: LockWait,
        inputs: &Inputs,
    ) -> Progress {
        if let Some(waiting) = self.session.waiting {
            match self.look(waiting) {
                Waited::Still => return Poll::Pending,
                Waited::Over(_) => {}
                Waited::Failed(error) => return Poll::Ready(Err(error)),
            }
        }
        if let Err(error) = self.check_read_write() {
            return Poll::Ready(Err(error));
        }
        let mut rows = match self.query(query, inputs) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(rows)) => rows,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
        };
        let places: Result<Vec<Place>, OraError> =
            tables.iter().map(|table| self.place(table, "UPDATE", true)).collect();
        let places = match places {
            Ok(places) => places,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let [place] = places.as_slice() else {
            return unknown("FOR UPDATE of more than one table");
        };
        let mut wanted = match self.rows_of(query, &tables[0], inputs, place) {
            Ok(wanted) => wanted,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let until = match wait {
            LockWait::Wait => None,
            LockWait::Secs(seconds) => Some(self.state.cluster.now() + i64::from(seconds) * SECOND),
            LockWait::NoWait => Some(self.state.cluster.now()),
            LockWait::SkipLocked => {
                let free = |number: &u32| {
                    let row = Row { object: place.object_id, number: *number };
                    self.state.cluster.row_is_free(self.session.key, row)
                };
                wanted.retain(free);
                let shown = self.only(query, &tables[0], inputs, place, &wanted);
                rows = match shown {
                    Ok(rows) => rows,
                    Err(error) => return Poll::Ready(Err(error)),
                };
                None
            }
        };
        match self.lock_rows(place.object_id, &wanted) {
            Locked::Failed(error) => Poll::Ready(Err(error)),
            Locked::All => {
                self.state.cluster.change(self.session.key, &place.name, wanted.len() as u64);
                Poll::Ready(Ok(Executed { rows: Some(rows), ..Executed::default() }))
            }
            Locked::Waits if wait == LockWait::NoWait => {
                self.state.cluster.break_call(self.session.key);
                failed(54, "resource busy and acquire with NOWAIT specified or timeout expired")
            }
            Locked::Waits => self.wait(Waiting::Model { until }),
        }
    }

    /// The rows of a table that a query gives: the query is run over the table with one row at a time.
    fn rows_of(
        &self,
        query: &Query,
        table: &str,
        inputs: &Inputs,
        place: &Place,
    ) -> Result<Vec<u32>, OraError> {
        let sight = self.sight();
        let view = self.view();
        let meter = Meter::limited(STEPS_OF_LOCKING);
        let gives = |place: usize| {
            let shown = (0..=place).map(|other| other == place).collect();
            let one = SomeRows { catalog: &view, table, shown };
            query::metered(query, &one, &sight, inputs, &meter)
                .is_ok_and(|rows| !rows.cells.is_empty())
        };
        let rows = place.numbers.iter().enumerate();
        let wanted = rows.filter(|(row, _)| !meter.is_spent() && gives(*row));
        let wanted = wanted.map(|(_, number)| *number).collect();
        if meter.is_spent() { Err(meter::too_long()) } else { Ok(wanted) }
    }

    /// What a query gives of some rows of its table.
    fn only(
        &self,
        query: &Query,
        table: &str,
        inputs: &Inputs,
        place: &Place,
        numbers: &[u32],
    ) -> Result<crate::sql::query::Rows, OraError> {
        let sight = self.sight();
        let view = self.view();
        let shown = place.numbers.iter().map(|number| numbers.contains(number)).collect();
        let some = SomeRows { catalog: &view, table, shown };
        crate::sql::query::run(query, &some, &sight, inputs)
    }

    /// LOCK TABLE, as far as it never has to wait here.
    pub(super) fn lock_table(&mut self, table: &str, mode: &str) -> Progress {
        if let Err(error) = self.check_read_write() {
            return Poll::Ready(Err(error));
        }
        match self.place(table, "UPDATE", false) {
            Ok(place) if matches!(mode, "ROW SHARE" | "ROW EXCLUSIVE" | "SHARE UPDATE") => {
                self.state.cluster.change(self.session.key, &place.name, 0);
                Poll::Ready(Ok(Executed::default()))
            }
            Ok(_) => unknown(&format!("LOCK TABLE IN {mode} MODE")),
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

/// A catalog in which one table has only some of its rows, by their places; those behind the last are not there.
struct SomeRows<'a> {
    catalog: &'a dyn Catalog,
    table: &'a str,
    shown: Vec<bool>,
}

impl Catalog for SomeRows<'_> {
    fn columns(&self, table: &str) -> Result<&[crate::catalog::Column], OraError> {
        self.catalog.columns(table)
    }

    fn new_rowid(&self, table: &str, ordinal: u32) -> Option<Value> {
        self.catalog.new_rowid(table, ordinal)
    }

    fn scan(
        &self,
        table: &str,
        wanted: &[usize],
        row: &mut dyn FnMut(Vec<Value>) -> bool,
    ) -> Result<(), OraError> {
        let mut place = 0;
        self.catalog.scan(table, wanted, &mut |values| {
            let shown = table != self.table || self.shown.get(place) == Some(&true);
            place += 1;
            !shown || row(values)
        })
    }
}

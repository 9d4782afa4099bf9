//! DML on ordinary tables: what changes is worked out, then every row is locked, and only then anything changes. If a
//! row has to be waited for, all begins anew afterwards, as Oracle restarts a statement whose rows moved.

use std::collections::{BTreeMap, HashSet};
use std::task::Poll;

use super::command::{Progress, failed, unknown};
use super::session::{Act, Waiting};
use crate::catalog::Catalog;
use crate::catalog::rowid::RowId;
use crate::catalog::view::Resolved;
use crate::cluster::SECOND;
use crate::cluster::live::Grant;
use crate::cluster::lock::Row;
use crate::cluster::mode_lock::{FOR_EVER, Mode};
use crate::ora::OraError;
use crate::sql::dml::{Change, Changes, Dml};
use crate::sql::meter::{self, Meter};
use crate::sql::plsql::Executed;
use crate::sql::query::{self, Inputs, Query};
use crate::sql::statement::{LockWait, NamedTable, RowLocks};
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

/// Steps to find the rows that FOR UPDATE locks, while nobody else can do anything.
const STEPS_OF_LOCKING: u64 = 1_000_000;

/// A table and its rows that are to be locked.
struct Wanted {
    /// As the statement names it.
    table: String,
    place: Place,
    numbers: Vec<u32>,
}

/// What became of a wish for rows.
enum Locked {
    All,
    Waits,
    Failed(OraError),
}

impl Act<'_> {
    /// INSERT, UPDATE, DELETE.
    pub(super) fn dml(&mut self, statement: &Dml, inputs: &Inputs) -> Progress {
        match self.waited() {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
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
        let new = changes.rows.len() - wanted.len();
        let room =
            self.state.books.heap.room_for(self.session.key, &place.name, changes.rows.len(), new);
        if let Err(error) = room {
            return Poll::Ready(Err(error));
        }
        // Who inserts needs the table, though no row.
        match self.state.cluster.want_table(self.session.key, place.object_id) {
            Ok(Grant::Granted) => {}
            Ok(Grant::Queued) => return self.wait(Waiting::Model { until: None }),
            Err(error) => return Poll::Ready(Err(error)),
        }
        match self.lock_rows(place.object_id, &wanted) {
            Locked::All => {}
            Locked::Waits => return self.wait(Waiting::Model { until: None }),
            Locked::Failed(error) => return Poll::Ready(Err(error)),
        }
        Poll::Ready(Ok(self.apply(&place, changes)))
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
    fn apply(&mut self, place: &Place, changes: Changes) -> Executed {
        let key = self.session.key;
        let updates = changes.rows.iter().any(|change| matches!(change, Change::Update { .. }));
        let current: BTreeMap<u32, Vec<Value>> = match self.state.books.heap.get(&place.name) {
            Some(table) if updates => {
                table.rows(key).map(|(number, values)| (number, values.clone())).collect()
            }
            _ => BTreeMap::new(),
        };
        let count = changes.rows.len() as u64;
        self.state.cluster.change_rows(key, &place.name, count);
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

    /// SELECT … FOR UPDATE. What is locked are the rows whose ROWIDs the same query gives.
    pub(super) fn select_for_update(
        &mut self,
        query: &Query,
        locks: &RowLocks,
        inputs: &Inputs,
    ) -> Progress {
        match self.waited() {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
        }
        if let Err(error) = self.check_read_write() {
            return Poll::Ready(Err(error));
        }
        let rows = match self.query(query, inputs) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(rows)) => rows,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
        };
        match self.rows_to_lock(query, locks, inputs) {
            Ok(wanted) => self.lock_and_show(query, locks, inputs, wanted, rows),
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn lock_and_show(
        &mut self,
        query: &Query,
        locks: &RowLocks,
        inputs: &Inputs,
        mut wanted: Vec<Wanted>,
        mut rows: query::Rows,
    ) -> Progress {
        let now = self.state.cluster.now();
        let until = match locks.wait {
            LockWait::Wait | LockWait::NoWait => None,
            LockWait::Secs(seconds) => Some(now + i64::from(seconds) * SECOND),
            LockWait::SkipLocked => {
                let [one] = wanted.as_mut_slice() else {
                    return unknown("SKIP LOCKED over more than one table");
                };
                let object = one.place.object_id;
                let key = self.session.key;
                let cluster = &self.state.cluster;
                one.numbers
                    .retain(|number| cluster.row_is_free(key, Row { object, number: *number }));
                let free = one.numbers.iter().copied().collect();
                rows = match self.only(query, &one.table, inputs, &one.place, &free) {
                    Ok(rows) => rows,
                    Err(error) => return Poll::Ready(Err(error)),
                };
                None
            }
        };
        let cluster = &self.state.cluster;
        let free = |one: &Wanted, number: u32| {
            let row = Row { object: one.place.object_id, number };
            cluster.table_is_free(self.session.key, row.object)
                && cluster.row_is_free(self.session.key, row)
        };
        // Looked at before the first is taken: a statement that fails leaves no row locked.
        if locks.wait == LockWait::NoWait
            && !wanted.iter().all(|one| one.numbers.iter().all(|number| free(one, *number)))
        {
            return busy();
        }
        for one in &wanted {
            match self.lock_rows(one.place.object_id, &one.numbers) {
                Locked::Failed(error) => return Poll::Ready(Err(error)),
                Locked::All => {}
                Locked::Waits => return self.wait(Waiting::Model { until }),
            }
        }
        for one in wanted {
            let count = one.numbers.len() as u64;
            self.state.cluster.change_rows(self.session.key, &one.place.name, count);
        }
        Poll::Ready(Ok(Executed { rows: Some(rows), ..Executed::default() }))
    }

    /// The tables behind OF, or all, with the rows that the query gives of each.
    fn rows_to_lock(
        &self,
        query: &Query,
        locks: &RowLocks,
        inputs: &Inputs,
    ) -> Result<Vec<Wanted>, OraError> {
        let chosen = self.tables_to_lock(locks)?;
        let aliases: Vec<&str> = chosen.iter().map(|one| one.alias.as_str()).collect();
        let query = query.rowids(&aliases)?;
        let meter = Meter::limited(STEPS_OF_LOCKING);
        let rows = query::metered(&query, &self.view(), &self.sight(), inputs, &meter)?;
        if meter.is_spent() {
            return Err(meter::too_long());
        }
        let mut wanted = Vec::new();
        for (column, one) in chosen.into_iter().enumerate() {
            let place = self.place(&one.name, "UPDATE", true)?;
            let rowids: HashSet<&str> = rows
                .cells
                .iter()
                .skip(column)
                .step_by(aliases.len())
                .filter_map(
                    |cell| if let Value::RowId(text) = cell { Some(text.as_str()) } else { None },
                )
                .collect();
            let object = place.object_id;
            let given = |number: &&u32| {
                let rowid = RowId::from(Row { object, number: **number }).to_string();
                rowids.contains(rowid.as_str())
            };
            let numbers = place.numbers.iter().filter(given).copied().collect();
            wanted.push(Wanted { table: one.name.clone(), place, numbers });
        }
        Ok(wanted)
    }

    fn tables_to_lock<'l>(&self, locks: &'l RowLocks) -> Result<Vec<&'l NamedTable>, OraError> {
        if locks.of.is_empty() {
            return Ok(locks.tables.iter().collect());
        }
        let view = self.view();
        let mut chosen: Vec<&NamedTable> = Vec::new();
        for parts in &locks.of {
            let [qualifier @ .., column] = parts.as_slice() else { continue };
            let has = |table: &NamedTable| {
                let named = qualifier.last().is_none_or(|name| *name == table.alias);
                named
                    && view
                        .columns(&table.name)
                        .is_ok_and(|all| all.iter().any(|one| one.name == *column))
            };
            let found: Vec<&NamedTable> = locks.tables.iter().filter(|table| has(table)).collect();
            match found.as_slice() {
                [one] if chosen.contains(one) => {}
                [one] => chosen.push(one),
                [] => {
                    let text = format!("\"{}\": invalid identifier", parts.join("\".\""));
                    return Err(OraError::new(904, text));
                }
                _ => return Err(OraError::new(918, "column ambiguously defined")),
            }
        }
        Ok(chosen)
    }

    /// What a query gives of some rows of its table.
    fn only(
        &self,
        query: &Query,
        table: &str,
        inputs: &Inputs,
        place: &Place,
        numbers: &HashSet<u32>,
    ) -> Result<query::Rows, OraError> {
        let sight = self.sight();
        let view = self.view();
        let shown = place.numbers.iter().map(|number| numbers.contains(number)).collect();
        let some = SomeRows { catalog: &view, table, shown };
        let meter = Meter::limited(STEPS_OF_LOCKING);
        let rows = query::metered(query, &some, &sight, inputs, &meter)?;
        if meter.is_spent() { Err(meter::too_long()) } else { Ok(rows) }
    }

    /// LOCK TABLE.
    pub(super) fn lock_table(&mut self, table: &str, mode: &str, wait: LockWait) -> Progress {
        match self.waited() {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(0)) => {}
            Poll::Ready(Ok(_)) => return busy(),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
        }
        if let Err(error) = self.check_read_write() {
            return Poll::Ready(Err(error));
        }
        // Whoever may do anything with it may lock it.
        let wanted = ["INSERT", "DELETE", "SELECT"];
        let place = wanted.iter().fold(self.place(table, "UPDATE", false), |found, privilege| {
            found.or_else(|_| self.place(table, privilege, false))
        });
        let place = match place {
            Ok(place) => place,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let mode = match mode {
            "ROW SHARE" | "SHARE UPDATE" => Mode::SubShare,
            "ROW EXCLUSIVE" => Mode::SubExclusive,
            "SHARE" => Mode::Share,
            "SHARE ROW EXCLUSIVE" => Mode::ShareSubExclusive,
            "EXCLUSIVE" => Mode::Exclusive,
            _ => {
                return failed(
                    1737,
                    "valid modes: [ROW] SHARE, [[SHARE] ROW] EXCLUSIVE, SHARE UPDATE",
                );
            }
        };
        let timeout = match wait {
            LockWait::Wait | LockWait::SkipLocked => FOR_EVER,
            LockWait::NoWait => 0,
            LockWait::Secs(seconds) => i64::from(seconds) * SECOND,
        };
        let key = self.session.key;
        match self.state.cluster.lock_table(key, place.object_id, mode, timeout) {
            Ok(Some(0)) => {
                self.state.cluster.change(key, &place.name, 0);
                Poll::Ready(Ok(Executed::default()))
            }
            Ok(Some(2)) => failed(60, "deadlock detected while waiting for resource"),
            Ok(Some(_)) => busy(),
            Ok(None) => self.wait(Waiting::Model { until: None }),
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

fn busy() -> Progress {
    failed(54, "resource busy and acquire with NOWAIT specified or timeout expired")
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

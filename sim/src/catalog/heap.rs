//! A few ordinary tables, so that clients have something to lock. A row has a committed version and at most one that a
//! transaction has not committed; whoever wants to change it has to hold its lock, which is the cluster's business.

use std::collections::BTreeMap;

use super::Column;
use super::rowid::RowId;
use crate::cluster::lock::Row;
use crate::cluster::session::SessionKey;
use crate::ora::OraError;
use crate::value::Value;

/// A row: what everybody sees, and what one transaction has made of it. `None` is no row.
#[derive(Debug, Clone, Default)]
struct Slot {
    committed: Option<Vec<Value>>,
    pending: Option<(SessionKey, Option<Vec<Value>>)>,
}

impl Slot {
    fn seen_by(&self, session: SessionKey) -> Option<&Vec<Value>> {
        match &self.pending {
            Some((owner, values)) if *owner == session => values.as_ref(),
            _ => self.committed.as_ref(),
        }
    }
}

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct HeapTable {
    /// Its owner.
    pub(crate) owner: String,
    /// Its name.
    pub(crate) name: String,
    /// OBJECT_ID.
    pub(crate) object_id: u32,
    /// Its columns.
    pub(crate) columns: Vec<Column>,
    slots: Vec<Slot>,
}

impl HeapTable {
    /// The rows that a session sees, each with its number.
    pub(crate) fn rows(&self, session: SessionKey) -> impl Iterator<Item = (u32, &Vec<Value>)> {
        (0..)
            .zip(&self.slots)
            .filter_map(move |(number, slot)| Some((number, slot.seen_by(session)?)))
    }

    /// The ROWID of a row, for as long as the row lives: numbers are never used again.
    pub(crate) fn rowid(&self, number: u32) -> RowId {
        Row { object: self.object_id, number }.into()
    }

    /// The number that the next new row gets.
    pub(crate) fn next_number(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }
}

/// The rows of one table, with those that are gone: some hundred megabytes, unless they are long.
const ROWS_MAX: usize = 1_000_000;
/// The changes that a session has not committed.
const CHANGES_MAX: usize = 1_000_000;
/// The savepoints of a transaction.
const SAVEPOINTS_MAX: usize = 1_000;

/// How a row was before a change.
#[derive(Debug)]
struct Before {
    table: String,
    number: u32,
    pending: Option<(SessionKey, Option<Vec<Value>>)>,
}

/// A point to roll back to.
#[derive(Debug)]
struct Savepoint {
    name: String,
    changes: usize,
}

/// What a session has not committed.
#[derive(Debug, Default)]
struct Undo {
    changes: Vec<Before>,
    savepoints: Vec<Savepoint>,
}

/// All tables, by `OWNER.NAME`.
#[derive(Debug, Default)]
pub(crate) struct Heap {
    tables: BTreeMap<String, HeapTable>,
    undo: BTreeMap<SessionKey, Undo>,
}

impl Heap {
    /// Adds a table with its first rows.
    pub(crate) fn add(
        &mut self,
        owner: &str,
        name: &str,
        object_id: u32,
        columns: Vec<Column>,
        rows: Vec<Vec<Value>>,
    ) {
        let slots =
            rows.into_iter().map(|row| Slot { committed: Some(row), pending: None }).collect();
        let table =
            HeapTable { owner: owner.to_owned(), name: name.to_owned(), object_id, columns, slots };
        self.tables.insert(format!("{owner}.{name}"), table);
    }

    /// A table by `OWNER.NAME`.
    pub(crate) fn get(&self, name: &str) -> Option<&HeapTable> {
        self.tables.get(name)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &HeapTable> {
        self.tables.values()
    }

    /// All of them as they are now, by `OWNER.NAME`.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, HeapTable> {
        self.tables.clone()
    }

    /// A session changes a row whose lock it holds; `None` deletes it.
    pub(crate) fn change(
        &mut self,
        session: SessionKey,
        table: &str,
        number: u32,
        values: Option<Vec<Value>>,
    ) {
        let Some(slots) = self.tables.get_mut(table).map(|table| &mut table.slots) else { return };
        let place = number as usize;
        if place >= slots.len() {
            slots.resize_with(place + 1, Slot::default);
        }
        let pending = slots[place].pending.replace((session, values));
        let undo = self.undo.entry(session).or_default();
        undo.changes.push(Before { table: table.to_owned(), number, pending });
    }

    /// What a session changed becomes what everybody sees.
    pub(crate) fn commit(&mut self, session: SessionKey) {
        for change in self.undo.remove(&session).unwrap_or_default().changes {
            let slot = self
                .tables
                .get_mut(&change.table)
                .and_then(|table| table.slots.get_mut(change.number as usize));
            if let Some(slot) = slot
                && let Some((owner, values)) = slot.pending.take()
            {
                if owner == session {
                    slot.committed = values;
                } else {
                    slot.pending = Some((owner, values));
                }
            }
        }
    }

    /// What a session changed is undone.
    pub(crate) fn rollback(&mut self, session: SessionKey) {
        self.undo_to(session, 0);
        self.undo.remove(&session);
    }

    /// Whether there is room for changes of a session, of which some are new rows. The error is ORA-01653 or ORA-30036.
    pub(crate) fn room_for(
        &self,
        session: SessionKey,
        table: &str,
        changes: usize,
        new: usize,
    ) -> Result<(), OraError> {
        let rows = self.tables.get(table).map_or(0, |table| table.slots.len());
        if new > 0 && rows + new > ROWS_MAX {
            let text = format!("unable to extend table {table} by 128 in tablespace USERS");
            return Err(OraError::new(1_653, text));
        }
        if self.changes(session) + changes > CHANGES_MAX {
            let text = "unable to extend segment by 8 in undo tablespace 'UNDOTBS1'";
            return Err(OraError::new(30_036, text));
        }
        Ok(())
    }

    /// SAVEPOINT. ORA-04030 if there are too many.
    pub(crate) fn savepoint(&mut self, session: SessionKey, name: &str) -> Result<(), OraError> {
        let undo = self.undo.entry(session).or_default();
        undo.savepoints.retain(|savepoint| savepoint.name != name);
        if undo.savepoints.len() >= SAVEPOINTS_MAX {
            let text = "out of process memory when trying to allocate a savepoint";
            return Err(OraError::new(4_030, text));
        }
        undo.savepoints.push(Savepoint { name: name.to_owned(), changes: undo.changes.len() });
        Ok(())
    }

    /// How many changes a session has not committed.
    pub(crate) fn changes(&self, session: SessionKey) -> usize {
        self.undo.get(&session).map_or(0, |undo| undo.changes.len())
    }

    /// ROLLBACK TO; false if there is no such savepoint (ORA-01086).
    pub(crate) fn rollback_to(&mut self, session: SessionKey, name: &str) -> bool {
        let Some(undo) = self.undo.get_mut(&session) else { return false };
        let Some(place) = undo.savepoints.iter().position(|savepoint| savepoint.name == name)
        else {
            return false;
        };
        let changes = undo.savepoints[place].changes;
        undo.savepoints.truncate(place + 1);
        self.undo_to(session, changes);
        true
    }

    /// Undoes all but so many changes of a session.
    pub(crate) fn undo_to(&mut self, session: SessionKey, keep: usize) {
        let Some(undo) = self.undo.get_mut(&session) else { return };
        while undo.changes.len() > keep {
            let Some(change) = undo.changes.pop() else { return };
            let slot = self
                .tables
                .get_mut(&change.table)
                .and_then(|table| table.slots.get_mut(change.number as usize));
            if let Some(slot) = slot {
                slot.pending = change.pending;
            }
        }
    }

    /// Undoes what sessions left behind that have no transaction any more.
    pub(crate) fn sweep(&mut self, lives: impl Fn(SessionKey) -> bool) {
        let gone: Vec<_> = self
            .undo
            .iter()
            .filter(|(key, undo)| !undo.changes.is_empty() && !lives(**key))
            .map(|(key, _)| *key)
            .collect();
        for session in gone {
            self.rollback(session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::ColumnType;

    const A: SessionKey = SessionKey { inst_id: 1, sid: 1, serial: 1 };
    const B: SessionKey = SessionKey { inst_id: 1, sid: 2, serial: 1 };

    fn heap() -> Heap {
        let mut heap = Heap::default();
        let column_type = ColumnType::Number;
        let column = Column { name: "ID".into(), column_type, digits: None, nullable: true };
        heap.add(
            "APP",
            "T",
            1,
            vec![column],
            vec![vec![Value::integer(1)], vec![Value::integer(2)]],
        );
        heap
    }

    fn seen(heap: &Heap, session: SessionKey) -> Vec<String> {
        let table = heap.get("APP.T").expect("it was added");
        table.rows(session).map(|(number, row)| format!("{number}:{:?}", row[0])).collect()
    }

    #[test]
    fn others_see_a_change_after_the_commit() {
        let mut heap = heap();
        let before = seen(&heap, B);
        heap.change(A, "APP.T", 0, Some(vec![Value::integer(9)]));
        heap.change(A, "APP.T", 1, None);
        heap.change(A, "APP.T", 2, Some(vec![Value::integer(3)]));
        assert_eq!(seen(&heap, A).len(), 2);
        assert_eq!(seen(&heap, B), before);
        heap.commit(A);
        assert_eq!(seen(&heap, A), seen(&heap, B));
        assert_ne!(seen(&heap, B), before);
    }

    #[test]
    fn there_is_an_end_to_rows_changes_and_savepoints() {
        let mut heap = heap();
        let code = |done: Result<(), OraError>| done.map_err(|error| error.code);
        assert_eq!(code(heap.room_for(A, "APP.T", ROWS_MAX - 2, ROWS_MAX - 2)), Ok(()));
        assert_eq!(code(heap.room_for(A, "APP.T", 1, ROWS_MAX - 1)), Err(1_653));
        heap.change(A, "APP.T", 0, None);
        assert_eq!(code(heap.room_for(A, "APP.T", CHANGES_MAX - 1, 0)), Ok(()));
        assert_eq!(code(heap.room_for(A, "APP.T", CHANGES_MAX, 0)), Err(30_036));
        assert_eq!(code(heap.room_for(B, "APP.T", CHANGES_MAX, 0)), Ok(()));
        for number in 0..SAVEPOINTS_MAX {
            heap.savepoint(A, &format!("S{number}")).expect("room");
        }
        assert_eq!(code(heap.savepoint(A, "ONE_MORE")), Err(4_030));
        assert_eq!(code(heap.savepoint(A, "S7")), Ok(()), "in the place of the old one");
    }

    #[test]
    fn rollback_and_savepoints_undo() {
        let mut heap = heap();
        let before = seen(&heap, A);
        heap.change(A, "APP.T", 0, Some(vec![Value::integer(8)]));
        heap.savepoint(A, "S").expect("the first");
        let between = seen(&heap, A);
        heap.change(A, "APP.T", 0, Some(vec![Value::integer(9)]));
        assert!(heap.rollback_to(A, "S"));
        assert_eq!(seen(&heap, A), between);
        assert!(!heap.rollback_to(A, "X"));
        heap.sweep(|_| false);
        assert_eq!(seen(&heap, A), before);
    }
}

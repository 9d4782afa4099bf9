//! Queries, and what DML would change: worked out at once if that takes few steps, else by a job from what the
//! session sees now. A job reads ordinary tables as they were when it began, and views when it comes to them, each at
//! one moment.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::task::Poll;

use super::SimDatabase;
use super::environment::Sight;
use super::job::Job;
use super::session::Act;
use crate::catalog::heap::HeapTable;
use crate::catalog::view::{Resolved, View, Viewer};
use crate::catalog::{Catalog, Column};
use crate::cluster::live;
use crate::ora::OraError;
use crate::sql::dml::{self, Change, Changes, Dml};
use crate::sql::meter::Meter;
use crate::sql::query::{self, Inputs, Query, Rows};
use crate::value::Value;

/// Steps that a statement may take while everybody else waits: a few milliseconds, and more rows than most clusters
/// have sessions.
const STEPS_AT_ONCE: u64 = 100_000;

/// What a job is to work out.
#[derive(Clone)]
enum Task {
    Query(Query),
    Dml(Dml),
}

/// What came of it.
pub(super) enum Product {
    Rows(Rows),
    /// With the tables that it was worked out from.
    Changes(Changes, Tables),
}

/// Ordinary tables by `OWNER.NAME`, as they once were.
pub(super) type Tables = BTreeMap<String, HeapTable>;

impl Task {
    fn work_out(
        &self,
        catalog: &dyn Catalog,
        sight: &Sight,
        inputs: &Inputs,
        meter: &Meter,
    ) -> Result<Product, OraError> {
        match self {
            Self::Query(query) => {
                query::metered(query, catalog, sight, inputs, meter).map(Product::Rows)
            }
            Self::Dml(dml) => dml::metered(dml, catalog, sight, inputs, meter)
                .map(|changes| Product::Changes(changes, Tables::new())),
        }
    }
}

impl Act<'_> {
    /// Runs a query.
    pub(super) fn query(&mut self, query: &Query, inputs: &Inputs) -> Poll<Result<Rows, OraError>> {
        self.work_out(&Task::Query(query.clone()), inputs).map_ok(|product| match product {
            Product::Rows(rows) => rows,
            Product::Changes(..) => Rows::default(),
        })
    }

    /// What DML would change now.
    pub(super) fn changes(
        &mut self,
        dml: &Dml,
        inputs: &Inputs,
    ) -> Poll<Result<Changes, OraError>> {
        let task = Task::Dml(dml.clone());
        loop {
            let (changes, tables) = match self.work_out(&task, inputs) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(Product::Rows(_))) => (Changes::default(), Tables::new()),
                Poll::Ready(Ok(Product::Changes(changes, tables))) => (changes, tables),
            };
            if tables.is_empty() || self.still_holds(&changes, &tables) {
                return Poll::Ready(Ok(changes));
            }
            // Its rows have moved meanwhile: it begins anew, as in Oracle.
        }
    }

    /// Whether the rows that a job means are still the same.
    fn still_holds(&self, changes: &Changes, tables: &Tables) -> bool {
        if changes.rows.iter().all(|change| matches!(change, Change::Insert(_))) {
            return true;
        }
        match self.view().resolve(&changes.table, "SELECT") {
            Ok(Resolved::Heap(now)) => {
                let key = self.session.key;
                let then = tables.get(&format!("{}.{}", now.owner, now.name));
                then.is_some_and(|then| then.rows(key).eq(now.rows(key)))
            }
            // The caller will find out what is wrong with it.
            _ => true,
        }
    }

    fn work_out(&mut self, task: &Task, inputs: &Inputs) -> Poll<Result<Product, OraError>> {
        if self.session.job.is_some() {
            return self.look_at_job();
        }
        self.state.sweep();
        let meter = Meter::limited(STEPS_AT_ONCE);
        let product = task.work_out(&self.view(), &self.sight(), inputs, &meter);
        if !meter.is_spent() {
            return Poll::Ready(product);
        }
        match self.begin_job(task.clone(), inputs.clone()) {
            Ok(job) => {
                self.session.job = Some(job);
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn begin_job(
        &self,
        task: Task,
        inputs: Inputs,
    ) -> Result<Job<Result<Product, OraError>>, OraError> {
        let tables = match &self.session.viewer.read_only {
            Some(tables) => Tables::clone(tables),
            None => self.state.books.heap.snapshot(),
        };
        let frozen = Frozen {
            database: self.session.database.clone(),
            viewer: self.session.viewer.clone(),
            tables,
            names: RefCell::default(),
            read: RefCell::default(),
        };
        let sight = self.sight();
        Job::start(move |shift| {
            let meter = Meter::paced(Box::new(shift));
            let product = task.work_out(&frozen, &sight, &inputs, &meter)?;
            Ok(match product {
                Product::Changes(changes, _) => Product::Changes(changes, frozen.tables),
                rows @ Product::Rows(_) => rows,
            })
        })
    }

    fn look_at_job(&mut self) -> Poll<Result<Product, OraError>> {
        let looked = match self.state.cluster.poll(self.session.key) {
            live::Poll::Failed(error) => Poll::Ready(Err(error)),
            live::Poll::Waiting => Poll::Pending,
            live::Poll::Done(_) => match &self.session.job {
                Some(job) => job.look().map(|looked| looked.and_then(|product| product)),
                None => Poll::Pending,
            },
        };
        if looked.is_ready() {
            self.session.job = None;
        }
        looked
    }
}

/// What a job reads of the database.
struct Frozen {
    database: SimDatabase,
    viewer: Viewer,
    tables: Tables,
    /// What names stand for: a table's full name, or a view of Oracle's.
    names: RefCell<HashMap<String, Option<String>>>,
    /// The rows of views, by view and columns.
    read: RefCell<HashMap<(String, Vec<usize>), Seen>>,
}

type Seen = Arc<Vec<Vec<Value>>>;

impl Frozen {
    /// Looks at the database for a moment.
    fn look<T>(
        &self,
        table: &str,
        act: impl FnOnce(&View<'_>, Resolved<'_>) -> Result<T, OraError>,
    ) -> Result<T, OraError> {
        let state = self.database.lock();
        let view = View { cluster: &state.cluster, books: &state.books, viewer: &self.viewer };
        let resolved = view.resolve(table, "SELECT")?;
        act(&view, resolved)
    }

    /// A table by the name that the statement used; `None` for a view of Oracle's.
    fn table(&self, name: &str) -> Result<Option<&HeapTable>, OraError> {
        let known = self.names.borrow().get(name).cloned();
        let full = match known {
            Some(full) => full,
            None => self.look(name, |_, resolved| {
                Ok(match resolved {
                    Resolved::Fixed(_) => None,
                    Resolved::Heap(table) => Some(format!("{}.{}", table.owner, table.name)),
                })
            })?,
        };
        self.names.borrow_mut().entry(name.to_owned()).or_insert_with(|| full.clone());
        let gone = || OraError::new(942, "table or view does not exist");
        full.map(|full| self.tables.get(&full).ok_or_else(gone)).transpose()
    }

    /// The rows of a view, which is read once.
    fn seen(&self, view: &str, wanted: &[usize]) -> Result<Seen, OraError> {
        let place = (view.to_owned(), wanted.to_vec());
        if let Some(rows) = self.read.borrow().get(&place) {
            return Ok(Arc::clone(rows));
        }
        let mut rows = Vec::new();
        self.look(view, |sight, _| {
            sight.scan(view, wanted, &mut |row| {
                rows.push(row);
                true
            })
        })?;
        let rows = Arc::new(rows);
        self.read.borrow_mut().insert(place, Arc::clone(&rows));
        Ok(rows)
    }
}

impl Catalog for Frozen {
    fn columns(&self, table: &str) -> Result<&[Column], OraError> {
        if let Some(table) = self.table(table)? {
            return Ok(&table.columns);
        }
        let fixed = self.look(table, |_, resolved| match resolved {
            Resolved::Fixed(table) => Ok(table),
            Resolved::Heap(_) => Err(OraError::new(942, "table or view does not exist")),
        })?;
        Ok(&fixed.columns)
    }

    fn scan(
        &self,
        table: &str,
        wanted: &[usize],
        row: &mut dyn FnMut(Vec<Value>) -> bool,
    ) -> Result<(), OraError> {
        if let Some(table) = self.table(table)? {
            for (number, values) in table.rows(self.viewer.key) {
                // Behind the columns stands the ROWID.
                let rowid = || Value::RowId(table.rowid(number).to_string());
                let cell = |place: &usize| values.get(*place).cloned().unwrap_or_else(rowid);
                if !row(wanted.iter().map(cell).collect()) {
                    break;
                }
            }
            return Ok(());
        }
        let rows = self.seen(table, wanted)?;
        for one in rows.iter() {
            if !row(one.clone()) {
                break;
            }
        }
        Ok(())
    }

    fn new_rowid(&self, table: &str, ordinal: u32) -> Option<Value> {
        let table = self.table(table).ok()??;
        let number = table.next_number().saturating_add(ordinal);
        Some(Value::RowId(table.rowid(number).to_string()))
    }
}

//! Collections of scalars, and records, whose fields are variables.

use std::collections::BTreeMap;

use super::machine::{Machine, wrong_type};
use super::statement::called;
use super::variables::{Rules, Saved};
use crate::ora::OraError;
use crate::sql::ast::{Argument, Declared, Dml, Expr, ExprKind, InsertSource, Query};
use crate::sql::ast::{Body, Item};
use crate::sql::dml::Target;
use crate::sql::evaluate::convert;
use crate::sql::query::Rows;
use crate::sql::statement::Command;
use crate::value::{ColumnType, Value};

/// The most elements of one collection: some hundred megabytes.
const ELEMENTS_MAX: usize = 1_000_000;

/// What an element is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Number(i64),
    Text(String),
}

impl Key {
    fn value(&self) -> Value {
        match self {
            Self::Number(number) => Value::integer(*number),
            Self::Text(text) => Value::text(text),
        }
    }
}

/// A collection.
#[derive(Debug, Clone)]
pub(super) struct Collection {
    type_name: String,
    element: Declared,
    /// INDEX BY: elements come and go one by one. Others have a constructor and EXTEND.
    indexed: bool,
    /// `None` before the constructor.
    items: Option<BTreeMap<Key, Value>>,
}

impl Collection {
    pub(super) fn new(type_name: &str, element: Declared, indexed: bool) -> Self {
        let items = indexed.then(BTreeMap::new);
        Self { type_name: type_name.to_owned(), element, indexed, items }
    }

    fn items(&self) -> Result<&BTreeMap<Key, Value>, OraError> {
        self.items.as_ref().ok_or_else(uninitialized)
    }

    fn items_mut(&mut self) -> Result<&mut BTreeMap<Key, Value>, OraError> {
        self.items.as_mut().ok_or_else(uninitialized)
    }

    fn fill(&mut self, values: Vec<Value>) {
        self.items = Some((1..).map(Key::Number).zip(values).collect());
    }

    /// The number behind the last element.
    fn next(&self) -> Result<i64, OraError> {
        Ok(match self.items()?.keys().next_back() {
            Some(Key::Number(last)) => last + 1,
            _ => 1,
        })
    }

    fn get(&self, key: &Key) -> Result<Value, OraError> {
        let found = self.items()?.get(key).cloned();
        found.ok_or_else(|| {
            if self.indexed {
                OraError::new(1403, "no data found")
            } else {
                OraError::new(6533, "Subscript beyond count")
            }
        })
    }

    /// COUNT and its kin; `None` if there is no such method.
    fn ask(&self, method: &str, key: Option<&Key>) -> Result<Option<Value>, OraError> {
        let shown = |key: Option<&Key>| key.map_or(Value::Null, Key::value);
        if let ("EXISTS", Some(key)) = (method, key) {
            let there = self.items.as_ref().is_some_and(|items| items.contains_key(key));
            return Ok(Some(Value::integer(u8::from(there))));
        }
        let items = self.items()?;
        Ok(Some(match (method, key) {
            ("COUNT", None) => Value::integer(items.len() as i128),
            ("FIRST", None) => shown(items.keys().next()),
            ("LAST", None) => shown(items.keys().next_back()),
            ("NEXT", Some(key)) => {
                let behind = (std::ops::Bound::Excluded(key), std::ops::Bound::Unbounded);
                shown(items.range(behind).next().map(|pair| pair.0))
            }
            ("PRIOR", Some(key)) => shown(items.range(..key).next_back().map(|pair| pair.0)),
            _ => return Ok(None),
        }))
    }

    /// DELETE, EXTEND and TRIM; false if there is no such method.
    fn change(&mut self, method: &str, key: Option<Key>) -> Result<bool, OraError> {
        let count = match (&key, method) {
            (None, "EXTEND" | "TRIM") => 1,
            (Some(Key::Number(count)), "EXTEND" | "TRIM") => usize::try_from(*count).unwrap_or(0),
            _ => 0,
        };
        match method {
            "DELETE" => match key {
                Some(key) => drop(self.items_mut()?.remove(&key)),
                None => self.items_mut()?.clear(),
            },
            "EXTEND" if !self.indexed => {
                check_size(self.items()?.len().saturating_add(count))?;
                for _ in 0..count {
                    let next = self.next()?;
                    self.items_mut()?.insert(Key::Number(next), Value::Null);
                }
            }
            "TRIM" if !self.indexed => {
                let items = self.items_mut()?;
                if count > items.len() {
                    return Err(OraError::new(6533, "Subscript beyond count"));
                }
                (0..count).for_each(|_| drop(items.pop_last()));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn uninitialized() -> OraError {
    OraError::new(6531, "Reference to uninitialized collection")
}

fn check_size(count: usize) -> Result<(), OraError> {
    if count <= ELEMENTS_MAX {
        return Ok(());
    }
    Err(OraError::new(4030, "out of process memory when trying to allocate a collection"))
}

impl Machine {
    pub(super) fn is_collection(&self, target: &Target) -> bool {
        matches!(target, Target::Variable(name) if self.collections.contains_key(name))
    }

    /// The collection that a name begins with, and the method that may follow.
    fn collection_of<'n>(&self, name: &'n str) -> Option<(&'n str, &'n str)> {
        if self.collections.contains_key(name) {
            return Some((name, ""));
        }
        let (collection, method) = name.rsplit_once('.')?;
        self.collections.contains_key(collection).then_some((collection, method))
    }

    /// Whether an expression by itself is an element of a collection, or asks about one.
    pub(super) fn is_element(&self, expr: &Expr) -> bool {
        let name = match &expr.kind {
            ExprKind::Call(call) => call.name.join("."),
            ExprKind::Name { parts, .. } if parts.len() > 1 => parts.join("."),
            _ => return false,
        };
        self.collection_of(&name).is_some()
    }

    /// What such an expression gives; `None` if it is none.
    pub(super) async fn element(
        &mut self,
        name: &str,
        arguments: &[Argument],
    ) -> Result<Option<ExprKind>, OraError> {
        let Some((collection, method)) = self.collection_of(name) else { return Ok(None) };
        let key = match arguments {
            [] => None,
            [one] => Some(self.key(&one.value).await?),
            _ => return Err(wrong_type()),
        };
        let known = self.collections.get(collection).ok_or_else(wrong_type)?;
        let value = match (method, &key) {
            ("", Some(key)) => known.get(key)?,
            ("", None) => return Err(wrong_type()),
            _ => known.ask(method, key.as_ref())?.ok_or_else(|| no_method(method))?,
        };
        let column_type = match method {
            "" => super::variables::column_type(known.element),
            _ => ColumnType::Number,
        };
        if method == "EXISTS" {
            return Ok(Some(ExprKind::Boolean(value == Value::integer(1))));
        }
        Ok(Some(ExprKind::Literal(value, column_type)))
    }

    /// The same for a check: its type.
    pub(super) fn element_type(&self, name: &str) -> Option<ExprKind> {
        let (collection, method) = self.collection_of(name)?;
        let element = self.collections.get(collection)?.element;
        Some(match method {
            "" => ExprKind::Literal(Value::Null, super::variables::column_type(element)),
            "EXISTS" => ExprKind::Boolean(true),
            _ => ExprKind::Literal(Value::Null, ColumnType::Number),
        })
    }

    async fn key(&mut self, index: &Expr) -> Result<Key, OraError> {
        Ok(match Box::pin(self.evaluate(index)).await? {
            Value::Text(text) => Key::Text(text),
            Value::Null => {
                return Err(OraError::new(
                    6502,
                    "PL/SQL: numeric or value error: NULL index table key value",
                ));
            }
            value => {
                let whole = convert::whole(&value)?;
                Key::Number(whole.ok_or_else(|| super::variables::value_error(""))?)
            }
        })
    }

    /// `c(i) := value`.
    pub(super) async fn assign_element(
        &mut self,
        name: &str,
        index: &Expr,
        value: &Expr,
    ) -> Result<(), OraError> {
        let key = self.key(index).await?;
        let value = self.evaluate(value).await?;
        let element =
            self.collections.get(name).map(|known| known.element).ok_or_else(wrong_type)?;
        let value = self.fitted(value, element).await?;
        let known = self.collections.get_mut(name).ok_or_else(wrong_type)?;
        let indexed = known.indexed;
        let items = known.items_mut()?;
        if !indexed && !items.contains_key(&key) {
            return Err(OraError::new(6533, "Subscript beyond count"));
        }
        check_size(items.len() + 1)?;
        items.insert(key, value);
        Ok(())
    }

    /// `c := t(1, 2)`, `c := d`.
    pub(super) async fn assign_collection(
        &mut self,
        name: &str,
        value: &Expr,
    ) -> Result<(), OraError> {
        let known = self.collections.get(name).cloned().ok_or_else(wrong_type)?;
        let (other, arguments) = called(value);
        if let Some(other) = self.collections.get(&other).filter(|_| arguments.is_empty()) {
            let items = other.items.clone();
            if let Some(known) = self.collections.get_mut(name) {
                known.items = items;
            }
            return Ok(());
        }
        if other != known.type_name || known.indexed || !matches!(value.kind, ExprKind::Call(_)) {
            return Err(wrong_type());
        }
        let mut values = Vec::new();
        for argument in &arguments {
            let value = Box::pin(self.evaluate(&argument.value)).await?;
            values.push(self.fitted(value, known.element).await?);
        }
        if let Some(known) = self.collections.get_mut(name) {
            known.fill(values);
        }
        Ok(())
    }

    /// `c.DELETE`, `c.EXTEND(3)`; false if the name is no collection's.
    pub(super) async fn method(
        &mut self,
        name: &str,
        arguments: &[Argument],
    ) -> Result<bool, OraError> {
        let Some((collection, method)) = self.collection_of(name) else { return Ok(false) };
        let key = match arguments {
            [] => None,
            [one] => Some(self.key(&one.value).await?),
            _ => return Err(OraError::new(3001, "unimplemented feature: a range of elements")),
        };
        let known = self.collections.get_mut(collection).ok_or_else(wrong_type)?;
        if known.change(method, key)? { Ok(true) } else { Err(no_method(method)) }
    }

    /// BULK COLLECT INTO: a collection a column. They are emptied first.
    pub(super) async fn collect(&mut self, rows: &Rows, into: &[Target]) -> Result<(), OraError> {
        let width = rows.columns.len().max(1);
        self.show_count(Some((rows.cells.len() / width) as u64));
        check_size(rows.cells.len() / width)?;
        if width != into.len() {
            return Err(OraError::new(1007, "variable not in select list"));
        }
        for (column, target) in into.iter().enumerate() {
            let values = rows.cells.iter().skip(column).step_by(width).cloned().collect();
            self.fill(target, values).await?;
        }
        Ok(())
    }

    pub(super) async fn fill(
        &mut self,
        target: &Target,
        values: Vec<Value>,
    ) -> Result<(), OraError> {
        let Target::Variable(name) = target else { return Err(wrong_type()) };
        let element =
            self.collections.get(name).map(|known| known.element).ok_or_else(wrong_type)?;
        let mut fitted = Vec::with_capacity(values.len());
        for value in values {
            fitted.push(self.fitted(value, element).await?);
        }
        if let Some(known) = self.collections.get_mut(name) {
            known.fill(fitted);
        }
        Ok(())
    }

    /// A record: its fields become variables.
    pub(super) async fn declare_fields(
        &mut self,
        name: &str,
        fields: &[(String, Declared)],
        saved: &mut Vec<Saved>,
        at: usize,
    ) -> Result<(), OraError> {
        let mut names = Vec::new();
        for (field, declared) in fields {
            let full = format!("{name}.{field}");
            saved.push(self.save(&full));
            let declared = self.resolved(*declared, at).await?;
            let rules = Rules { declared, constant: false, not_null: false };
            self.declare(&full, rules);
            names.push(full);
        }
        self.records.insert(name.to_owned(), names);
        Ok(())
    }

    /// The fields of a record where it alone is the target.
    pub(super) fn spread(&self, into: &[Target]) -> Vec<Target> {
        match into {
            [Target::Variable(name)] => match self.records.get(name) {
                Some(fields) => fields.iter().cloned().map(Target::Variable).collect(),
                None => into.to_vec(),
            },
            _ => into.to_vec(),
        }
    }

    /// The fields of `t%ROWTYPE`: the columns of a table or of a cursor.
    pub(super) async fn row_type(
        &mut self,
        name: &[String],
    ) -> Result<Vec<(String, Declared)>, OraError> {
        let full = name.join(".");
        let columns = match self.cursors.get(&full).cloned() {
            Some(cursor) => self.columns_of(&cursor).await?,
            None => self.described(&every_column(name)).await?,
        };
        let declared = |one: crate::conversation::ResultColumn| {
            (one.name, Declared::Sql(one.column_type, None))
        };
        Ok(columns.into_iter().map(declared).collect())
    }

    /// Puts values where a statement reads elements of collections.
    pub(super) async fn with_elements(
        &mut self,
        mut command: Command,
    ) -> Result<Command, OraError> {
        if self.collections.is_empty() {
            return Ok(command);
        }
        let count = roots(&mut command).len();
        for place in 0..count {
            while let Some((name, arguments)) = self.first_element(&mut command, place) {
                let kind = self.element(&name, &arguments).await?.ok_or_else(wrong_type)?;
                self.put_element(&mut command, place, kind);
            }
        }
        Ok(command)
    }

    /// The same for a check: NULLs of the right type.
    pub(super) fn with_element_types(&self, mut command: Command) -> Command {
        if self.collections.is_empty() {
            return command;
        }
        for place in 0..roots(&mut command).len() {
            while let Some((name, _)) = self.first_element(&mut command, place) {
                let null = ExprKind::Literal(Value::Null, ColumnType::Varchar2(0));
                let kind = self.element_type(&name).unwrap_or(null);
                self.put_element(&mut command, place, kind);
            }
        }
        command
    }

    fn first_element(
        &self,
        command: &mut Command,
        place: usize,
    ) -> Option<(String, Vec<Argument>)> {
        let root = roots(command).into_iter().nth(place)?;
        self.find_element(root).map(|expr| called(expr))
    }

    fn put_element(&self, command: &mut Command, place: usize, kind: ExprKind) {
        let root = roots(command).into_iter().nth(place);
        if let Some(found) = root.and_then(|root| self.find_element(root)) {
            found.kind = kind;
        }
    }

    /// The first element in an expression; those inside its index come first.
    fn find_element<'e>(&self, expr: &'e mut Expr) -> Option<&'e mut Expr> {
        let own = self.is_element(expr);
        let inside = expr.parts_mut().iter_mut().position(|part| self.find_element(part).is_some());
        match inside {
            Some(place) => {
                let part = expr.parts_mut().into_iter().nth(place)?;
                self.find_element(part)
            }
            None => own.then_some(expr),
        }
    }
}

fn no_method(method: &str) -> OraError {
    let text = format!("line 1, column 1:\nPLS-00302: component '{method}' must be declared");
    OraError::new(6550, text)
}

/// `SELECT * FROM t`.
fn every_column(name: &[String]) -> Query {
    let source = crate::sql::ast::Source::Table(name.to_vec());
    let from = crate::sql::ast::From::new(source, None, crate::sql::ast::Join::Comma, 0);
    let select = crate::sql::ast::Select {
        distinct: false,
        items: vec![Item::Star],
        from: vec![from],
        filter: None,
        connect: None,
        group: Vec::new(),
        sets: None,
        having: None,
    };
    let body = Body::Select(Box::new(select));
    Query { with: Vec::new(), body, order: Vec::new(), siblings: false, limit: None }
}

/// The outermost expressions of a statement, without those of its subqueries.
fn roots(command: &mut Command) -> Vec<&mut Expr> {
    match command {
        Command::Dml(dml) => match &mut dml.0 {
            Dml::Insert { source: InsertSource::Values(values), .. } => values.iter_mut().collect(),
            Dml::Insert { source: InsertSource::Query(query), .. } => query_roots(query),
            Dml::Update { set, filter, .. } => {
                set.iter_mut().map(|one| &mut one.2).chain(filter).collect()
            }
            Dml::Delete { filter, .. } => filter.iter_mut().collect(),
            Dml::Merge(_) => Vec::new(),
        },
        Command::Query(query) | Command::SelectForUpdate { query, .. } => query_roots(&mut query.0),
        _ => Vec::new(),
    }
}

fn query_roots(query: &mut Query) -> Vec<&mut Expr> {
    let Body::Select(select) = &mut query.body else { return Vec::new() };
    let items = select.items.iter_mut().filter_map(|item| match item {
        Item::Expr { value, .. } => Some(value),
        Item::Star | Item::TableStar(..) => None,
    });
    let joins = select.from.iter_mut().filter_map(|from| from.on.as_mut());
    items.chain(joins).chain(&mut select.filter).chain(&mut select.having).collect()
}

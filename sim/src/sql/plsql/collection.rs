//! Collections of scalars, and records, whose fields are variables. A collection of records has no values of its own:
//! it knows which elements there are, and beside it stands a collection for each field.

use std::collections::BTreeMap;

use super::machine::{Machine, wrong_type};
use super::statement::called;
use super::variables::{Rules, Saved};
use crate::ora::OraError;
use crate::sql::ast::{
    Argument, Body, DeclarationKind, Declared, Expr, ExprKind, IndexBy, Item, Query,
};
use crate::sql::dml::Target;
use crate::sql::evaluate::convert;
use crate::sql::query::Rows;
use crate::value::{ColumnType, Value};

/// The most elements of one collection: some hundred megabytes.
const ELEMENTS_MAX: usize = 1_000_000;
/// What the texts of one collection may take besides.
const BYTES_MAX: usize = 64 * 1_024 * 1_024;

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
    /// Without INDEX BY there are a constructor and EXTEND.
    index: Option<IndexBy>,
    /// `None` before the constructor.
    items: Option<BTreeMap<Key, Value>>,
    /// Of the texts.
    bytes: usize,
}

fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Raw(raw) => raw.len(),
        _ => 0,
    }
}

impl Collection {
    pub(super) fn new(type_name: &str, element: Declared, index: Option<IndexBy>) -> Self {
        let items = index.map(|_| BTreeMap::new());
        Self { type_name: type_name.to_owned(), element, index, items, bytes: 0 }
    }

    /// A client's array: it has no type of its own.
    pub(super) fn of_array(element: Declared, elements: Vec<Value>) -> Self {
        let bytes = elements.iter().map(bytes_of).sum();
        let items = (1..).map(Key::Number).zip(elements).collect();
        let index = Some(IndexBy::Number);
        Self { type_name: String::new(), element, index, items: Some(items), bytes }
    }

    fn items(&self) -> Result<&BTreeMap<Key, Value>, OraError> {
        self.items.as_ref().ok_or_else(uninitialized)
    }

    fn items_mut(&mut self) -> Result<&mut BTreeMap<Key, Value>, OraError> {
        self.items.as_mut().ok_or_else(uninitialized)
    }

    fn fill(&mut self, values: Vec<Value>) -> Result<(), OraError> {
        let bytes = values.iter().map(bytes_of).sum();
        check_size(values.len(), bytes)?;
        self.bytes = bytes;
        self.items = Some((1..).map(Key::Number).zip(values).collect());
        Ok(())
    }

    /// The elements from 1 to the last, with NULL for what is not there. ORA-06513 if the client has no room for one.
    pub(super) fn dense(&self, room: usize) -> Result<Vec<Value>, OraError> {
        let items = self.items()?;
        let place = |key: &Key| match key {
            Key::Number(number) => {
                usize::try_from(*number).ok().filter(|at| (1..=room).contains(at))
            }
            Key::Text(_) => None,
        };
        let last = items.keys().next_back().map_or(Some(0), place);
        let (Some(last), true) = (last, items.keys().all(|key| place(key).is_some())) else {
            let text = "PL/SQL: index for PL/SQL table out of range for host language array";
            return Err(OraError::new(6513, text));
        };
        check_size(last, self.bytes)?;
        let mut values = vec![Value::Null; last];
        for (key, value) in items {
            if let Some(at) = place(key) {
                values[at - 1] = value.clone();
            }
        }
        Ok(values)
    }

    fn put(&mut self, key: Key, value: Value) -> Result<(), OraError> {
        let count = self.items()?.len() + 1;
        self.bytes += bytes_of(&value);
        let before = self.items_mut()?.insert(key, value);
        self.bytes -= before.as_ref().map_or(0, bytes_of);
        check_size(count, self.bytes)
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
            if self.index.is_some() {
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
            "DELETE" => {
                let items = self.items_mut()?;
                let gone: usize = match key {
                    Some(key) => items.remove(&key).as_ref().map_or(0, bytes_of),
                    None => std::mem::take(items).values().map(bytes_of).sum(),
                };
                self.bytes -= gone;
            }
            "EXTEND" if self.index.is_none() => {
                check_size(self.items()?.len().saturating_add(count), self.bytes)?;
                for _ in 0..count {
                    let next = self.next()?;
                    self.items_mut()?.insert(Key::Number(next), Value::Null);
                }
            }
            "TRIM" if self.index.is_none() => {
                if count > self.items()?.len() {
                    return Err(OraError::new(6533, "Subscript beyond count"));
                }
                for _ in 0..count {
                    let gone = self.items_mut()?.pop_last();
                    self.bytes -= gone.map_or(0, |(_, value)| bytes_of(&value));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn uninitialized() -> OraError {
    OraError::new(6531, "Reference to uninitialized collection")
}

fn check_size(count: usize, bytes: usize) -> Result<(), OraError> {
    if count <= ELEMENTS_MAX && bytes <= BYTES_MAX {
        return Ok(());
    }
    Err(OraError::new(4030, "out of process memory when trying to allocate a collection"))
}

impl Machine {
    pub(super) fn is_collection(&self, target: &Target) -> bool {
        self.collections.contains_key(&named(target))
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
            [one] => Some(self.argument_of(collection, method, &one.value).await?),
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

    /// The number of EXTEND and TRIM, or the index of an element.
    async fn argument_of(
        &mut self,
        collection: &str,
        method: &str,
        argument: &Expr,
    ) -> Result<Key, OraError> {
        let index = self.collections.get(collection).and_then(|known| known.index);
        let counts = matches!(method, "EXTEND" | "TRIM");
        self.key(argument, if counts { None } else { index }).await
    }

    /// What an element is found by: of the type that the collection is indexed by.
    async fn key(&mut self, index: &Expr, by: Option<IndexBy>) -> Result<Key, OraError> {
        let value = Box::pin(self.evaluate(index)).await?;
        if value.is_null() {
            let text = "PL/SQL: numeric or value error: NULL index table key value";
            return Err(OraError::new(6502, text));
        }
        let declared = match by {
            Some(IndexBy::Text) => Declared::Sql(ColumnType::Varchar2(32_767), None),
            Some(IndexBy::Number) | None => Declared::Integer(i32::MIN, i32::MAX),
        };
        match self.fitted(value, declared).await? {
            Value::Text(text) => Ok(Key::Text(text)),
            value => {
                let whole = convert::whole(&value)?;
                whole.map(Key::Number).ok_or_else(|| super::variables::value_error(""))
            }
        }
    }

    /// `c(i) := value`.
    pub(super) async fn assign_element(
        &mut self,
        name: &str,
        index: &Expr,
        value: &Expr,
    ) -> Result<(), OraError> {
        let by = self.collections.get(name).and_then(|known| known.index);
        let key = self.key(index, by).await?;
        if self.records.contains_key(name) {
            return self.assign_record(name, &key, value);
        }
        let value = self.evaluate(value).await?;
        let element =
            self.collections.get(name).map(|known| known.element).ok_or_else(wrong_type)?;
        let value = self.fitted(value, element).await?;
        self.make_element(name, &key)?;
        self.collections.get_mut(name).ok_or_else(wrong_type)?.put(key, value)
    }

    /// Makes room for an element; in a collection of records, for all of its fields.
    fn make_element(&mut self, name: &str, key: &Key) -> Result<(), OraError> {
        let whole = name.rsplit_once('.').map(|(whole, _)| whole);
        let whole = whole.filter(|whole| self.records.contains_key(*whole)).unwrap_or(name);
        let fields = self.records.get(whole).cloned().unwrap_or_default();
        for one in fields.iter().map(String::as_str).chain([whole]) {
            let known = self.collections.get_mut(one).ok_or_else(wrong_type)?;
            if known.items()?.contains_key(key) {
                continue;
            }
            if known.index.is_none() {
                return Err(OraError::new(6533, "Subscript beyond count"));
            }
            known.put(key.clone(), Value::Null)?;
        }
        Ok(())
    }

    /// `l(i) := r`.
    fn assign_record(&mut self, name: &str, key: &Key, value: &Expr) -> Result<(), OraError> {
        let ExprKind::Name { parts, .. } = &value.kind else { return Err(wrong_type()) };
        let given = self.records.get(&parts.join(".")).cloned().ok_or_else(wrong_type)?;
        let fields = self.records.get(name).cloned().unwrap_or_default();
        if given.len() != fields.len() {
            return Err(wrong_type());
        }
        self.make_element(name, key)?;
        for (field, from) in fields.iter().zip(given) {
            let value = self.inputs.variables.get(&from).map(|input| input.value.clone());
            let known = self.collections.get_mut(field).ok_or_else(wrong_type)?;
            known.put(key.clone(), value.ok_or_else(wrong_type)?)?;
        }
        Ok(())
    }

    /// Whether a name is that of a collection or a record.
    pub(super) fn is_whole(&self, name: &str) -> bool {
        self.collections.contains_key(name) || self.records.contains_key(name)
    }

    /// An assignment to one of them.
    pub(super) async fn assign_whole(&mut self, name: &str, value: &Expr) -> Result<(), OraError> {
        if self.collections.contains_key(name) {
            return self.assign_collection(name, value).await;
        }
        self.copy_record(name, value).await
    }

    /// `r := l(i)`, `r := s`.
    async fn copy_record(&mut self, name: &str, from: &Expr) -> Result<(), OraError> {
        let (other, arguments) = called(from);
        let given = self.records.get(&other).cloned().ok_or_else(wrong_type)?;
        let fields = self.records.get(name).cloned().unwrap_or_default();
        if given.len() != fields.len() {
            return Err(wrong_type());
        }
        let key = match arguments.as_slice() {
            [] => None,
            [one] => Some(self.argument_of(&other, "", &one.value).await?),
            _ => return Err(wrong_type()),
        };
        for (field, from) in fields.into_iter().zip(&given) {
            let value = if let Some(key) = &key {
                self.collections.get(from).ok_or_else(wrong_type)?.get(key)?
            } else {
                let input = self.inputs.variables.get(from);
                input.map(|input| input.value.clone()).ok_or_else(wrong_type)?
            };
            self.assign(&Target::Variable(field), value).await?;
        }
        Ok(())
    }

    /// `c := t(1, 2)`, `c := d`.
    pub(super) async fn assign_collection(
        &mut self,
        name: &str,
        value: &Expr,
    ) -> Result<(), OraError> {
        let known = self.collections.get(name).ok_or_else(wrong_type)?;
        let (type_name, index, element) = (known.type_name.clone(), known.index, known.element);
        let (other, arguments) = called(value);
        if let Some(from) = self.collections.get(&other).filter(|_| arguments.is_empty()) {
            if from.type_name != type_name {
                // An array of the client's goes into any table with numbers.
                let values = from.dense(usize::MAX)?;
                let host = [&type_name, &from.type_name].iter().any(|one| one.is_empty());
                let numbers = [index, from.index].iter().all(|by| *by == Some(IndexBy::Number));
                if !host || !numbers || self.records.contains_key(name) {
                    return Err(wrong_type());
                }
                return self.fill_named(name, values).await;
            }
            return self.copy_collection(name, &other);
        }
        if other != type_name || index.is_some() || !matches!(value.kind, ExprKind::Call(_)) {
            return Err(wrong_type());
        }
        if self.records.contains_key(name) && !arguments.is_empty() {
            return Err(OraError::new(3001, "unimplemented feature: a constructor of records"));
        }
        for field in self.records.get(name).cloned().unwrap_or_default() {
            self.collections.get_mut(&field).ok_or_else(wrong_type)?.fill(Vec::new())?;
        }
        let mut values = Vec::new();
        for argument in &arguments {
            let value = Box::pin(self.evaluate(&argument.value)).await?;
            values.push(self.fitted(value, element).await?);
        }
        self.collections.get_mut(name).ok_or_else(wrong_type)?.fill(values)
    }

    /// `c := d`, with the fields of records.
    fn copy_collection(&mut self, name: &str, from: &str) -> Result<(), OraError> {
        let all = |name: &str| {
            let fields = self.records.get(name).cloned().unwrap_or_default();
            fields.into_iter().chain([name.to_owned()]).collect::<Vec<String>>()
        };
        for (to, from) in all(name).into_iter().zip(all(from)) {
            let (items, bytes) = match self.collections.get(&from) {
                Some(from) => (from.items.clone(), from.bytes),
                None => return Err(wrong_type()),
            };
            let known = self.collections.get_mut(&to).ok_or_else(wrong_type)?;
            (known.items, known.bytes) = (items, bytes);
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
            [one] => Some(self.argument_of(collection, method, &one.value).await?),
            _ => return Err(OraError::new(3001, "unimplemented feature: a range of elements")),
        };
        let fields = self.records.get(collection).cloned().unwrap_or_default();
        for one in fields.iter().map(String::as_str).chain([collection]) {
            let known = self.collections.get_mut(one).ok_or_else(wrong_type)?;
            if !known.change(method, key.clone())? {
                return Err(no_method(method));
            }
        }
        Ok(true)
    }

    /// BULK COLLECT INTO: a collection a column. They are emptied first.
    pub(super) async fn collect(&mut self, rows: &Rows, into: &[Target]) -> Result<(), OraError> {
        let width = rows.columns.len().max(1);
        let count = rows.cells.len() / width;
        self.show_count(Some(count as u64));
        check_size(count, 0)?;
        let fields = self.spread(into);
        if width != fields.len() {
            return Err(OraError::new(1007, "variable not in select list"));
        }
        for (column, target) in fields.iter().enumerate() {
            let values = rows.cells.iter().skip(column).step_by(width).cloned().collect();
            self.fill(target, values).await?;
        }
        match into {
            [whole] if *into != fields => self.fill(whole, vec![Value::Null; count]).await,
            _ => Ok(()),
        }
    }

    pub(super) async fn fill(
        &mut self,
        target: &Target,
        values: Vec<Value>,
    ) -> Result<(), OraError> {
        self.fill_named(&named(target), values).await
    }

    async fn fill_named(&mut self, name: &str, values: Vec<Value>) -> Result<(), OraError> {
        let element =
            self.collections.get(name).map(|known| known.element).ok_or_else(wrong_type)?;
        let mut fitted = Vec::with_capacity(values.len());
        for value in values {
            fitted.push(self.fitted(value, element).await?);
        }
        self.collections.get_mut(name).ok_or_else(wrong_type)?.fill(fitted)
    }

    /// A collection of records: one for each field.
    pub(super) async fn declare_columns(
        &mut self,
        name: &str,
        record: &DeclarationKind,
        index: Option<IndexBy>,
        saved: &mut Vec<Saved>,
        at: usize,
    ) -> Result<(), OraError> {
        let fields = match record {
            DeclarationKind::Record(fields) => fields.clone(),
            DeclarationKind::RowType(table) => self.row_type(table).await?,
            _ => return Err(wrong_type()),
        };
        let mut names = Vec::new();
        for (field, declared) in fields {
            let full = format!("{name}.{field}");
            saved.push(self.save(&full));
            let declared = self.resolved(declared, at).await?;
            self.collections.insert(full.clone(), Collection::new("", declared, index));
            names.push(full);
        }
        self.records.insert(name.to_owned(), names);
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
}

/// What the collection is called that a target may be.
pub(super) fn named(target: &Target) -> String {
    match target {
        Target::Variable(name) => name.clone(),
        Target::Bind(place) => super::array::name(*place),
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

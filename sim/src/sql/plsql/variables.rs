//! The variables of a block and what may be put into them.

use super::collection::Collection;
use super::desk::{Answer, Request};
use super::machine::{Cursor, Machine, wrong_type};
use crate::ora::OraError;
use crate::sql::ast::Declared;
use crate::sql::dml::Target;
use crate::sql::evaluate::convert;
use crate::sql::number;
use crate::sql::query::Input;
use crate::value::{ColumnType, Digits, Value};

/// A declaration that lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) declared: Declared,
    pub(super) constant: bool,
    pub(super) not_null: bool,
}

/// What a name meant before a block took it.
pub(super) struct Saved {
    name: String,
    input: Option<Input>,
    rules: Option<Rules>,
    exception: Option<u32>,
    cursor: Option<Cursor>,
    collection: Option<Collection>,
    record: Option<Vec<String>>,
}

pub(super) fn column_type(declared: Declared) -> ColumnType {
    match declared {
        Declared::Sql(column_type, _) => column_type,
        Declared::Integer(..) | Declared::Boolean => ColumnType::Number,
        Declared::Anything | Declared::Like(_) => ColumnType::Varchar2(32_767),
    }
}

/// ORA-06502 with a reason.
pub(super) fn value_error(reason: &str) -> OraError {
    OraError::new(6502, format!("PL/SQL: numeric or value error{reason}"))
}

impl Machine {
    /// Remembers what a name means, and forgets it.
    pub(super) fn save(&mut self, name: &str) -> Saved {
        Saved {
            name: name.to_owned(),
            input: self.inputs_mut().variables.remove(name),
            rules: self.rules.remove(name),
            exception: self.exceptions.remove(name),
            cursor: self.cursors.remove(name),
            collection: self.collections.remove(name),
            record: self.records.remove(name),
        }
    }

    /// Gives names back what they meant.
    pub(super) fn restore(&mut self, saved: Vec<Saved>) {
        for one in saved.into_iter().rev() {
            let Saved { name, input, rules, exception, cursor, collection, record } = one;
            put(&mut self.collections, &name, collection);
            put(&mut self.records, &name, record);
            put(&mut self.inputs_mut().variables, &name, input);
            put(&mut self.rules, &name, rules);
            put(&mut self.exceptions, &name, exception);
            put(&mut self.cursors, &name, cursor);
        }
    }

    /// A variable without a value.
    pub(super) fn declare(&mut self, name: &str, rules: Rules) {
        let input = Input { column_type: column_type(rules.declared), value: Value::Null };
        self.inputs_mut().variables.insert(name.to_owned(), input);
        self.rules.insert(name.to_owned(), rules);
    }

    /// The type behind `x%TYPE`: a variable's, or a column's. The error is ORA-06550.
    pub(super) async fn resolved(
        &mut self,
        declared: Declared,
        at: usize,
    ) -> Result<Declared, OraError> {
        let Declared::Like(place) = declared else { return Ok(declared) };
        let parts = self.likes.get(place).cloned().unwrap_or_default();
        let name = parts.join(".");
        if let Some(rules) = self.rules.get(&name) {
            return Ok(rules.declared);
        }
        let missing = |text: String| OraError::new(6550, text).at(at);
        let undeclared = format!("PLS-00201: identifier '{name}' must be declared");
        let Some((column, table @ [_, ..])) = parts.split_last() else {
            return Err(missing(undeclared));
        };
        let fields = Box::pin(self.row_type(table)).await.map_err(|_| missing(undeclared))?;
        let found = fields.into_iter().find(|(field, _)| field == column);
        found
            .map(|(_, declared)| declared)
            .ok_or_else(|| missing(format!("PLS-00302: component '{column}' must be declared")))
    }

    /// A variable that the block itself sets: a loop's index, a field of a cursor loop's record.
    pub(super) fn set(&mut self, name: &str, column_type: ColumnType, value: Value) {
        let input = Input { column_type, value };
        self.inputs_mut().variables.insert(name.to_owned(), input);
    }

    /// `target := value`.
    pub(super) async fn assign(&mut self, target: &Target, value: Value) -> Result<(), OraError> {
        match target {
            Target::Bind(place)
                if self.cursor_binds.contains(place) || self.array_binds.contains_key(place) =>
            {
                return Err(wrong_type());
            }
            Target::Bind(place) => {
                let column_type = self.inputs.binds.get(*place).map(|input| input.column_type);
                let column_type =
                    column_type.ok_or_else(|| OraError::new(1008, "not all variables bound"))?;
                // A client that says nothing about the size of an OUT bind gets all of the value.
                let declared = match column_type {
                    ColumnType::Varchar2(0) | ColumnType::Char(0) => {
                        Declared::Sql(ColumnType::Varchar2(32_767), None)
                    }
                    other => Declared::Sql(other, None),
                };
                let value = self.fitted(value, declared).await?;
                self.inputs_mut().binds[*place].value = value;
            }
            Target::Variable(name) => {
                let rules = self.rules.get(name).copied();
                let value = match rules {
                    Some(rules) if rules.not_null && value.is_null() => {
                        return Err(value_error(""));
                    }
                    Some(rules) => self.fitted(value, rules.declared).await?,
                    None => value,
                };
                let anything = rules.is_none_or(|rules| rules.declared == Declared::Anything);
                if let Some(input) = self.inputs_mut().variables.get_mut(name) {
                    if anything {
                        input.column_type = type_of(&value);
                    }
                    input.value = value;
                }
            }
        }
        Ok(())
    }

    /// The value as a variable of that type holds it.
    pub(super) async fn fitted(
        &mut self,
        value: Value,
        declared: Declared,
    ) -> Result<Value, OraError> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        match declared {
            Declared::Anything | Declared::Like(_) => Ok(value),
            Declared::Boolean => integer(&value, 0, 1),
            Declared::Integer(least, most) => integer(&value, least, most),
            Declared::Sql(ColumnType::Varchar2(bytes) | ColumnType::Char(bytes), _) => {
                // LONG cuts nothing off.
                let text = self.converted(value, ColumnType::Long, None).await?;
                if matches!(&text, Value::Text(text) if text.len() > bytes as usize) {
                    return Err(value_error(": character string buffer too small"));
                }
                if let (Declared::Sql(char @ ColumnType::Char(_), _), Value::Text(_)) =
                    (declared, &text)
                {
                    return self.converted(text, char, None).await;
                }
                Ok(text)
            }
            Declared::Sql(ColumnType::Raw(bytes), _) => {
                let raw = self.converted(value, ColumnType::Raw(bytes), None).await?;
                if matches!(&raw, Value::Raw(raw) if raw.len() > bytes as usize) {
                    return Err(value_error(": raw variable length too long"));
                }
                Ok(raw)
            }
            Declared::Sql(column_type, digits) => self.converted(value, column_type, digits).await,
        }
    }

    async fn converted(
        &mut self,
        value: Value,
        to: ColumnType,
        digits: Option<Digits>,
    ) -> Result<Value, OraError> {
        match self.ask(Request::Convert(value, to, digits)).await {
            Ok(Answer::Value(value)) => Ok(value),
            Ok(_) => Ok(Value::Null),
            Err(error) if error.code == 1722 => Err(conversion()),
            Err(error) if error.code == 1438 => Err(value_error(": number precision too large")),
            Err(error) => Err(error),
        }
    }
}

/// A whole number within bounds; PLS_INTEGER overflows, its subtypes do not take the value.
fn integer(value: &Value, least: i32, most: i32) -> Result<Value, OraError> {
    let number = convert::number(value).map_err(|_| conversion())?;
    let Some(number) = number.map(|number| number::round(number, 0)) else {
        return Ok(Value::Null);
    };
    let whole = number.to_i64().and_then(|number| i32::try_from(number).ok());
    let whole = whole.ok_or_else(|| OraError::new(1426, "numeric overflow"))?;
    if (least..=most).contains(&whole) { Ok(Value::Number(number)) } else { Err(value_error("")) }
}

fn conversion() -> OraError {
    value_error(": character to number conversion error")
}

fn put<T>(map: &mut std::collections::BTreeMap<String, T>, name: &str, value: Option<T>) {
    match value {
        Some(value) => drop(map.insert(name.to_owned(), value)),
        None => drop(map.remove(name)),
    }
}

/// The type that a value has by itself.
pub(super) fn type_of(value: &Value) -> ColumnType {
    match value {
        Value::Null => ColumnType::Varchar2(0),
        Value::Number(_) => ColumnType::Number,
        Value::Text(text) => ColumnType::Varchar2(u32::try_from(text.len()).unwrap_or(32_767)),
        Value::Date(_) => ColumnType::Date,
        Value::Timestamp { .. } => ColumnType::Timestamp,
        Value::TimestampTz { .. } => ColumnType::TimestampTz,
        Value::IntervalDs(_) => ColumnType::IntervalDs,
        Value::IntervalYm(_) => ColumnType::IntervalYm,
        Value::Raw(bytes) => ColumnType::Raw(u32::try_from(bytes.len()).unwrap_or(2000)),
        Value::RowId(_) => ColumnType::RowId,
        Value::Double(_) => ColumnType::BinaryDouble,
    }
}

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
use crate::value::{ColumnType, Value};

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
        Declared::Integer | Declared::Boolean => ColumnType::Number,
        Declared::Anything => ColumnType::Varchar2(32_767),
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
            input: self.inputs.variables.remove(name),
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
            put(&mut self.inputs.variables, &name, input);
            put(&mut self.rules, &name, rules);
            put(&mut self.exceptions, &name, exception);
            put(&mut self.cursors, &name, cursor);
        }
    }

    /// A variable without a value.
    pub(super) fn declare(&mut self, name: &str, rules: Rules) {
        let input = Input { column_type: column_type(rules.declared), value: Value::Null };
        self.inputs.variables.insert(name.to_owned(), input);
        self.rules.insert(name.to_owned(), rules);
    }

    /// A variable that the block itself sets: a loop's index, a field of a cursor loop's record.
    pub(super) fn set(&mut self, name: &str, column_type: ColumnType, value: Value) {
        self.inputs.variables.insert(name.to_owned(), Input { column_type, value });
    }

    /// `target := value`.
    pub(super) async fn assign(&mut self, target: &Target, value: Value) -> Result<(), OraError> {
        match target {
            Target::Bind(place) if self.cursor_binds.contains(place) => return Err(wrong_type()),
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
                self.inputs.binds[*place].value = value;
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
                if let Some(input) = self.inputs.variables.get_mut(name) {
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
            Declared::Anything => Ok(value),
            Declared::Boolean | Declared::Integer => {
                let whole = convert::number(&value).map_err(|_| conversion())?;
                let whole = whole.map(|number| number::round(number, 0));
                if whole.is_some_and(|number| {
                    number.to_i64().is_none_or(|number| i32::try_from(number).is_err())
                }) {
                    return Err(OraError::new(1426, "numeric overflow"));
                }
                Ok(whole.map_or(Value::Null, Value::Number))
            }
            Declared::Sql(ColumnType::Varchar2(bytes) | ColumnType::Char(bytes), _) => {
                let text = self.converted(value, ColumnType::Varchar2(32_767), None).await?;
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
            Declared::Sql(column_type, scale) => self.converted(value, column_type, scale).await,
        }
    }

    async fn converted(
        &mut self,
        value: Value,
        to: ColumnType,
        scale: Option<i32>,
    ) -> Result<Value, OraError> {
        match self.ask(Request::Convert(value, to, scale)).await {
            Ok(Answer::Value(value)) => Ok(value),
            Ok(_) => Ok(Value::Null),
            Err(error) if error.code == 1722 => Err(conversion()),
            Err(error) => Err(error),
        }
    }
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

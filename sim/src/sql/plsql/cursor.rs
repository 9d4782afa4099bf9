//! Cursors of a block: their parameters are variables while the query runs, and while it is looked at.

use super::machine::{Cursor, Machine};
use super::variables::{Rules, Saved};
use crate::conversation::ResultColumn;
use crate::ora::OraError;
use crate::sql::ast::{Argument, Declared, Query};
use crate::sql::dml::Target;
use crate::sql::query::Rows;

impl Machine {
    /// A cursor that is not open.
    pub(super) fn declare_cursor(
        &mut self,
        name: &str,
        query: Option<&Query>,
        parameters: &[(String, Declared)],
    ) {
        let (query, parameters) = (query.cloned(), parameters.to_vec());
        self.cursors.insert(name.to_owned(), Cursor { query, parameters, open: None });
        self.show_cursor(name, None);
    }

    /// The parameters as variables without values.
    async fn with_parameters(&mut self, cursor: &Cursor) -> Result<Vec<Saved>, OraError> {
        let mut saved = Vec::new();
        for (name, declared) in &cursor.parameters {
            let declared = self.resolved(*declared, 0).await?;
            saved.push(self.save(name));
            self.declare(name, Rules { declared, constant: false, not_null: false });
        }
        Ok(saved)
    }

    /// What a cursor gives.
    pub(super) async fn columns_of(
        &mut self,
        cursor: &Cursor,
    ) -> Result<Vec<ResultColumn>, OraError> {
        let query = cursor.query.as_ref().ok_or_else(wrong_kind)?;
        let saved = self.with_parameters(cursor).await?;
        let columns = self.described(query).await;
        self.restore(saved);
        columns
    }

    /// The rows of a cursor that is opened with these arguments.
    pub(super) async fn rows_of(
        &mut self,
        name: &str,
        arguments: &[Argument],
    ) -> Result<Rows, OraError> {
        let cursor = self.cursors.get(name).cloned();
        let cursor = cursor.ok_or_else(|| OraError::new(1001, "invalid cursor"))?;
        let mut values = Vec::new();
        for argument in arguments {
            values.push(Box::pin(self.evaluate(&argument.value)).await?);
        }
        let saved = self.with_parameters(&cursor).await?;
        let rows = self.filled(&cursor, values).await;
        self.restore(saved);
        rows
    }

    async fn filled(
        &mut self,
        cursor: &Cursor,
        values: Vec<crate::value::Value>,
    ) -> Result<Rows, OraError> {
        for ((name, _), value) in cursor.parameters.iter().zip(values) {
            self.assign(&Target::Variable(name.clone()), value).await?;
        }
        match &cursor.query {
            Some(query) => self.rows(query).await,
            None => Err(OraError::new(1001, "invalid cursor")),
        }
    }

    /// OPEN FOR: what the client or the block is to fetch. A reference that is open already is opened anew.
    pub(super) fn opened_for(&mut self, target: &Target, rows: Rows) {
        match target {
            Target::Bind(place) => drop(self.opened.insert(*place, rows)),
            Target::Variable(name) => {
                if let Some(cursor) = self.cursors.get_mut(name) {
                    cursor.open = Some((rows, 0));
                }
                self.show_cursor(name, None);
            }
        }
    }

    /// Whether a target can be opened FOR something.
    pub(super) fn check_reference(&self, target: &Target, at: usize) -> Result<(), OraError> {
        let Target::Variable(name) = target else { return Ok(()) };
        self.check_cursor(name, at)?;
        match self.cursors.get(name) {
            Some(cursor) if cursor.query.is_some() => Err(wrong_kind().at(at)),
            _ => Ok(()),
        }
    }
}

/// A reference where a cursor was due, or the other way about.
pub(super) fn wrong_kind() -> OraError {
    OraError::new(6550, "PLS-00382: expression is of wrong type")
}

//! A query of WITH, which may read itself: `t (n) AS (SELECT 1 … UNION ALL SELECT n + 1 FROM t …)`.

use super::block::view_columns;
use super::plan::set_columns;
use super::{Compiler, Ctes, Scope};
use crate::ora::OraError;
use crate::sql::ast::{self, SetOperator, Source};
use crate::sql::code::{Body, Feed, Plan};

impl Compiler<'_> {
    /// The plan of one query of WITH, and whether it reads columns of the blocks around it.
    pub(super) fn cte(
        &self,
        entry: &Ctes<'_>,
        at: usize,
        parent: Option<&Scope<'_>>,
    ) -> Result<(Plan, bool), OraError> {
        let cte = entry.cte;
        let ast::Body::Set { operator: SetOperator::UnionAll, left, right, at: place } =
            &cte.query.body
        else {
            return self.plan(&cte.query, parent, entry.parent);
        };
        if !cte.query.with.is_empty() || !reads(right, &cte.name) {
            return self.plan(&cte.query, parent, entry.parent);
        }
        if cte.columns.is_empty() {
            let text = "recursive WITH clause must have column alias list";
            return Err(OraError::new(32039, text).at(at));
        }
        if !cte.query.order.is_empty() || cte.query.limit.is_some() {
            return Err(OraError::new(3001, "unimplemented feature").at(at));
        }
        let (anchor, correlated) = self.body(left, parent, entry.parent)?;
        check_names(&cte.columns, anchor.columns.len(), at)?;
        let mut columns = view_columns(&anchor.columns, &cte.columns);
        for column in &mut columns {
            column.nullable = true;
        }
        let own = (columns, Feed::default());
        let inside = Ctes { parent: entry.parent, cte, own: Some(&own) };
        let (member, _) = self.body(right, parent, Some(&inside))?;
        let mut columns = set_columns(&anchor.columns, &member.columns, *place)?;
        for column in &mut columns {
            column.nullable = true;
        }
        let (anchor, member) = (Box::new(anchor), Box::new(member));
        let body = Body::Recursive { anchor, member, feed: own.1 };
        // The member counts as correlated because of itself, so blocks around it may be read too.
        let correlated = correlated || parent.is_some();
        Ok((Plan { columns, body, order: Vec::new(), limit: None }, correlated))
    }
}

/// Whether FROM names the query itself.
fn reads(body: &ast::Body, name: &str) -> bool {
    let ast::Body::Select(select) = body else { return false };
    select.from.iter().any(|from| matches!(&from.source, Source::Table(parts) if *parts == [name]))
}

/// ORA-32038 unless there are as many names as columns, or none.
pub(super) fn check_names(names: &[String], columns: usize, at: usize) -> Result<(), OraError> {
    if names.is_empty() || names.len() == columns {
        return Ok(());
    }
    let text =
        "number of WITH clause column names does not match number of elements in select list";
    Err(OraError::new(32038, text).at(at))
}

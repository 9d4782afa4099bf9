//! SELECT.

use super::{LINKS_MAX, Parser};
use crate::conversation::Release;
use crate::ora::OraError;
use crate::sql::ast::{
    Body, Connect, Cte, Expr, From, Item, Join, Limit, Query, Select, SetOperator, Source,
};
use crate::sql::dml::Target;
use crate::sql::statement::{LockWait, NamedTable, RowLocks};

/// Words that end the FROM item before them, so they are no alias.
const AFTER_TABLE: [&str; 16] = [
    "JOIN",
    "INNER",
    "LEFT",
    "RIGHT",
    "FULL",
    "CROSS",
    "NATURAL",
    "USING",
    "FETCH",
    "OFFSET",
    "LOG",
    "PIVOT",
    "UNPIVOT",
    "RETURNING",
    "RETURN",
    "LOOP",
];

/// Words that end a select item, so they are no alias.
const AFTER_ITEM: [&str; 2] = ["BULK", "RETURNING"];

impl Parser {
    /// A query with everything that can follow it except FOR UPDATE.
    pub(crate) fn query(&mut self) -> Result<Query, OraError> {
        self.nested_statement(|parser| parser.query_into(&mut None))
    }

    /// A query; `into` takes the targets of SELECT … INTO, where PL/SQL allows them.
    pub(super) fn query_into(
        &mut self,
        into: &mut Option<(Vec<Target>, bool)>,
    ) -> Result<Query, OraError> {
        let with = if self.accept("WITH") { self.ctes()? } else { Vec::new() };
        let body = self.compound(into)?;
        let mut siblings = false;
        let order = if self.accept("ORDER") {
            siblings = self.accept("SIBLINGS");
            self.need("BY", 924, "missing BY keyword")?;
            self.order_items()?
        } else {
            Vec::new()
        };
        let limit = self.limit()?;
        Ok(Query { with, body, order, siblings, limit })
    }

    fn ctes(&mut self) -> Result<Vec<Cte>, OraError> {
        let mut ctes = Vec::new();
        loop {
            if self.is_any(&["FUNCTION", "PROCEDURE"]) {
                return Err(self.error(3001, "unimplemented feature"));
            }
            let name = self.name(903, "invalid table name")?;
            let mut columns = Vec::new();
            if self.accept_symbol("(") {
                loop {
                    columns.push(self.name(904, ": invalid identifier")?);
                    if !self.accept_symbol(",") {
                        break;
                    }
                }
                self.close()?;
            }
            self.need("AS", 905, "missing keyword")?;
            self.open()?;
            let query = self.query()?;
            self.close()?;
            if self.is_any(&["SEARCH", "CYCLE"]) {
                return Err(self.error(3001, "unimplemented feature"));
            }
            ctes.push(Cte { name, columns, query });
            if !self.accept_symbol(",") {
                return Ok(ctes);
            }
        }
    }

    fn compound(&mut self, into: &mut Option<(Vec<Target>, bool)>) -> Result<Body, OraError> {
        let mut left = self.operand(into)?;
        let mut members = 1;
        loop {
            let at = self.place();
            let except = self.is_except();
            let operator = match self.accept_any(&["UNION", "MINUS", "INTERSECT"]) {
                None if except => {
                    self.bump();
                    SetOperator::Minus
                }
                Some("UNION") if self.accept("ALL") => SetOperator::UnionAll,
                Some("UNION") => SetOperator::Union,
                Some("INTERSECT") => SetOperator::Intersect,
                Some(_) => SetOperator::Minus,
                None => return Ok(left),
            };
            members += 1;
            if members > LINKS_MAX {
                return Err(self.error(36, "maximum number of recursive SQL levels exceeded"));
            }
            let right = self.operand(&mut None)?;
            left = Body::Set { operator, left: Box::new(left), right: Box::new(right), at };
        }
    }

    /// EXCEPT, which is a word like others before 21c.
    fn is_except(&self) -> bool {
        self.release >= Release::R23 && self.is("EXCEPT")
    }

    fn operand(&mut self, into: &mut Option<(Vec<Target>, bool)>) -> Result<Body, OraError> {
        if self.accept_symbol("(") {
            let query = self.query()?;
            self.close()?;
            return Ok(Body::Nested(Box::new(query)));
        }
        self.need("SELECT", 928, "missing SELECT keyword")?;
        Ok(Body::Select(Box::new(self.select(into)?)))
    }

    fn select(&mut self, into: &mut Option<(Vec<Target>, bool)>) -> Result<Select, OraError> {
        let distinct = self.accept_any(&["DISTINCT", "UNIQUE"]).is_some();
        if !distinct {
            self.accept("ALL");
        }
        let mut items = vec![self.item()?];
        while self.accept_symbol(",") {
            items.push(self.item()?);
        }
        if let Some(targets) = into {
            let bulk = self.bulk();
            if self.accept("INTO") {
                *targets = (self.targets()?, bulk);
            }
        }
        let from = if self.accept("FROM") {
            self.from()?
        } else if self.release >= Release::R23 && (!self.is_name() || self.is_except()) {
            let source = Source::Table(vec!["DUAL".into()]);
            let at = self.place();
            vec![From::new(source, None, Join::Comma, at)]
        } else {
            return Err(self.error(923, "FROM keyword not found where expected"));
        };
        let filter = if self.accept("WHERE") { Some(self.expression()?) } else { None };
        let connect = self.connect()?;
        let (mut group, mut sets) = (Vec::new(), None);
        let mut having = if self.accept("HAVING") { Some(self.expression()?) } else { None };
        if self.accept("GROUP") {
            self.need("BY", 924, "missing BY keyword")?;
            (group, sets) = self.group_by()?;
        }
        if having.is_none() && self.accept("HAVING") {
            having = Some(self.expression()?);
        }
        Ok(Select { distinct, items, from, filter, connect, group, sets, having })
    }

    fn item(&mut self) -> Result<Item, OraError> {
        if self.accept_symbol("*") {
            return Ok(Item::Star);
        }
        let at = self.place();
        let star = [1, 3].into_iter().find(|count| {
            self.is_name()
                && self.is_symbol_ahead(1, ".")
                && self.is_symbol_ahead(*count, ".")
                && self.is_symbol_ahead(count + 1, "*")
        });
        if let Some(count) = star {
            let mut table = vec![self.name(904, ": invalid identifier")?];
            if count == 3 {
                self.bump();
                table.push(self.name(904, ": invalid identifier")?);
            }
            self.bump();
            self.bump();
            return Ok(Item::TableStar(table, at));
        }
        let mark = self.mark();
        let value = self.expression()?;
        let title = self.title_since(mark);
        let title = match &value.kind {
            crate::sql::ast::ExprKind::Name { parts, .. } => parts.last().cloned().unwrap_or(title),
            _ => title,
        };
        if self.accept("AS") {
            let name = self.name(923, "FROM keyword not found where expected")?;
            return Ok(Item::Expr { value, name, alias: true });
        }
        if self.is_name() && !self.is_any(&AFTER_ITEM) && !self.is_except() {
            let name = self.name(923, "FROM keyword not found where expected")?;
            return Ok(Item::Expr { value, name, alias: true });
        }
        Ok(Item::Expr { value, name: title, alias: false })
    }

    fn from(&mut self) -> Result<Vec<From>, OraError> {
        let mut items = vec![self.source_item(Join::Comma)?];
        loop {
            if self.accept_symbol(",") {
                items.push(self.source_item(Join::Comma)?);
                continue;
            }
            if let Some(join) = self.apply() {
                items.push(self.applied(join)?);
                continue;
            }
            let natural = self.accept("NATURAL");
            let Some((join, conditional)) = self.join()? else {
                if natural {
                    return Err(self.error(905, "missing keyword"));
                }
                return Ok(items);
            };
            let mut item = self.source_item(join)?;
            item.natural = natural;
            if natural && !conditional {
                return Err(self.error(905, "missing keyword"));
            }
            if conditional && !natural {
                self.join_condition(&mut item)?;
            }
            items.push(item);
        }
    }

    /// CROSS APPLY and OUTER APPLY.
    fn apply(&mut self) -> Option<Join> {
        let known = self.release >= Release::R12_1;
        match () {
            () if known && self.accept_all(&["CROSS", "APPLY"]) => Some(Join::Inner),
            () if known && self.accept_all(&["OUTER", "APPLY"]) => Some(Join::Left),
            () => None,
        }
    }

    fn applied(&mut self, join: Join) -> Result<From, OraError> {
        let item = self.source_item(join)?;
        let source = match item.source {
            Source::Query(query) | Source::Lateral(query) => Source::Lateral(query),
            Source::Table(_) => {
                return Err(self.error(3001, "unimplemented feature: APPLY of a table"));
            }
        };
        Ok(From { source, ..item })
    }

    /// The kind of join that stands next, and whether a condition follows its table.
    fn join(&mut self) -> Result<Option<(Join, bool)>, OraError> {
        if self.accept("CROSS") {
            self.need("JOIN", 905, "missing keyword")?;
            return Ok(Some((Join::Inner, false)));
        }
        let join = match self.accept_any(&["INNER", "LEFT", "RIGHT", "FULL"]) {
            Some("LEFT") => Join::Left,
            Some("RIGHT") => Join::Right,
            Some("FULL") => Join::Full,
            Some(_) => Join::Inner,
            None if self.accept("JOIN") => return Ok(Some((Join::Inner, true))),
            None => return Ok(None),
        };
        if join != Join::Inner {
            self.accept("OUTER");
        }
        self.need("JOIN", 905, "missing keyword")?;
        Ok(Some((join, true)))
    }

    fn join_condition(&mut self, item: &mut From) -> Result<(), OraError> {
        if self.accept("USING") {
            self.open()?;
            loop {
                item.using.push(self.name(904, ": invalid identifier")?);
                if !self.accept_symbol(",") {
                    break;
                }
            }
            return self.close();
        }
        self.need("ON", 905, "missing keyword")?;
        item.on = Some(self.expression()?);
        Ok(())
    }

    pub(super) fn source_item(&mut self, join: Join) -> Result<From, OraError> {
        let at = self.place();
        let lateral =
            self.release >= Release::R12_1 && self.is("LATERAL") && self.is_symbol_ahead(1, "(");
        if lateral {
            if matches!(join, Join::Right | Join::Full) {
                return Err(self.error(3001, "unimplemented feature: such a join of LATERAL"));
            }
            self.bump();
        }
        let source = if self.accept_symbol("(") {
            if !self.is_any(&["SELECT", "WITH"]) && !self.is_symbol("(") {
                return Err(self.error(3001, "unimplemented feature"));
            }
            let query = self.query()?;
            self.close()?;
            let query = Box::new(query);
            if lateral { Source::Lateral(query) } else { Source::Query(query) }
        } else {
            if self.is_any(&["TABLE", "XMLTABLE", "JSON_TABLE", "ONLY"])
                && self.is_symbol_ahead(1, "(")
            {
                return Err(self.error(3001, "unimplemented feature"));
            }
            let name = self.dotted(903, "invalid table name")?;
            if self.is_symbol("@") {
                return Err(
                    self.error(2019, "connection description for remote database not found")
                );
            }
            if self.is("AS") && self.is_ahead(1, "OF")
                || self.is_any(&["SAMPLE", "PARTITION", "VERSIONS"])
            {
                return Err(self.error(3001, "unimplemented feature"));
            }
            Source::Table(name)
        };
        let pivot = self.pivot()?.map(Box::new);
        let applies = self.is("OUTER") && self.is_ahead(1, "APPLY");
        let ends = applies || self.is_any(&AFTER_TABLE) || self.is_except();
        let alias = if self.is_name() && !ends {
            Some(self.name(933, "SQL command not properly ended")?)
        } else {
            None
        };
        let pivot = match (pivot, self.pivot()?) {
            // The alias may also stand before PIVOT.
            (None, found) => found.map(Box::new),
            (found, _) => found,
        };
        Ok(From { pivot, ..From::new(source, alias, join, at) })
    }

    /// START WITH and CONNECT BY, in either order.
    fn connect(&mut self) -> Result<Option<Connect>, OraError> {
        let mut start = None;
        if self.accept("START") {
            self.need("WITH", 905, "missing keyword")?;
            start = Some(self.expression()?);
            if !self.is("CONNECT") {
                return Err(self.error(1788, "CONNECT BY clause required in this query block"));
            }
        }
        if !self.accept("CONNECT") {
            return Ok(None);
        }
        self.need("BY", 924, "missing BY keyword")?;
        let no_cycle = self.accept("NOCYCLE");
        let condition = self.expression()?;
        if start.is_none() && self.accept_all(&["START", "WITH"]) {
            start = Some(self.expression()?);
        }
        Ok(Some(Connect { start, condition, no_cycle }))
    }

    /// OFFSET … FETCH FIRST …, from 12.1.
    fn limit(&mut self) -> Result<Option<Limit>, OraError> {
        if self.release < Release::R12_1 || !self.is_any(&["OFFSET", "FETCH"]) {
            return Ok(None);
        }
        let mut limit = Limit { offset: None, count: None, percent: false, ties: false };
        if self.accept("OFFSET") {
            limit.offset = Some(self.sum()?);
            if self.accept_any(&["ROW", "ROWS"]).is_none() {
                return Err(self.error(905, "missing keyword"));
            }
        }
        if self.accept("FETCH") {
            if self.accept_any(&["FIRST", "NEXT"]).is_none() {
                return Err(self.error(905, "missing keyword"));
            }
            limit.count =
                Some(if self.is_any(&["ROW", "ROWS"]) { one(self.place()) } else { self.sum()? });
            limit.percent = self.accept("PERCENT");
            if self.accept_any(&["ROW", "ROWS"]).is_none() {
                return Err(self.error(905, "missing keyword"));
            }
            limit.ties = self.accept_all(&["WITH", "TIES"]);
            if !limit.ties && !self.accept("ONLY") {
                return Err(self.error(905, "missing keyword"));
            }
        }
        Ok(Some(limit))
    }

    /// Behind SELECT: `FOR UPDATE [OF …] [NOWAIT | WAIT n | SKIP LOCKED]`.
    pub(super) fn for_update(&mut self, query: &Query) -> Result<Option<RowLocks>, OraError> {
        if !self.accept("FOR") {
            return Ok(None);
        }
        self.need("UPDATE", 905, "missing keyword")?;
        let mut of = Vec::new();
        if self.accept("OF") {
            loop {
                of.push(self.dotted(904, ": invalid identifier")?);
                if !self.accept_symbol(",") {
                    break;
                }
            }
        }
        Ok(Some(RowLocks { tables: tables(query), of, wait: self.lock_wait()? }))
    }

    /// `NOWAIT`, `WAIT n`, `SKIP LOCKED` or nothing.
    pub(super) fn lock_wait(&mut self) -> Result<LockWait, OraError> {
        if self.accept("NOWAIT") {
            return Ok(LockWait::NoWait);
        }
        if self.accept("WAIT") {
            return Ok(LockWait::Secs(self.whole(30005, "missing or invalid WAIT interval")?));
        }
        if self.accept_all(&["SKIP", "LOCKED"]) {
            return Ok(LockWait::SkipLocked);
        }
        Ok(LockWait::Wait)
    }
}

fn one(at: usize) -> Expr {
    use crate::value::{ColumnType, Value};
    Expr { kind: crate::sql::ast::ExprKind::Literal(Value::integer(1), ColumnType::Number), at }
}

/// The tables that the outermost FROM names.
fn tables(query: &Query) -> Vec<NamedTable> {
    let Body::Select(select) = &query.body else { return Vec::new() };
    let named = select.from.iter().filter_map(|from| match &from.source {
        Source::Table(name) => {
            let alias = from.alias.clone().or_else(|| name.last().cloned()).unwrap_or_default();
            Some(NamedTable { name: name.join("."), alias })
        }
        Source::Query(_) | Source::Lateral(_) => None,
    });
    named.collect()
}

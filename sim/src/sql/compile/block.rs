//! One SELECT.

use std::cell::{OnceCell, RefCell};

use super::types::NULL_TYPE;
use super::using::Merged;
use super::{Compiler, Ctes, Kind, Named, Phase, Scope, Typed, call, grouping, joins, plan};
use crate::catalog::Column;
use crate::conversation::ResultColumn;
use crate::ora::OraError;
use crate::sql::ast::{
    Binary, Connect as ConnectTree, Expr, ExprKind, From, Item, Join, OrderItem, Select, Source,
};
use crate::sql::code::{Block, Code, Connect, Feed, OrderTarget, Plan, Sorting, SourceKind};
use crate::value::{ColumnType, Value};

/// What FROM names.
pub(super) enum Raw {
    Dual,
    Table(String),
    View(Plan),
    Lateral(Plan),
    Feed(Feed),
}

type Compiled = (Block, Vec<ResultColumn>, bool);

impl Compiler<'_> {
    pub(super) fn block(
        &self,
        select: &Select,
        order: &[OrderItem],
        siblings: bool,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'_>>,
    ) -> Result<Compiled, OraError> {
        if let Some(flat) = super::nested::unnested(select)? {
            return self.block(&flat, order, siblings, parent, ctes);
        }
        let (raws, mut scope) = self.scope(select, parent, ctes)?;
        let conjuncts = self.conjuncts(select, &scope)?;
        outer_joined(&conjuncts, &mut scope);
        let connect =
            select.connect.as_ref().map(|connect| self.connect(connect, &scope)).transpose()?;
        let keys = select.group.iter().map(|key| Ok(self.value(key, &scope)?.code));
        let keys = keys.collect::<Result<Vec<Code>, OraError>>()?;
        scope.phase.set(Phase::Group);
        let (mut codes, columns) = self.items(&select.items, &scope)?;
        let mut having =
            select.having.as_ref().map(|having| self.condition(having, &scope)).transpose()?;
        scope.phase.set(Phase::Order);
        let mut order = self.order(order, &codes, &columns, select, &scope)?;
        let mut aggregates = scope.aggregates.take();
        let mut windows = scope.windows.take();
        let grouped = !select.group.is_empty()
            || select.sets.is_some()
            || !aggregates.is_empty()
            || having.is_some();
        let mut parts: Vec<&mut Code> = codes.iter_mut().chain(&mut having).collect();
        parts.extend(order.iter_mut().filter_map(|(target, _)| match target {
            OrderTarget::Code(code) => Some(code),
            OrderTarget::Output(_) => None,
        }));
        for window in &mut windows {
            parts.extend(window.arguments.iter_mut().chain(&mut window.partition));
            parts.extend(window.order.iter_mut().map(|key| &mut key.code));
        }
        if grouped {
            parts.iter().try_for_each(|code| check_grouped(code, &keys))?;
        }
        grouping::check(&aggregates, &keys)?;
        if select.sets.is_some() {
            grouping::keys_of_each(&keys, &mut aggregates, parts);
        }
        let sets = grouping::sets(select.sets.as_deref(), &keys);
        let connected = connect.is_some();
        let joined = joins::plan(select, conjuncts, connected)?;
        let correlated = scope.escaped.get();
        let sources = sources(raws, &scope, joined.filters);
        let block = Block {
            sources,
            steps: joined.steps,
            filter: joined.rest,
            connect,
            grouped,
            keys,
            sets,
            aggregates,
            having,
            windows,
            select: codes,
            distinct: select.distinct,
            order,
            siblings,
        };
        Ok((block, columns, correlated))
    }

    /// The sources and their names.
    fn scope<'s>(
        &self,
        select: &'s Select,
        parent: Option<&'s Scope<'s>>,
        ctes: Option<&'s Ctes<'s>>,
    ) -> Result<(Vec<(Raw, bool)>, Scope<'s>), OraError> {
        if select.from.len() > 60 {
            return Err(OraError::new(3001, "unimplemented feature"));
        }
        self.spend(super::WORK_OF_A_QUERY, select.from.first().map_or(0, |from| from.at))?;
        let mut raws = Vec::new();
        let mut sources: Vec<Named> = Vec::new();
        let mut escaped = false;
        for from in &select.from {
            let (raw, correlated, mut named) = self.source(from, &mut sources, parent, ctes)?;
            named.merged = Merged::new(from, &named, &sources)?;
            // The side of an outer join that can be missing is NULL then.
            if matches!(from.join, Join::Right | Join::Full) {
                sources.iter_mut().for_each(Named::can_be_null);
            }
            if matches!(from.join, Join::Left | Join::Full) {
                named.can_be_null();
            }
            escaped |= correlated;
            // What LATERAL gives differs from row to row in any case.
            let correlated = correlated || matches!(raw, Raw::Lateral(_));
            raws.push((raw, correlated));
            sources.push(named);
        }
        let mut scope = Scope::new(sources, parent, ctes);
        scope.escaped.set(escaped);
        scope.hierarchical = select.connect.is_some();
        scope.aliases = select
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Expr { value, name, alias: true } => Some((name.clone(), value)),
                _ => None,
            })
            .collect();
        Ok((raws, scope))
    }

    /// The scope of a statement that reads one table, and the table's columns.
    pub(crate) fn table_scope(
        &self,
        name: &[String],
        alias: Option<&String>,
        at: usize,
    ) -> Result<(Scope<'static>, Vec<Column>), OraError> {
        let columns = self.catalog.columns(&name.join("."));
        Ok(self.scope_of(name, alias, columns.map_err(|error| error.at(at))?))
    }

    /// The same for INSERT.
    pub(crate) fn scope_to_fill(
        &self,
        name: &[String],
        at: usize,
    ) -> Result<(Scope<'static>, Vec<Column>), OraError> {
        let columns = self.catalog.columns_to_fill(&name.join("."));
        Ok(self.scope_of(name, None, columns.map_err(|error| error.at(at))?))
    }

    fn scope_of(
        &self,
        name: &[String],
        alias: Option<&String>,
        columns: &[Column],
    ) -> (Scope<'static>, Vec<Column>) {
        let (full, columns) = (name.join("."), columns.to_vec());
        let name = alias.or(name.last()).cloned().unwrap_or_default();
        let has_rowid = self.catalog.new_rowid(&full, 0).is_some();
        let named = Named {
            name,
            full,
            columns: columns.clone(),
            has_rowid,
            wanted: RefCell::default(),
            merged: Merged::default(),
        };
        (Scope::new(vec![named], None, None), columns)
    }

    fn source(
        &self,
        from: &From,
        before: &mut Vec<Named>,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'_>>,
    ) -> Result<(Raw, bool, Named), OraError> {
        if let Some(pivot) = &from.pivot {
            if matches!(from.source, Source::Lateral(_)) {
                return Err(OraError::new(3001, "unimplemented feature").at(pivot.at));
            }
            let plain = From { pivot: None, ..from.clone() };
            let (_, _, named) = self.source(&plain, before, parent, ctes)?;
            let query = super::pivot::query(&plain, pivot, &named.columns)?;
            return self.source(&super::pivot::source(from, query), before, parent, ctes);
        }
        let (raw, correlated, full, columns) = match &from.source {
            Source::Query(query) => {
                let (plan, correlated) = self.plan(query, parent, ctes)?;
                let columns = view_columns(&plan.columns, &[]);
                (Raw::View(plan), correlated, String::new(), columns)
            }
            Source::Lateral(query) => {
                let around = Scope::new(std::mem::take(before), parent, ctes);
                let compiled = self.plan(query, Some(&around), ctes);
                let outside = around.escaped.get();
                *before = around.sources;
                let plan = compiled?.0;
                let columns = view_columns(&plan.columns, &[]);
                (Raw::Lateral(plan), outside, String::new(), columns)
            }
            Source::Table(name) => self.table(name, from.at, parent, ctes)?,
        };
        let last = full.rsplit('.').next().unwrap_or_default().to_owned();
        let name = from.alias.clone().unwrap_or(last);
        let has_rowid = match &raw {
            Raw::Dual => true,
            Raw::Table(table) => self.catalog.new_rowid(table, 0).is_some(),
            Raw::View(_) | Raw::Lateral(_) | Raw::Feed(_) => false,
        };
        Ok((
            raw,
            correlated,
            Named {
                name,
                full,
                columns,
                has_rowid,
                wanted: RefCell::default(),
                merged: Merged::default(),
            },
        ))
    }

    /// A query of WITH, DUAL, or a table of the catalog.
    fn table(
        &self,
        name: &[String],
        at: usize,
        parent: Option<&Scope<'_>>,
        ctes: Option<&Ctes<'_>>,
    ) -> Result<(Raw, bool, String, Vec<Column>), OraError> {
        let full = name.join(".");
        let mut next = ctes;
        while let Some(entry) = next {
            if name.len() == 1 && entry.cte.name == name[0] {
                if let Some((columns, feed)) = entry.own {
                    return Ok((Raw::Feed(feed.clone()), true, full, columns.clone()));
                }
                let (plan, correlated) = self.cte(entry, at, parent)?;
                let names = &entry.cte.columns;
                super::recursive::check_names(names, plan.columns.len(), at)?;
                let columns = view_columns(&plan.columns, names);
                return Ok((Raw::View(plan), correlated, full, columns));
            }
            next = entry.parent;
        }
        if matches!(full.as_str(), "DUAL" | "SYS.DUAL") {
            let dummy = Column {
                name: "DUMMY".into(),
                column_type: ColumnType::Varchar2(1),
                digits: None,
                nullable: true,
            };
            return Ok((Raw::Dual, false, full, vec![dummy]));
        }
        let columns = self.catalog.columns(&full).map_err(|error| error.at(at))?.to_vec();
        Ok((Raw::Table(full.clone()), false, full, columns))
    }

    /// The parts of ON and of WHERE that are joined by AND.
    fn conjuncts(&self, select: &Select, scope: &Scope<'_>) -> Result<joins::Conjuncts, OraError> {
        let mut on = Vec::new();
        for (place, from) in select.from.iter().enumerate() {
            let mut list = Vec::new();
            if let Some(condition) = &from.on {
                self.split(condition, scope, &mut list)?;
            }
            for column in &scope.sources[place].merged.columns {
                list.push(Self::using(column, place, scope)?);
            }
            on.push(list);
        }
        let mut filter = Vec::new();
        if let Some(condition) = &select.filter {
            self.split(condition, scope, &mut filter)?;
        }
        Ok(joins::Conjuncts { on, filter })
    }

    fn split(
        &self,
        expr: &Expr,
        scope: &Scope<'_>,
        list: &mut Vec<joins::Conjunct>,
    ) -> Result<(), OraError> {
        if let ExprKind::Binary(Binary::And, left, right) = &expr.kind {
            self.split(left, scope, list)?;
            return self.split(right, scope, list);
        }
        if let ExprKind::Binary(Binary::Equal, left, right) = &expr.kind
            && !matches!(left.kind, ExprKind::Row(_))
        {
            list.push(self.equality(left, right, expr.at, scope)?);
            return Ok(());
        }
        let (code, side) = measured(scope, || self.condition(expr, scope))?;
        list.push(joins::Conjunct { code, side, sides: None, at: expr.at });
        Ok(())
    }

    fn equality(
        &self,
        left: &Expr,
        right: &Expr,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<joins::Conjunct, OraError> {
        let left = measured(scope, || self.value(left, scope))?;
        let right = measured(scope, || self.value(right, scope))?;
        equal(left, right, at)
    }

    fn connect(&self, tree: &ConnectTree, scope: &Scope<'_>) -> Result<Connect, OraError> {
        let start = tree.start.as_ref().map(|start| self.condition(start, scope)).transpose()?;
        let mut list = Vec::new();
        self.split(&tree.condition, scope, &mut list)?;
        let is_prior = |code: &Code| code.any(&mut |part| matches!(part, Code::Prior(_)));
        let mut connect = Connect {
            start,
            condition: Vec::new(),
            equal: Vec::new(),
            no_cycle: tree.no_cycle,
            has_prior: false,
        };
        for conjunct in list {
            connect.has_prior |= is_prior(&conjunct.code);
            let special =
                |code: &Code| code.any(&mut |part| matches!(part, Code::Level | Code::RowNum));
            match conjunct.code {
                Code::Compare { operator: Binary::Equal, left, right, padded: false }
                    if conjunct.sides.is_some()
                        && is_prior(&left) != is_prior(&right)
                        && !special(&left)
                        && !special(&right) =>
                {
                    let (parent, child) =
                        if is_prior(&left) { (*left, *right) } else { (*right, *left) };
                    connect.equal.push((parent, child));
                }
                code => connect.condition.push(code),
            }
        }
        Ok(connect)
    }

    /// The select list.
    fn items(
        &self,
        items: &[Item],
        scope: &Scope<'_>,
    ) -> Result<(Vec<Code>, Vec<ResultColumn>), OraError> {
        let mut codes = Vec::new();
        let mut columns = Vec::new();
        for item in items {
            match item {
                Item::Star => scope.expand_all(&mut codes, &mut columns)?,
                Item::TableStar(table, at) => {
                    let name = table.join(".");
                    let place = scope
                        .sources
                        .iter()
                        .position(|source| source.name == name || source.full == name);
                    let place = place.ok_or_else(|| super::invalid_identifier(table, *at))?;
                    scope.expand(place, &mut codes, &mut columns);
                }
                Item::Expr { value, name, .. } => {
                    let typed = self.expression(value, scope)?;
                    if typed.kind == Kind::Condition {
                        return Err(OraError::new(923, "FROM keyword not found where expected")
                            .at(value.at));
                    }
                    columns.push(ResultColumn {
                        name: name.clone(),
                        column_type: typed.column_type(),
                        nullable: typed.nullable || typed.column_type() == NULL_TYPE,
                    });
                    codes.push(typed.code);
                }
            }
        }
        Ok((codes, columns))
    }

    fn order(
        &self,
        items: &[OrderItem],
        codes: &[Code],
        columns: &[ResultColumn],
        select: &Select,
        scope: &Scope<'_>,
    ) -> Result<Vec<(OrderTarget, Sorting)>, OraError> {
        let order = items.iter().map(|item| {
            let sorting = call::sorting(item);
            let at = item.value.at;
            if let ExprKind::Literal(Value::Number(number), _) = &item.value.kind {
                let place = plan::position(number.to_i64(), codes.len(), at)?;
                return Ok((OrderTarget::Output(place), sorting));
            }
            if let ExprKind::Name { parts, .. } = &item.value.kind {
                let alias =
                    scope.aliases.iter().any(|alias| parts.len() == 1 && alias.0 == parts[0]);
                let place = columns.iter().position(|column| alias && column.name == parts[0]);
                if let Some(place) = place {
                    return Ok((OrderTarget::Output(place), sorting));
                }
            }
            let code = self.value(&item.value, scope)?.code;
            if let Some(place) = codes.iter().position(|other| other.same(&code)) {
                return Ok((OrderTarget::Output(place), sorting));
            }
            if select.distinct {
                return Err(OraError::new(1791, "not a SELECTed expression").at(at));
            }
            Ok((OrderTarget::Code(code), sorting))
        });
        order.collect()
    }
}

/// The sources that a `(+)` marks can be missing.
fn outer_joined(conjuncts: &joins::Conjuncts, scope: &mut Scope<'_>) {
    let marked =
        conjuncts.filter.iter().fold(0, |all, conjunct| all | joins::marked(&conjunct.code));
    for (place, source) in scope.sources.iter_mut().enumerate() {
        if marked & (1 << place) != 0 {
            source.can_be_null();
        }
    }
}

/// `a = b`, where a join can look one side up by the other if both are of one type.
pub(super) fn equal(
    (left, left_side): (Typed, joins::Side),
    (right, right_side): (Typed, joins::Side),
    at: usize,
) -> Result<joins::Conjunct, OraError> {
    let hashable = match (left.column_type(), right.column_type()) {
        (ColumnType::Varchar2(_), ColumnType::Varchar2(_)) => true,
        (a, b) => a == b && !matches!(a, ColumnType::Char(_) | ColumnType::BinaryDouble),
    };
    let side = left_side.with(right_side);
    let code = super::expression::compare(Binary::Equal, left, right, at)?;
    Ok(joins::Conjunct { code, side, sides: hashable.then_some((left_side, right_side)), at })
}

/// Compiles something and tells which sources it reads.
pub(super) fn measured<T>(
    scope: &Scope<'_>,
    inner: impl FnOnce() -> Result<T, OraError>,
) -> Result<(T, joins::Side), OraError> {
    let (used, outer) = (scope.used.replace(0), scope.used_outer.replace(false));
    let result = inner()?;
    let side = joins::Side { sources: scope.used.get(), outside: scope.used_outer.get() };
    scope.used.set(used | side.sources);
    scope.used_outer.set(outer || side.outside);
    Ok((result, side))
}

pub(super) fn view_columns(columns: &[ResultColumn], names: &[String]) -> Vec<Column> {
    let named = columns.iter().enumerate().map(|(place, column)| Column {
        name: names.get(place).unwrap_or(&column.name).clone(),
        column_type: column.column_type,
        digits: None,
        nullable: column.nullable,
    });
    named.collect()
}

/// Outside aggregates only what GROUP BY names can be read.
fn check_grouped(code: &Code, keys: &[Code]) -> Result<(), OraError> {
    code.check(&mut |part| {
        if keys.iter().any(|key| key.same(part)) {
            return Ok(true);
        }
        let error = if keys.is_empty() {
            OraError::new(937, "not a single-group group function")
        } else {
            OraError::new(979, "not a GROUP BY expression")
        };
        match part {
            Code::Column(column) if column.depth == 0 => Err(error.at(column.at)),
            Code::RowNum | Code::Level | Code::IsLeaf | Code::IsCycle => Err(error),
            _ => Ok(false),
        }
    })
}

fn sources(
    raws: Vec<(Raw, bool)>,
    scope: &Scope<'_>,
    filters: Vec<Vec<Code>>,
) -> Vec<crate::sql::code::Source> {
    let sources = raws.into_iter().zip(&scope.sources).zip(filters).map(
        |(((raw, correlated), named), filter)| {
            let wanted = named.wanted.take();
            let kind = match raw {
                Raw::Dual => SourceKind::Dual(wanted),
                Raw::Table(name) => SourceKind::Table(name, wanted),
                Raw::View(plan) => SourceKind::View(plan, wanted),
                Raw::Lateral(plan) => SourceKind::Lateral(plan, wanted),
                Raw::Feed(feed) => SourceKind::Feed(feed, wanted),
            };
            crate::sql::code::Source {
                kind,
                filter,
                correlated,
                rows: OnceCell::default(),
                index: RefCell::default(),
            }
        },
    );
    sources.collect()
}

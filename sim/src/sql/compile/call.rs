//! Functions, aggregates and analytic functions.

use super::types::{self, NULL_TYPE};
use super::{Compiler, Phase, Scope, Typed, invalid_identifier};
use crate::ora::OraError;
use crate::sql::ast::{Binary, Call, Expr, ExprKind, OrderItem};
use crate::sql::code::{Aggregate, AggregateKind, Code, OrderKey, Sorting, Window, WindowKind};
use crate::sql::functions::{self, Function, Gives};
use crate::value::{ColumnType, Value};

impl Compiler<'_> {
    pub(super) fn call(
        &self,
        call: &Call,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Typed, OraError> {
        // SYS.STANDARD's functions can be called with their package.
        let packaged = call.name.join(".");
        let name = match call.name.as_slice() {
            [name] => name,
            [package, name] if package == "STANDARD" => name,
            _ if functions::find(&packaged).is_some() => &packaged,
            _ => return Err(invalid_identifier(&call.name, at)),
        };
        if let Some(argument) = call.arguments.iter().find(|argument| argument.name.is_some()) {
            return Err(OraError::new(907, "missing right parenthesis").at(argument.value.at));
        }
        let arguments: Vec<&Expr> = call.arguments.iter().map(|argument| &argument.value).collect();
        if let Some(over) = &call.over {
            let kind = window_kind(name)
                .ok_or_else(|| OraError::new(30484, "missing window specification").at(at))?;
            return self.window(kind, call, over, at, scope);
        }
        if let Some(kind) = aggregate_kind(name) {
            return self.aggregate(kind, call, at, scope);
        }
        if let Some(default) = &call.default {
            return self.rescued(call, default, at, scope);
        }
        if window_kind(name).is_some() {
            return Err(
                OraError::new(30484, "missing window specification for this function").at(at)
            );
        }
        if name == "LNNVL" {
            arity((1, 1), arguments.len(), at)?;
            // True unless the condition is: unknown counts as false.
            let tested = self.condition(arguments[0], scope)?;
            let known = Code::Coalesce(vec![tested, Code::Const(Value::integer(0))]);
            return Ok(Typed::condition(Code::Not(Box::new(known))));
        }
        if let Some(typed) = self.lazy(name, &arguments, at, scope)? {
            return Ok(typed);
        }
        let function = functions::find(name).ok_or_else(|| invalid_identifier(&call.name, at))?;
        if name == "DUMP" {
            return self.dump(function, &arguments, at, scope);
        }
        arity(function.arity, arguments.len(), at)?;
        let values: Result<Vec<Typed>, OraError> =
            arguments.iter().map(|value| self.value(value, scope)).collect();
        let typed = Self::call_function(function, values?);
        Ok(if function.name == "REGEXP_LIKE" { Typed::condition(typed.code) } else { typed })
    }

    /// DUMP tells a literal from a column, which its value does not: CHAR, and a DATE that was made and not stored.
    fn dump(
        &self,
        function: &'static Function,
        arguments: &[&Expr],
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Typed, OraError> {
        arity((1, 4), arguments.len(), at)?;
        let values: Result<Vec<Typed>, OraError> =
            arguments.iter().map(|value| self.value(value, scope)).collect();
        let mut values = values?;
        let kind = match (values[0].column_type(), &values[0].code) {
            (ColumnType::Char(_), _) => 96,
            (ColumnType::Date, code) if !matches!(code, Code::Column(_)) => 13,
            _ => 0,
        };
        values.insert(0, Typed::constant(Value::integer(kind), ColumnType::Number));
        Ok(Self::call_function(function, values))
    }

    pub(super) fn call_function(function: &'static Function, arguments: Vec<Typed>) -> Typed {
        let column_type = result_type(function.gives, &arguments);
        let bare = arguments.is_empty();
        let nullable = !bare || function.name == "SYS_CONTEXT";
        let codes = arguments.into_iter().map(|argument| argument.code).collect();
        Typed::sql(Code::Call(function, codes), column_type, nullable)
    }

    /// `f(x DEFAULT y ON CONVERSION ERROR, …)`: the same call with the other argument where the first fails.
    fn rescued(
        &self,
        call: &Call,
        default: &Expr,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Typed, OraError> {
        const KNOWN: [&str; 6] = [
            "TO_NUMBER",
            "TO_DATE",
            "TO_TIMESTAMP",
            "TO_TIMESTAMP_TZ",
            "TO_DSINTERVAL",
            "TO_YMINTERVAL",
        ];
        if !call.name.last().is_some_and(|name| KNOWN.contains(&name.as_str())) {
            return Err(OraError::new(907, "missing right parenthesis").at(at));
        }
        let first = Call { default: None, ..call.clone() };
        let mut second = first.clone();
        if let Some(argument) = second.arguments.first_mut() {
            argument.value = default.clone();
        }
        let (first, second) = (self.call(&first, at, scope)?, self.call(&second, at, scope)?);
        let column_type = first.column_type();
        let code = Code::Rescue(Box::new(first.code), Box::new(second.code));
        Ok(Typed::sql(code, column_type, true))
    }

    /// Functions that look only at the arguments that they need, or that convert to a common type.
    fn lazy(
        &self,
        name: &str,
        arguments: &[&Expr],
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Option<Typed>, OraError> {
        let least = match name {
            "NVL" | "NULLIF" | "SYS_CONNECT_BY_PATH" => (2, 2),
            "COALESCE" => (2, 1000),
            "NVL2" => (3, 3),
            "DECODE" => (3, 255),
            _ => return Ok(None),
        };
        arity(least, arguments.len(), at)?;
        let values: Result<Vec<Typed>, OraError> =
            arguments.iter().map(|value| self.value(value, scope)).collect();
        let mut values = values?;
        Ok(Some(match name {
            "DECODE" => decode(values),
            "NULLIF" => {
                let again = self.value(arguments[0], scope)?;
                let (first, second) = (values.remove(0), values.remove(0));
                let column_type = first.column_type();
                let equal = super::expression::compare(Binary::Equal, first, second, at)?;
                let arms = vec![(equal, Code::Const(Value::Null))];
                Typed::sql(Code::Case { arms, otherwise: Box::new(again.code) }, column_type, true)
            }
            "SYS_CONNECT_BY_PATH" => {
                if !scope.hierarchical {
                    return Err(OraError::new(
                        30002,
                        "SYS_CONNECT_BY_PATH function is not allowed here",
                    )
                    .at(at));
                }
                let (value, separator) = (values.remove(0), values.remove(0));
                let code = Code::Path(Box::new(value.code), Box::new(separator.code));
                Typed::sql(code, ColumnType::Varchar2(4000), true)
            }
            "NVL2" => {
                let tested = values.remove(0).code;
                let (column_type, mut codes) = in_the_way_of_the_first(values);
                let empty = codes.pop().unwrap_or(Code::Const(Value::Null));
                let filled = codes.pop().unwrap_or(Code::Const(Value::Null));
                Typed::sql(Code::Nvl2(Box::new([tested, filled, empty])), column_type, true)
            }
            "COALESCE" => {
                let kinds: Vec<ColumnType> = values.iter().map(Typed::column_type).collect();
                let column_type = types::unified(&kinds)
                    .ok_or_else(|| types::inconsistent(kinds[0], kinds[1], at))?;
                let nullable = values.iter().all(|value| value.nullable);
                let codes = values.into_iter().map(|value| value.converted(column_type)).collect();
                Typed::sql(Code::Coalesce(codes), column_type, nullable)
            }
            _ => {
                let nullable = values.iter().all(|value| value.nullable);
                let (column_type, codes) = in_the_way_of_the_first(values);
                Typed::sql(Code::Coalesce(codes), column_type, nullable)
            }
        }))
    }

    fn aggregate(
        &self,
        kind: AggregateKind,
        call: &Call,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Typed, OraError> {
        match scope.phase.get() {
            Phase::Row => {
                return Err(OraError::new(934, "group function is not allowed here").at(at));
            }
            Phase::Aggregate => {
                return Err(OraError::new(935, "group function is nested too deeply").at(at));
            }
            Phase::Group | Phase::Order | Phase::Window => {}
        }
        let aggregate = scope.in_phase(Phase::Aggregate, || {
            let (arguments, column_type) = self.aggregate_arguments(kind, call, at, scope)?;
            let order = self.order_keys(&call.within, scope)?;
            let approximate = call.name.last().is_some_and(|name| name == "APPROX_COUNT_DISTINCT");
            let distinct = call.distinct || approximate;
            Ok((
                Aggregate { kind, arguments, distinct, order, keep_last: call.keep_last },
                column_type,
            ))
        });
        let (aggregate, column_type) = aggregate?;
        let mut aggregates = scope.aggregates.borrow_mut();
        aggregates.push(aggregate);
        Ok(Typed::sql(
            Code::Aggregate(aggregates.len() - 1),
            column_type,
            kind != AggregateKind::Count,
        ))
    }

    /// The arguments and the type of the result.
    fn aggregate_arguments(
        &self,
        kind: AggregateKind,
        call: &Call,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<(Vec<Code>, ColumnType), OraError> {
        if call.star {
            if kind != AggregateKind::Count {
                return Err(OraError::new(936, "missing expression").at(at));
            }
            return Ok((Vec::new(), ColumnType::Number));
        }
        let bounds = match kind {
            AggregateKind::ListAgg => (1, 2),
            AggregateKind::Grouping => (1, 60),
            AggregateKind::GroupId => (0, 0),
            _ => (1, 1),
        };
        arity(bounds, call.arguments.len(), at)?;
        if call.name.last().is_some_and(|name| name == "GROUPING") {
            arity((1, 1), call.arguments.len(), at)?;
        }
        let mut values = Vec::new();
        for argument in &call.arguments {
            values.push(self.value(&argument.value, scope)?);
        }
        let first = values.first().map_or(NULL_TYPE, Typed::column_type);
        let column_type = match kind {
            AggregateKind::Count
            | AggregateKind::Key
            | AggregateKind::Grouping
            | AggregateKind::GroupId => ColumnType::Number,
            AggregateKind::ListAgg => ColumnType::Varchar2(4000),
            AggregateKind::PercentileCont | AggregateKind::PercentileDisc => match &call.within[..]
            {
                [item] => self.value(&item.value, scope)?.column_type(),
                _ => return Err(OraError::new(30491, "missing ORDER BY clause").at(at)),
            },
            AggregateKind::Min
            | AggregateKind::Max
            | AggregateKind::Median
            | AggregateKind::StatsMode => first,
            _ => match types::class(first) {
                types::Class::Number | types::Class::Text => ColumnType::Number,
                types::Class::IntervalDs => ColumnType::IntervalDs,
                _ => return Err(types::inconsistent(ColumnType::Number, first, at)),
            },
        };
        Ok((values.into_iter().map(|value| value.code).collect(), column_type))
    }

    pub(super) fn order_keys(
        &self,
        items: &[OrderItem],
        scope: &Scope<'_>,
    ) -> Result<Vec<OrderKey>, OraError> {
        let keys = items.iter().map(|item| {
            let code = self.value(&item.value, scope)?.code;
            Ok(OrderKey { code, sorting: sorting(item) })
        });
        keys.collect()
    }

    fn window(
        &self,
        kind: WindowKind,
        call: &Call,
        over: &crate::sql::ast::Over,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<Typed, OraError> {
        if matches!(scope.phase.get(), Phase::Row | Phase::Aggregate | Phase::Window) {
            return Err(OraError::new(30483, "window functions are not allowed here").at(at));
        }
        let only_grouped = matches!(
            kind,
            WindowKind::Aggregate(
                AggregateKind::PercentileCont
                    | AggregateKind::PercentileDisc
                    | AggregateKind::Grouping
                    | AggregateKind::GroupId
            )
        );
        if only_grouped || call.keep_last.is_some() {
            return Err(OraError::new(3001, "unimplemented feature").at(at));
        }
        if call.distinct && !over.order.is_empty() {
            return Err(OraError::new(30487, "ORDER BY not allowed here").at(at));
        }
        let (window, column_type) = scope.in_phase(Phase::Window, || {
            let (arguments, column_type) = self.window_arguments(kind, call, at, scope)?;
            let partition = over.partition.iter().map(|value| Ok(self.value(value, scope)?.code));
            let partition = partition.collect::<Result<Vec<Code>, OraError>>()?;
            // LISTAGG(…) WITHIN GROUP (ORDER BY …) OVER (…) brings its order along.
            let list = kind == WindowKind::Aggregate(AggregateKind::ListAgg);
            let order = self.order_keys(if list { &call.within } else { &over.order }, scope)?;
            let whole = over.whole || list;
            let (distinct, rows) = (call.distinct, over.rows);
            Ok((Window { kind, arguments, distinct, partition, order, whole, rows }, column_type))
        })?;
        let needs_order =
            matches!(kind, WindowKind::RowNumber | WindowKind::Rank | WindowKind::DenseRank);
        if needs_order && window.order.is_empty() {
            return Err(OraError::new(
                30485,
                "missing ORDER BY expression in the window specification",
            )
            .at(at));
        }
        let mut windows = scope.windows.borrow_mut();
        windows.push(window);
        Ok(Typed::sql(Code::Window(windows.len() - 1), column_type, true))
    }

    fn window_arguments(
        &self,
        kind: WindowKind,
        call: &Call,
        at: usize,
        scope: &Scope<'_>,
    ) -> Result<(Vec<Code>, ColumnType), OraError> {
        if let WindowKind::Aggregate(kind) = kind {
            return self.aggregate_arguments(kind, call, at, scope);
        }
        let bounds = match kind {
            WindowKind::RowNumber | WindowKind::Rank | WindowKind::DenseRank => (0, 0),
            WindowKind::Lag | WindowKind::Lead => (1, 3),
            _ => (1, 1),
        };
        arity(bounds, call.arguments.len(), at)?;
        let values: Result<Vec<Typed>, OraError> =
            call.arguments.iter().map(|argument| self.value(&argument.value, scope)).collect();
        let values = values?;
        let column_type = match kind {
            WindowKind::Lag | WindowKind::Lead | WindowKind::FirstValue | WindowKind::LastValue => {
                values[0].column_type()
            }
            _ => ColumnType::Number,
        };
        Ok((values.into_iter().map(|value| value.code).collect(), column_type))
    }
}

pub(super) fn sorting(item: &OrderItem) -> Sorting {
    Sorting { descending: item.descending, nulls_first: item.nulls_first }
}

fn arity((least, most): (usize, usize), count: usize, at: usize) -> Result<(), OraError> {
    if count < least {
        return Err(OraError::new(938, "not enough arguments for function").at(at));
    }
    if count > most {
        return Err(OraError::new(939, "too many arguments for function").at(at));
    }
    Ok(())
}

/// The first value decides the type, and the others are converted.
fn in_the_way_of_the_first(values: Vec<Typed>) -> (ColumnType, Vec<Code>) {
    let kinds: Vec<ColumnType> = values.iter().map(Typed::column_type).collect();
    let column_type = types::unified(&kinds).unwrap_or_else(|| {
        let first = kinds.iter().copied().find(|kind| *kind != NULL_TYPE).unwrap_or(NULL_TYPE);
        match types::class(first) {
            types::Class::Text => {
                ColumnType::Varchar2(kinds.iter().copied().map(types::width).max().unwrap_or(0))
            }
            _ => first,
        }
    });
    let column_type = match column_type {
        ColumnType::Char(bytes) => ColumnType::Varchar2(bytes),
        other => other,
    };
    (column_type, values.into_iter().map(|value| value.converted(column_type)).collect())
}

/// The first result decides the type; a NULL there makes it VARCHAR2.
fn decode(values: Vec<Typed>) -> Typed {
    let count = values.len();
    let is_result = |place: usize| {
        place > 0 && (place.is_multiple_of(2) || (place == count - 1 && count.is_multiple_of(2)))
    };
    let kinds: Vec<ColumnType> = values
        .iter()
        .enumerate()
        .filter(|(place, _)| is_result(*place))
        .map(|(_, value)| value.column_type())
        .collect();
    let texts = || ColumnType::Varchar2(kinds.iter().copied().map(types::width).max().unwrap_or(0));
    let column_type = match kinds[0] {
        NULL_TYPE => texts(),
        first if types::class(first) == types::Class::Text => texts(),
        first => first,
    };
    let codes = values.into_iter().enumerate().map(|(place, value)| {
        if is_result(place) { value.converted(column_type) } else { value.code }
    });
    Typed::sql(Code::Decode(codes.collect()), column_type, true)
}

fn result_type(gives: Gives, arguments: &[Typed]) -> ColumnType {
    let of = |place: usize| arguments.get(place).map_or(NULL_TYPE, Typed::column_type);
    match gives {
        Gives::Text(bytes) => ColumnType::Varchar2(bytes),
        Gives::Shown => ColumnType::Varchar2(match arguments.get(1).map(|format| &format.code) {
            // Nine letters of a day for the three of its element is the most that a format grows.
            Some(Code::Const(Value::Text(format))) => {
                u32::try_from(3 * format.len()).unwrap_or(4000).clamp(75, 4000)
            }
            _ => types::width(of(0)).clamp(75, 4000),
        }),
        Gives::TextAsFirst => ColumnType::Varchar2(types::width(of(0))),
        Gives::TextAsSecond => {
            ColumnType::Varchar2(match arguments.get(1).map(|argument| &argument.code) {
                Some(Code::Const(Value::Number(width))) => width
                    .to_i64()
                    .and_then(|width| u32::try_from(width).ok())
                    .unwrap_or(4000)
                    .min(4000),
                _ => 4000,
            })
        }
        Gives::TimeOrNumber if types::class(of(0)) == types::Class::Time => ColumnType::Date,
        Gives::Number | Gives::TimeOrNumber => ColumnType::Number,
        Gives::First => match of(0) {
            first if types::class(first) == types::Class::Text => {
                let widest =
                    arguments.iter().map(|argument| types::width(argument.column_type())).max();
                ColumnType::Varchar2(widest.unwrap_or(0))
            }
            first => first,
        },
        Gives::Date => ColumnType::Date,
        Gives::Timestamp => ColumnType::Timestamp,
        Gives::TimestampTz => ColumnType::TimestampTz,
        Gives::IntervalDs => ColumnType::IntervalDs,
        Gives::IntervalYm => ColumnType::IntervalYm,
        Gives::Raw(bytes) => ColumnType::Raw(bytes),
        Gives::RowId => ColumnType::RowId,
        Gives::Double => ColumnType::BinaryDouble,
    }
}

/// Whether an expression counts over rows, those of its subqueries apart.
pub(crate) fn aggregates(expr: &mut Expr) -> bool {
    let counts = match &expr.kind {
        ExprKind::Call(call) => {
            call.over.is_none()
                && call.name.last().is_some_and(|name| aggregate_kind(name).is_some())
        }
        _ => false,
    };
    counts || expr.parts_mut().into_iter().any(aggregates)
}

pub(super) fn aggregate_kind(name: &str) -> Option<AggregateKind> {
    Some(match name {
        "COUNT" | "APPROX_COUNT_DISTINCT" => AggregateKind::Count,
        "SUM" => AggregateKind::Sum,
        "AVG" => AggregateKind::Avg,
        "MIN" | "ANY_VALUE" => AggregateKind::Min,
        "MAX" => AggregateKind::Max,
        "LISTAGG" => AggregateKind::ListAgg,
        "MEDIAN" => AggregateKind::Median,
        "PERCENTILE_CONT" => AggregateKind::PercentileCont,
        "PERCENTILE_DISC" => AggregateKind::PercentileDisc,
        "STATS_MODE" => AggregateKind::StatsMode,
        "GROUPING" | "GROUPING_ID" => AggregateKind::Grouping,
        "GROUP_ID" => AggregateKind::GroupId,
        "STDDEV" => AggregateKind::StdDev,
        "VARIANCE" => AggregateKind::Variance,
        _ => return None,
    })
}

fn window_kind(name: &str) -> Option<WindowKind> {
    Some(match name {
        "ROW_NUMBER" => WindowKind::RowNumber,
        "RANK" => WindowKind::Rank,
        "DENSE_RANK" => WindowKind::DenseRank,
        "LAG" => WindowKind::Lag,
        "LEAD" => WindowKind::Lead,
        "FIRST_VALUE" => WindowKind::FirstValue,
        "LAST_VALUE" => WindowKind::LastValue,
        "NTILE" => WindowKind::NTile,
        "RATIO_TO_REPORT" => WindowKind::RatioToReport,
        other => WindowKind::Aggregate(aggregate_kind(other)?),
    })
}

/// Whether SQL itself has a function of this name.
pub(crate) fn is_builtin(name: &[String]) -> bool {
    const LAZY: [&str; 7] =
        ["NVL", "NVL2", "NULLIF", "COALESCE", "DECODE", "SYS_CONNECT_BY_PATH", "LNNVL"];
    match name {
        [name] => {
            functions::find(name).is_some()
                || LAZY.contains(&name.as_str())
                || window_kind(name).is_some()
        }
        [package, _] => package == "STANDARD" || functions::find(&name.join(".")).is_some(),
        _ => false,
    }
}

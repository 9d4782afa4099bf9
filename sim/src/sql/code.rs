//! A query with every name resolved: what the executor runs. A plan is made for one execution, so binds and the time
//! are constants in it, and what it reads from the catalog is kept in it.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::ast::{Binary, Join, SetOperator};
use super::functions::Function;
use crate::conversation::ResultColumn;
use crate::value::{ColumnType, Digits, Number, Value};

/// Rows of one source.
pub(crate) type Rows = Rc<Vec<Vec<Value>>>;

/// The rows of the level before, which the recursive member of a WITH reads.
pub(crate) type Feed = Rc<RefCell<Rows>>;

/// Rows of one source by the key of a join.
pub(crate) type Index = Rc<HashMap<Vec<Key>, Vec<u32>>>;

#[derive(Debug)]
pub(crate) enum Code {
    Const(Value),
    Column(Column),
    RowNum,
    Level,
    IsLeaf,
    IsCycle,
    Prior(Box<Code>),
    Root(Box<Code>),
    /// SYS_CONNECT_BY_PATH.
    Path(Box<Code>, Box<Code>),
    Negate(Box<Code>),
    Arithmetic(Binary, Box<Code>, Box<Code>),
    Concat(Box<Code>, Box<Code>),
    Compare {
        operator: Binary,
        left: Box<Code>,
        right: Box<Code>,
        padded: bool,
    },
    And(Vec<Code>),
    Or(Vec<Code>),
    Not(Box<Code>),
    IsNull(Box<Code>),
    Like {
        value: Box<Code>,
        pattern: Box<Code>,
        escape: Option<Box<Code>>,
    },
    Exists(Box<Subquery>),
    Scalar(Box<Subquery>),
    /// `= ANY`, which is IN, or `> ALL`; several values for rows.
    Quantified {
        operator: Binary,
        all: bool,
        values: Vec<Code>,
        query: Box<Subquery>,
    },
    Case {
        arms: Vec<(Code, Code)>,
        otherwise: Box<Code>,
    },
    Decode(Vec<Code>),
    Coalesce(Vec<Code>),
    Nvl2(Box<[Code; 3]>),
    Call(&'static Function, Vec<Code>),
    Cast(Box<Code>, ColumnType, Option<Digits>),
    Extract(String, Box<Code>),
    AtTimeZone(Box<Code>, Box<Code>),
    /// `DEFAULT … ON CONVERSION ERROR`.
    Rescue(Box<Code>, Box<Code>),
    Aggregate(usize),
    Window(usize),
}

/// A column of a block `depth` levels up.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) depth: usize,
    pub(crate) source: usize,
    pub(crate) slot: usize,
    /// `(+)` stood behind it.
    pub(crate) outer: bool,
    pub(crate) at: usize,
}

/// A query inside an expression.
#[derive(Debug)]
pub(crate) struct Subquery {
    pub(crate) plan: Plan,
    /// It reads columns of the blocks around it, so its rows differ from row to row.
    pub(crate) correlated: bool,
    pub(crate) cache: OnceCell<Rows>,
    /// The keys of `cache`, and whether there is a NULL among them, once IN has asked.
    pub(crate) keys: OnceCell<(std::collections::HashSet<Key>, bool)>,
}

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) columns: Vec<ResultColumn>,
    pub(crate) body: Body,
    /// Of a compound query, where only its columns can be ordered by.
    pub(crate) order: Vec<(usize, Sorting)>,
    pub(crate) limit: Option<Limit>,
}

#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) offset: Option<Code>,
    pub(crate) count: Option<Code>,
    pub(crate) percent: bool,
    pub(crate) ties: bool,
}

#[derive(Debug)]
pub(crate) enum Body {
    Block(Box<Block>),
    Set {
        operator: SetOperator,
        left: Box<Plan>,
        right: Box<Plan>,
    },
    Nested(Box<Plan>),
    /// A recursive WITH.
    Recursive {
        anchor: Box<Plan>,
        member: Box<Plan>,
        feed: Feed,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sorting {
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

#[derive(Debug)]
pub(crate) struct OrderKey {
    pub(crate) code: Code,
    pub(crate) sorting: Sorting,
}

/// One SELECT.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) sources: Vec<Source>,
    /// How the sources are joined, in this order.
    pub(crate) steps: Vec<Step>,
    /// What remains of WHERE after the joins.
    pub(crate) filter: Vec<Code>,
    pub(crate) connect: Option<Connect>,
    pub(crate) grouped: bool,
    pub(crate) keys: Vec<Code>,
    /// Which of the keys each grouping has; one with all of them unless the statement says more.
    pub(crate) sets: Vec<Vec<usize>>,
    pub(crate) aggregates: Vec<Aggregate>,
    pub(crate) having: Option<Code>,
    pub(crate) windows: Vec<Window>,
    pub(crate) select: Vec<Code>,
    pub(crate) distinct: bool,
    pub(crate) order: Vec<(OrderTarget, Sorting)>,
    pub(crate) siblings: bool,
}

#[derive(Debug)]
pub(crate) enum OrderTarget {
    /// A column of the result.
    Output(usize),
    Code(Code),
}

#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) kind: SourceKind,
    /// Conditions on this source alone, tested while it is read.
    pub(crate) filter: Vec<Code>,
    /// Its rows cannot be kept: they depend on the blocks around.
    pub(crate) correlated: bool,
    pub(crate) rows: OnceCell<Rows>,
    pub(crate) index: RefCell<Option<Index>>,
}

#[derive(Debug)]
pub(crate) enum SourceKind {
    Dual(Vec<usize>),
    /// A table and the places of the columns that are read.
    Table(String, Vec<usize>),
    View(Plan, Vec<usize>),
    /// Run for each row of the sources before it.
    Lateral(Plan, Vec<usize>),
    Feed(Feed, Vec<usize>),
}

#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) source: usize,
    pub(crate) join: Join,
    /// Pairs that have to be equal: of what is joined already, and of this source.
    pub(crate) equal: Vec<(Code, Code)>,
    pub(crate) on: Vec<Code>,
    /// Parts of WHERE that can be tested from here on.
    pub(crate) after: Vec<Code>,
}

#[derive(Debug)]
pub(crate) struct Connect {
    pub(crate) start: Option<Code>,
    pub(crate) condition: Vec<Code>,
    /// Pairs of a parent's value and a child's that have to be equal.
    pub(crate) equal: Vec<(Code, Code)>,
    pub(crate) no_cycle: bool,
    pub(crate) has_prior: bool,
}

#[derive(Debug)]
pub(crate) struct Aggregate {
    pub(crate) kind: AggregateKind,
    pub(crate) arguments: Vec<Code>,
    pub(crate) distinct: bool,
    pub(crate) order: Vec<OrderKey>,
    pub(crate) keep_last: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AggregateKind {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    ListAgg,
    Median,
    StdDev,
    Variance,
    StatsMode,
    /// PERCENTILE_CONT and PERCENTILE_DISC: between two values, or one of them.
    PercentileCont,
    PercentileDisc,
    /// The value of a key, NULL in a grouping without it.
    Key,
    /// GROUPING and GROUPING_ID: a bit per argument, 1 where the grouping lacks it.
    Grouping,
    /// GROUP_ID: how many equal groupings came before.
    GroupId,
}

#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) kind: WindowKind,
    pub(crate) arguments: Vec<Code>,
    pub(crate) distinct: bool,
    pub(crate) partition: Vec<Code>,
    pub(crate) order: Vec<OrderKey>,
    pub(crate) whole: bool,
    pub(crate) rows: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WindowKind {
    RowNumber,
    Rank,
    DenseRank,
    Lag,
    Lead,
    FirstValue,
    LastValue,
    NTile,
    RatioToReport,
    Aggregate(AggregateKind),
}

/// A value as it is grouped, joined and made distinct by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Null,
    Number(Number),
    Text(String),
    /// Nanoseconds since 1970, or of an interval.
    Time(i128),
    Months(i32),
    Raw(Vec<u8>),
    Bits(u64),
}

impl Key {
    pub(crate) fn of(value: &Value) -> Self {
        const NANOS: i128 = super::datetime::NANOS;
        match value {
            Value::Null => Self::Null,
            Value::Number(number) => Self::Number(*number),
            Value::Text(text) | Value::RowId(text) => Self::Text(text.clone()),
            Value::Date(seconds) => Self::Time(i128::from(*seconds) * NANOS),
            Value::Timestamp { seconds, nanos } | Value::TimestampTz { seconds, nanos, .. } => {
                Self::Time(i128::from(*seconds) * NANOS + i128::from(*nanos))
            }
            Value::IntervalDs(nanos) => Self::Time(*nanos),
            Value::IntervalYm(months) => Self::Months(*months),
            Value::Raw(bytes) => Self::Raw(bytes.clone()),
            Value::Double(float) => Self::Bits((float + 0.0).to_bits()),
        }
    }
}

impl Code {
    /// Calls `visit` for this code and all codes inside it, but not inside subqueries.
    pub(crate) fn walk<'c>(&'c self, visit: &mut dyn FnMut(&'c Code)) {
        visit(self);
        let mut children = Vec::new();
        self.children(&mut children);
        for child in children {
            child.walk(visit);
        }
    }

    /// True if there is a subquery in it.
    pub(crate) fn asks(&self) -> bool {
        self.any(&mut |part| {
            matches!(part, Self::Exists(_) | Self::Scalar(_) | Self::Quantified { .. })
        })
    }

    /// True if `found` holds for any part, outside subqueries.
    pub(crate) fn any(&self, found: &mut dyn FnMut(&Code) -> bool) -> bool {
        let mut result = false;
        self.walk(&mut |code| result |= found(code));
        result
    }

    /// The same expression, as GROUP BY asks; subqueries are never the same.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let all =
            |a: &[Self], b: &[Self]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b));
        match (self, other) {
            (Self::Const(a), Self::Const(b)) => a == b,
            (Self::Column(a), Self::Column(b)) => {
                (a.depth, a.source, a.slot) == (b.depth, b.source, b.slot)
            }
            (Self::RowNum, Self::RowNum)
            | (Self::Level, Self::Level)
            | (Self::IsLeaf, Self::IsLeaf)
            | (Self::IsCycle, Self::IsCycle) => true,
            (Self::Prior(a), Self::Prior(b))
            | (Self::Root(a), Self::Root(b))
            | (Self::Negate(a), Self::Negate(b))
            | (Self::Not(a), Self::Not(b))
            | (Self::IsNull(a), Self::IsNull(b)) => a.same(b),
            (Self::Cast(a, to, scale), Self::Cast(b, other, other_scale)) => {
                to == other && scale == other_scale && a.same(b)
            }
            (Self::Extract(field, a), Self::Extract(other, b)) => field == other && a.same(b),
            (Self::Arithmetic(x, left, right), Self::Arithmetic(y, other_left, other_right)) => {
                x == y && left.same(other_left) && right.same(other_right)
            }
            (Self::Concat(a, b), Self::Concat(c, d))
            | (Self::Path(a, b), Self::Path(c, d))
            | (Self::AtTimeZone(a, b), Self::AtTimeZone(c, d))
            | (Self::Rescue(a, b), Self::Rescue(c, d)) => a.same(c) && b.same(d),
            (
                Self::Compare { operator, left, right, .. },
                Self::Compare { operator: other, left: other_left, right: other_right, .. },
            ) => operator == other && left.same(other_left) && right.same(other_right),
            (Self::And(a), Self::And(b))
            | (Self::Or(a), Self::Or(b))
            | (Self::Decode(a), Self::Decode(b))
            | (Self::Coalesce(a), Self::Coalesce(b)) => all(a, b),
            (Self::Nvl2(a), Self::Nvl2(b)) => all(a.as_slice(), b.as_slice()),
            (Self::Call(f, a), Self::Call(g, b)) => f.name == g.name && all(a, b),
            (
                Self::Like { value, pattern, escape },
                Self::Like { value: other_value, pattern: other_pattern, escape: other_escape },
            ) => {
                let escapes = match (escape, other_escape) {
                    (Some(a), Some(b)) => a.same(b),
                    (a, b) => a.is_none() && b.is_none(),
                };
                escapes && value.same(other_value) && pattern.same(other_pattern)
            }
            (
                Self::Case { arms, otherwise },
                Self::Case { arms: other_arms, otherwise: other_otherwise },
            ) => {
                arms.len() == other_arms.len()
                    && arms.iter().zip(other_arms).all(|(a, b)| a.0.same(&b.0) && a.1.same(&b.1))
                    && otherwise.same(other_otherwise)
            }
            _ => false,
        }
    }

    /// Puts something else in the place of every part for which `other` has it.
    pub(crate) fn replace(&mut self, other: &dyn Fn(&Code) -> Option<Code>) {
        if let Some(code) = other(self) {
            *self = code;
            return;
        }
        for child in self.children_mut() {
            child.replace(other);
        }
    }

    fn children_mut(&mut self) -> Vec<&mut Code> {
        match self {
            Self::Const(_)
            | Self::Column(_)
            | Self::RowNum
            | Self::Level
            | Self::IsLeaf
            | Self::IsCycle
            | Self::Exists(_)
            | Self::Scalar(_)
            | Self::Aggregate(_)
            | Self::Window(_) => Vec::new(),
            Self::Prior(inner)
            | Self::Root(inner)
            | Self::Negate(inner)
            | Self::Not(inner)
            | Self::IsNull(inner)
            | Self::Cast(inner, ..)
            | Self::Extract(_, inner) => vec![inner],
            Self::Path(a, b)
            | Self::Arithmetic(_, a, b)
            | Self::Concat(a, b)
            | Self::Compare { left: a, right: b, .. }
            | Self::AtTimeZone(a, b)
            | Self::Rescue(a, b) => vec![a, b],
            Self::And(list)
            | Self::Or(list)
            | Self::Decode(list)
            | Self::Coalesce(list)
            | Self::Call(_, list)
            | Self::Quantified { values: list, .. } => list.iter_mut().collect(),
            Self::Nvl2(list) => list.iter_mut().collect(),
            Self::Like { value, pattern, escape } => {
                [value, pattern].into_iter().chain(escape).map(|part| &mut **part).collect()
            }
            Self::Case { arms, otherwise } => {
                let parts = arms.iter_mut().flat_map(|(when, then)| [when, then]);
                parts.chain([&mut **otherwise]).collect()
            }
        }
    }

    /// Calls `visit` for the parts; those for which it returns true are not looked into.
    pub(crate) fn check(
        &self,
        visit: &mut dyn FnMut(&Code) -> Result<bool, crate::ora::OraError>,
    ) -> Result<(), crate::ora::OraError> {
        if visit(self)? {
            return Ok(());
        }
        let mut children = Vec::new();
        self.children(&mut children);
        children.into_iter().try_for_each(|code| code.check(visit))
    }

    /// The direct parts.
    fn children<'c>(&'c self, children: &mut Vec<&'c Code>) {
        match self {
            Self::Const(_)
            | Self::Column(_)
            | Self::RowNum
            | Self::Level
            | Self::IsLeaf
            | Self::IsCycle
            | Self::Exists(_)
            | Self::Scalar(_)
            | Self::Aggregate(_)
            | Self::Window(_) => {}
            Self::Prior(inner)
            | Self::Root(inner)
            | Self::Negate(inner)
            | Self::Not(inner)
            | Self::IsNull(inner)
            | Self::Cast(inner, ..)
            | Self::Extract(_, inner) => children.push(inner),
            Self::Path(a, b)
            | Self::Arithmetic(_, a, b)
            | Self::Concat(a, b)
            | Self::Compare { left: a, right: b, .. }
            | Self::AtTimeZone(a, b)
            | Self::Rescue(a, b) => children.extend([&**a, &**b]),
            Self::And(list)
            | Self::Or(list)
            | Self::Decode(list)
            | Self::Coalesce(list)
            | Self::Call(_, list) => {
                children.extend(list);
            }
            Self::Quantified { values, .. } => children.extend(values),
            Self::Nvl2(list) => children.extend(list.iter()),
            Self::Like { value, pattern, escape } => {
                children.extend([&**value, &**pattern]);
                children.extend(escape.as_deref());
            }
            Self::Case { arms, otherwise } => {
                for (when, then) in arms {
                    children.extend([when, then]);
                }
                children.push(otherwise);
            }
        }
    }
}

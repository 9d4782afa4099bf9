//! The syntax tree. Every name is as the dictionary has it: upper-case unless it was quoted. `at` is a place in the
//! text, in characters.

use super::dml::Target;
use super::statement::{Command, RowLocks};
use crate::conversation::Direction;
use crate::value::{ColumnType, Digits, Value};

/// An expression or a condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExprKind {
    Literal(Value, ColumnType),
    /// TRUE and FALSE of PL/SQL.
    Boolean(bool),
    /// `a`, `t.a`, `o.t.a`; with `(+)` behind it or not.
    Name {
        parts: Vec<String>,
        outer: bool,
    },
    /// By place.
    Bind(usize),
    Unary(Unary, Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    Between {
        value: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
    },
    In {
        value: Box<Expr>,
        list: Vec<Expr>,
    },
    InQuery {
        value: Box<Expr>,
        query: Box<Query>,
    },
    /// `= ANY (…)`, `> ALL (…)`.
    Quantified {
        operator: Binary,
        all: bool,
        value: Box<Expr>,
        right: Box<Quantity>,
    },
    Exists(Box<Query>),
    Like {
        value: Box<Expr>,
        pattern: Box<Expr>,
        escape: Option<Box<Expr>>,
    },
    IsNull(Box<Expr>),
    /// `(a, b)` before IN or `=`.
    Row(Vec<Expr>),
    Case {
        operand: Option<Box<Expr>>,
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    /// With the digits that a NUMBER has.
    Cast(Box<Expr>, ColumnType, Option<Digits>),
    Extract(String, Box<Expr>),
    AtTimeZone(Box<Expr>, Box<Expr>),
    Call(Box<Call>),
    Query(Box<Query>),
    /// `SQL%ROWCOUNT`, `c%NOTFOUND`.
    Attribute(String, String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Quantity {
    List(Vec<Expr>),
    Query(Box<Query>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unary {
    Minus,
    Not,
    Prior,
    ConnectByRoot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Concat,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
}

impl Binary {
    /// Arithmetic and `||`, of which chains are long.
    pub(crate) const fn is_link(self) -> bool {
        matches!(
            self,
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Power | Self::Concat
        )
    }
}

/// `f(…)`, an aggregate or an analytic function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: Vec<String>,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) distinct: bool,
    /// COUNT(*).
    pub(crate) star: bool,
    /// WITHIN GROUP (ORDER BY …), or KEEP (DENSE_RANK …).
    pub(crate) within: Vec<OrderItem>,
    /// KEEP (DENSE_RANK FIRST|LAST …): true for LAST.
    pub(crate) keep_last: Option<bool>,
    pub(crate) over: Option<Over>,
    /// DEFAULT … ON CONVERSION ERROR.
    pub(crate) default: Option<Expr>,
    /// Without parentheses there is no argument list at all: `SYSDATE`.
    pub(crate) parentheses: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    pub(crate) name: Option<String>,
    pub(crate) value: Expr,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Over {
    pub(crate) partition: Vec<Expr>,
    pub(crate) order: Vec<OrderItem>,
    /// ROWS/RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING.
    pub(crate) whole: bool,
    /// ROWS … CURRENT ROW rather than RANGE.
    pub(crate) rows: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OrderItem {
    pub(crate) value: Expr,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    pub(crate) with: Vec<Cte>,
    pub(crate) body: Body,
    pub(crate) order: Vec<OrderItem>,
    /// ORDER SIBLINGS BY.
    pub(crate) siblings: bool,
    pub(crate) limit: Option<Limit>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cte {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    pub(crate) query: Query,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limit {
    pub(crate) offset: Option<Expr>,
    pub(crate) count: Option<Expr>,
    pub(crate) percent: bool,
    pub(crate) ties: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Select(Box<Select>),
    Set { operator: SetOperator, left: Box<Body>, right: Box<Body>, at: usize },
    Nested(Box<Query>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetOperator {
    Union,
    UnionAll,
    Minus,
    Intersect,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Select {
    pub(crate) distinct: bool,
    pub(crate) items: Vec<Item>,
    pub(crate) from: Vec<From>,
    pub(crate) filter: Option<Expr>,
    pub(crate) connect: Option<Connect>,
    pub(crate) group: Vec<Expr>,
    /// ROLLUP, CUBE, GROUPING SETS and `()`: which of the keys each grouping has. Without them there is one with all.
    pub(crate) sets: Option<Vec<Vec<usize>>>,
    pub(crate) having: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Star,
    TableStar(Vec<String>, usize),
    Expr { value: Expr, name: String, alias: bool },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct From {
    pub(crate) source: Source,
    pub(crate) alias: Option<String>,
    pub(crate) join: Join,
    pub(crate) on: Option<Expr>,
    pub(crate) using: Vec<String>,
    /// NATURAL JOIN: USING all the columns that both sides have.
    pub(crate) natural: bool,
    pub(crate) pivot: Option<Box<Pivot>>,
    pub(crate) at: usize,
}

/// `PIVOT (SUM(a) AS s FOR c IN (1 AS one))`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pivot {
    /// With their aliases.
    pub(crate) aggregates: Vec<(Call, Option<String>)>,
    pub(crate) column: String,
    /// With the names of their columns.
    pub(crate) values: Vec<(Expr, String)>,
    pub(crate) at: usize,
}

impl From {
    /// A source by itself.
    pub(crate) const fn new(source: Source, alias: Option<String>, join: Join, at: usize) -> Self {
        Self { source, alias, join, on: None, using: Vec::new(), natural: false, pivot: None, at }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    Table(Vec<String>),
    Query(Box<Query>),
    /// LATERAL, APPLY: it reads the sources before it.
    Lateral(Box<Query>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    Comma,
    Inner,
    Left,
    Right,
    Full,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Connect {
    pub(crate) start: Option<Expr>,
    pub(crate) condition: Expr,
    pub(crate) no_cycle: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Dml {
    Insert {
        table: Vec<String>,
        columns: Vec<(String, usize)>,
        source: InsertSource,
        returning: Returning,
        at: usize,
    },
    Update {
        table: Vec<String>,
        alias: Option<String>,
        set: Vec<(String, usize, Expr)>,
        filter: Option<Expr>,
        returning: Returning,
        at: usize,
    },
    Delete {
        table: Vec<String>,
        alias: Option<String>,
        filter: Option<Expr>,
        returning: Returning,
        at: usize,
    },
    Merge(Box<Merge>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Merge {
    pub(crate) target: From,
    pub(crate) source: From,
    pub(crate) on: Expr,
    pub(crate) update: Option<MergeUpdate>,
    pub(crate) insert: Option<MergeInsert>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MergeUpdate {
    pub(crate) set: Vec<(String, usize, Expr)>,
    pub(crate) filter: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MergeInsert {
    pub(crate) columns: Vec<(String, usize)>,
    pub(crate) values: Vec<Expr>,
    pub(crate) filter: Option<Expr>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InsertSource {
    Values(Vec<Expr>),
    Query(Box<Query>),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Returning {
    pub(crate) values: Vec<Expr>,
    pub(crate) into: Vec<Target>,
    /// BULK COLLECT.
    pub(crate) bulk: bool,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Block {
    pub(crate) declarations: Vec<Declaration>,
    pub(crate) body: Vec<Stmt>,
    pub(crate) handlers: Vec<Handler>,
    /// Of the outermost block: per bind whether the block reads it and whether it writes it.
    pub(crate) bind_uses: Vec<BindUse>,
    /// Where each line of the text begins, so that errors can name line and column.
    pub(crate) lines: Vec<usize>,
    /// Of the outermost block: the names before %TYPE.
    pub(crate) likes: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct BindUse {
    pub(crate) reads: u32,
    pub(crate) written: bool,
    /// It is opened as a cursor, which is the only way to write such a bind.
    pub(crate) opened: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Declaration {
    pub(crate) name: String,
    pub(crate) kind: DeclarationKind,
    pub(crate) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DeclarationKind {
    Variable {
        declared: Declared,
        initial: Option<Expr>,
        constant: bool,
        not_null: bool,
    },
    Exception,
    ExceptionInit(i64),
    Cursor {
        query: Box<Query>,
        parameters: Vec<(String, Declared)>,
    },
    /// SYS_REFCURSOR.
    Reference,
    Collection {
        type_name: String,
        element: Declared,
        /// What the elements are if they are records.
        record: Option<Box<DeclarationKind>>,
        index: Option<IndexBy>,
        initial: Option<Expr>,
    },
    Record(Vec<(String, Declared)>),
    /// `t%ROWTYPE`.
    RowType(Vec<String>),
    Nothing,
}

/// INDEX BY: elements come and go one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexBy {
    /// PLS_INTEGER and its kin.
    Number,
    /// VARCHAR2.
    Text,
}

/// The type of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    Sql(ColumnType, Option<Digits>),
    /// PLS_INTEGER and its subtypes: rounded, and what they may be at least and at most.
    Integer(i32, i32),
    Boolean,
    /// `x%TYPE`: that of a column or a variable, by its place in [`Block::likes`].
    Like(usize),
    /// A loop's index and the like: holds anything.
    Anything,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stmt {
    pub(crate) kind: StmtKind,
    pub(crate) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StmtKind {
    Null,
    Assign(Target, Expr),
    If {
        arms: Vec<(Expr, Vec<Stmt>)>,
        otherwise: Vec<Stmt>,
    },
    Case {
        operand: Option<Expr>,
        arms: Vec<(Expr, Vec<Stmt>)>,
        otherwise: Option<Vec<Stmt>>,
    },
    Loop {
        label: Option<String>,
        kind: LoopKind,
        body: Vec<Stmt>,
    },
    Exit {
        label: Option<String>,
        when: Option<Expr>,
    },
    Continue {
        label: Option<String>,
        when: Option<Expr>,
    },
    Block(Box<Block>),
    Raise(Option<String>),
    Return,
    /// SELECT … INTO; the lock wait is there for FOR UPDATE.
    Select {
        query: Box<Query>,
        into: Vec<Target>,
        lock: Option<RowLocks>,
        /// BULK COLLECT.
        bulk: bool,
    },
    /// Another SQL statement.
    Sql(Box<Command>),
    Dynamic {
        text: Expr,
        into: Vec<Target>,
        bulk: bool,
        using: Vec<(Expr, Direction)>,
        returning: Vec<Target>,
    },
    Call {
        name: Vec<String>,
        arguments: Vec<Argument>,
    },
    Open {
        cursor: String,
        arguments: Vec<Argument>,
    },
    /// OPEN a bind or a reference FOR a query.
    OpenFor {
        target: Target,
        query: Box<Query>,
    },
    /// The same for a text.
    OpenText {
        target: Target,
        text: Expr,
        using: Vec<(Expr, Direction)>,
    },
    Fetch {
        cursor: String,
        into: Vec<Target>,
        bulk: bool,
        limit: Option<Expr>,
    },
    AssignElement {
        name: String,
        index: Expr,
        value: Expr,
    },
    ForAll {
        variable: String,
        low: Expr,
        high: Expr,
        body: Box<Stmt>,
    },
    Close(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LoopKind {
    Forever,
    While(Expr),
    Range { variable: String, low: Expr, high: Expr, reverse: bool },
    Query { variable: String, query: Box<Query> },
    Cursor { variable: String, cursor: String, arguments: Vec<Argument> },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Handler {
    /// Upper-case; `OTHERS` for all.
    pub(crate) names: Vec<String>,
    pub(crate) body: Vec<Stmt>,
    pub(crate) at: usize,
}

impl Expr {
    /// The direct parts, without those inside subqueries.
    pub(crate) fn parts_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Literal(..)
            | ExprKind::Boolean(_)
            | ExprKind::Name { .. }
            | ExprKind::Bind(_)
            | ExprKind::Exists(_)
            | ExprKind::Query(_)
            | ExprKind::Attribute(..) => Vec::new(),
            ExprKind::Unary(_, inner)
            | ExprKind::IsNull(inner)
            | ExprKind::Cast(inner, ..)
            | ExprKind::Extract(_, inner)
            | ExprKind::InQuery { value: inner, .. } => vec![inner],
            ExprKind::Binary(_, a, b) | ExprKind::AtTimeZone(a, b) => vec![a, b],
            ExprKind::Between { value, low, high } => vec![value, low, high],
            ExprKind::In { value, list } => std::iter::once(&mut **value).chain(list).collect(),
            ExprKind::Quantified { value, .. } => vec![value],
            ExprKind::Like { value, pattern, escape } => {
                [value, pattern].into_iter().chain(escape).map(|part| &mut **part).collect()
            }
            ExprKind::Row(list) => list.iter_mut().collect(),
            ExprKind::Case { operand, arms, otherwise } => {
                let mut parts: Vec<&mut Expr> =
                    operand.iter_mut().chain(otherwise).map(|part| &mut **part).collect();
                for (when, then) in arms {
                    parts.extend([when, then]);
                }
                parts
            }
            ExprKind::Call(call) => {
                call.arguments.iter_mut().map(|argument| &mut argument.value).collect()
            }
        }
    }
}

impl Query {
    /// SELECT items FROM … WHERE ….
    pub(crate) fn plain(items: Vec<Item>, from: Vec<From>, filter: Option<Expr>) -> Self {
        let select = Select {
            distinct: false,
            items,
            from,
            filter,
            connect: None,
            group: Vec::new(),
            sets: None,
            having: None,
        };
        let body = Body::Select(Box::new(select));
        Self { with: Vec::new(), body, order: Vec::new(), siblings: false, limit: None }
    }
}

impl Dml {
    pub(crate) const fn returning(&self) -> Option<&Returning> {
        match self {
            Self::Insert { returning, .. }
            | Self::Update { returning, .. }
            | Self::Delete { returning, .. } => Some(returning),
            Self::Merge(_) => None,
        }
    }

    /// What has to be granted on the table.
    pub(crate) fn privileges(&self) -> Vec<&'static str> {
        match self {
            Self::Insert { .. } => vec!["INSERT"],
            Self::Update { .. } => vec!["UPDATE"],
            Self::Delete { .. } => vec!["DELETE"],
            Self::Merge(merge) => {
                let update = merge.update.as_ref().map(|_| "UPDATE");
                update.into_iter().chain(merge.insert.as_ref().map(|_| "INSERT")).collect()
            }
        }
    }

    /// Queries that name the same table and columns, and so fail to compile where the statement would.
    pub(crate) fn reads(&self) -> Vec<Query> {
        let item = |value: Expr| Item::Expr { value, name: String::new(), alias: false };
        let column = |(name, at): &(String, usize)| {
            let kind = ExprKind::Name { parts: vec![name.clone()], outer: false };
            item(Expr { kind, at: *at })
        };
        let (table, alias, at, items, filter) = match self {
            Self::Merge(merge) => return merge.reads(),
            Self::Insert { table, columns, at, .. } => {
                (table, None, *at, columns.iter().map(column).collect(), None)
            }
            Self::Update { table, alias, set, filter, at, .. } => {
                let columns = set.iter().map(|(name, at, _)| column(&(name.clone(), *at)));
                let values = set.iter().map(|(.., value)| item(value.clone()));
                (table, alias.clone(), *at, columns.chain(values).collect(), filter.clone())
            }
            Self::Delete { table, alias, filter, at, .. } => {
                (table, alias.clone(), *at, Vec::new(), filter.clone())
            }
        };
        let items = if items.is_empty() { vec![Item::Star] } else { items };
        let source = Source::Table(table.clone());
        let from = From::new(source, alias, Join::Comma, at);
        let query = Query::plain(items, vec![from], filter);
        match self {
            Self::Insert { source: InsertSource::Query(inner), .. } => {
                vec![query, (**inner).clone()]
            }
            _ => vec![query],
        }
    }
}

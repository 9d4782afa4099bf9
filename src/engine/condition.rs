//! What a rule asks of a session: a tree of [`Leaf`] tests under SQL's three-valued logic.
//!
//! This file holds the vocabulary only: fields, tests, truth. Deciding them is `engine::evaluate`'s and
//! `engine::explain`'s work; building them from YAML is `config::conditions`'.

use regex::Regex;

use super::like::Like;
use super::text::fold;

/// SQL's truth values, ordered so that AND is the minimum and OR the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// Known not to hold.
    False,
    /// Not known: a NULL, an absent column, a value that is not defined in the session's state.
    Unknown,
    /// Known to hold. Only this acts.
    True,
}

impl Truth {
    /// The known truth of a fact.
    pub const fn of(fact: bool) -> Self {
        if fact { Self::True } else { Self::False }
    }

    /// NOT: unknown stays unknown.
    #[must_use]
    pub const fn negated(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

/// What kind of matcher a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// Text matchers: scalar, `like`, `regex`, `in_set`, lists.
    Text,
    /// Text matchers on a SQL_ID: 13 characters of base 32.
    SqlId,
    /// A number that names something: a number, a list, an operator string, `not`.
    Identifier,
    /// An operator and a length of time.
    Duration,
    /// An operator and a number.
    Number,
    /// `true` or `false`.
    Flag,
    /// The name of a query.
    Query,
}

macro_rules! fields {
    ($($variant:ident = $name:literal, $kind:ident, $doc:literal;)*) => {
        /// What a condition can ask about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Field { $(#[doc = $doc] $variant,)* }

        impl Field {
            /// Every field, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The key in a policy file.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What kind of matcher it takes.
            pub const fn kind(self) -> FieldKind {
                match self { $(Self::$variant => FieldKind::$kind,)* }
            }

            /// What it means, for the reference and the schema.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

fields! {
    Username = "username", Text, "database user";
    Osuser = "osuser", Text, "operating system user, as the client reports it";
    Machine = "machine", Text, "client host, as the client reports it";
    Program = "program", Text, "client program, as the client reports it";
    Module = "module", Text, "DBMS_APPLICATION_INFO module";
    Action = "action", Text, "DBMS_APPLICATION_INFO action";
    ClientInfo = "client_info", Text, "DBMS_APPLICATION_INFO client info";
    ClientIdentifier = "client_identifier", Text, "DBMS_SESSION identifier";
    ServiceName = "service_name", Text, "service used at logon";
    Schemaname = "schemaname", Text, "current schema";
    Terminal = "terminal", Text, "client terminal";
    Process = "process", Text, "client process id";
    Server = "server", Text, "DEDICATED, SHARED, PSEUDO, POOLED or NONE";
    Status = "status", Text, "ACTIVE, INACTIVE, KILLED, CACHED or SNIPED";
    Type = "type", Text, "USER, BACKGROUND or RECURSIVE";
    WaitEvent = "wait_event", Text, "the event now waited for; undefined unless STATE is WAITING";
    WaitClass = "wait_class", Text, "its class; undefined unless STATE is WAITING";
    ResourceConsumerGroup = "resource_consumer_group", Text, "current consumer group";
    Container = "container", Text, "container name";
    InstanceName = "instance_name", Text, "instance name";
    SqlText = "sql_text", Text, "text of the statement now running; ACTIVE only";
    SqlTextNormalized = "sql_text_normalized", Text,
        "the same without comments (hints too) and with white space folded";
    Command = "command", Text, "command now running, by V$SQLCOMMAND name or number; ACTIVE only";
    InstId = "inst_id", Identifier, "instance number";
    Sid = "sid", Identifier, "session slot";
    Serial = "serial", Identifier, "SERIAL# of the slot";
    ConId = "con_id", Identifier, "container number";
    SqlId = "sql_id", SqlId, "statement now running; ACTIVE only";
    LastSqlId = "last_sql_id", SqlId, "statement executed last (PREV_SQL_ID)";
    SqlChild = "sql_child", Identifier, "child cursor of the running statement; ACTIVE only";
    PlanHash = "plan_hash", Identifier, "plan hash value of the running statement; ACTIVE only";
    ForceMatchingSignature = "force_matching_signature", Identifier,
        "signature of the running statement without literals; ACTIVE only";
    Audsid = "audsid", Identifier, "auditing session number";
    Port = "port", Identifier, "client port";
    IdleFor = "idle_for", Duration, "LAST_CALL_ET of an INACTIVE or SNIPED session; undefined for any other status";
    ActiveFor = "active_for", Duration, "LAST_CALL_ET of an ACTIVE session: how long the whole call has run";
    SqlRunningFor = "sql_running_for", Duration, "since SQL_EXEC_START; ACTIVE only";
    WaitingFor = "waiting_for", Duration, "length of the present wait; undefined unless STATE is WAITING";
    SessionAge = "session_age", Duration, "since LOGON_TIME";
    TransactionFor = "transaction_for", Duration, "since the transaction's START_DATE";
    BlockingFor = "blocking_for", Duration,
        "the longest wait of a session whose chain of waits ends at this one; undefined if none";
    BlockedSessions = "blocked_sessions", Number, "sessions whose chain of waits ends at this one, over all instances";
    UndoRecords = "undo_records", Number, "undo records of the open transaction";
    UndoBlocks = "undo_blocks", Number, "undo blocks of the open transaction";
    TempMb = "temp_mb", Number, "temporary space in MiB";
    PgaMb = "pga_mb", Number, "PGA in MiB";
    CpuSeconds = "cpu_seconds", Number, "CPU time used, in seconds";
    LogicalReads = "logical_reads", Number, "logical reads";
    PhysicalReads = "physical_reads", Number, "physical reads";
    InTransaction = "in_transaction", Flag, "a transaction is open";
    RootBlocker = "root_blocker", Flag, "blocks others and waits for nobody";
    OnCpu = "on_cpu", Flag, "ACTIVE and not waiting";
    ParallelCoordinator = "parallel_coordinator", Flag, "has parallel slaves working for it";
    LogonTime = "logon_time", Number, "when the session logged on; for ordering and grouping only";
    InQuery = "in_query", Query, "the named query returns this session; unknown on a capture";
}

impl Field {
    /// The field of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }

    /// How many stored units make one: fractions are kept to a thousandth where the source has them.
    pub const fn scale(self) -> i64 {
        match self {
            Self::TempMb | Self::PgaMb | Self::CpuSeconds => 1_000,
            _ => 1,
        }
    }

    /// True for fields that are about the statement now running: they are defined while ACTIVE only.
    pub const fn needs_active(self) -> bool {
        matches!(
            self,
            Self::SqlText
                | Self::SqlTextNormalized
                | Self::Command
                | Self::SqlId
                | Self::SqlChild
                | Self::PlanHash
                | Self::ForceMatchingSignature
                | Self::ActiveFor
                | Self::SqlRunningFor
        )
    }

    /// True for fields that are about the present wait: they are defined while STATE is WAITING only.
    pub const fn needs_waiting(self) -> bool {
        matches!(self, Self::WaitEvent | Self::WaitClass | Self::WaitingFor)
    }

    /// True for fields that need the rows of every instance to be right. A named query may read GV$ views.
    pub const fn spans_instances(self) -> bool {
        matches!(
            self,
            Self::BlockedSessions
                | Self::BlockingFor
                | Self::RootBlocker
                | Self::ParallelCoordinator
                | Self::InQuery
        )
    }
}

/// A predicate tree. AND and OR are Kleene's: unknown only matters where it could change the result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// `any_session: true`: everybody.
    AnySession,
    /// All hold.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It is known not to hold.
    Not(Box<Condition>),
    /// One test of one field.
    Leaf(Leaf),
}

impl Condition {
    /// Every leaf, in the order of the file.
    pub fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Self::AnySession => Vec::new(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::leaves).collect(),
            Self::Not(inner) => inner.leaves(),
            Self::Leaf(leaf) => vec![leaf],
        }
    }
}

/// One test of one field, as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Leaf {
    /// What is asked about.
    pub field: Field,
    /// What must hold.
    pub test: Test,
    /// The test as people read it: `> 30m`, `= APP`, `like JDBC%`, `in [APP, WEB]`, `is null`.
    pub shown: String,
}

impl Leaf {
    /// The query that it asks about, if it does.
    pub fn query(&self) -> Option<&str> {
        match &self.test {
            Test::InQuery(name) => Some(name),
            _ => None,
        }
    }
}

/// What must hold of a field's value. A missing value makes every test but [`Test::IsNull`] unknown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    /// Any of the patterns matches.
    Text(Vec<Pattern>),
    /// The number is one of these.
    OneOf(Vec<i64>),
    /// All comparisons hold. Values are in stored units: microseconds for durations, see [`Field::scale`] for numbers.
    Compare(Vec<Comparison>),
    /// The flag has this value.
    Flag(bool),
    /// The field has no value (`true`), or has one (`false`); unknown where the source has no such column.
    IsNull(bool),
    /// The query of this name returned the session.
    InQuery(String),
}

/// One way to match a text; all of them ignore case.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// The whole text, folded.
    Exact(String),
    /// SQL LIKE.
    Like(Like),
    /// A search, not anchored.
    Regex(Regex),
    /// The text, read as a whole number of up to 64 bits without a sign, compares so. [`in_order`] made the value.
    Unsigned(Comparison),
}

/// An unsigned number as a signed one that sorts alike, so that one kind of comparison serves both.
pub const fn in_order(number: u64) -> i64 {
    (number ^ (1 << 63)).cast_signed()
}

/// What [`in_order`] was made from.
pub const fn from_order(ordered: i64) -> u64 {
    ordered.cast_unsigned() ^ (1 << 63)
}

impl Pattern {
    /// The pattern that is exactly this text, in any case.
    pub fn exact(text: &str) -> Self {
        Self::Exact(fold(text).into_owned())
    }

    /// Whether it matches `text`, whose folded form is `folded`.
    pub fn matches(&self, text: &str, folded: &str) -> bool {
        match self {
            Self::Exact(whole) => whole == folded,
            Self::Like(like) => like.matches(folded),
            Self::Regex(regex) => regex.is_match(text),
            Self::Unsigned(comparison) => {
                text.parse().is_ok_and(|number| comparison.holds(in_order(number)))
            }
        }
    }

    /// What tells two patterns of one kind apart.
    fn identity(&self) -> (u8, &str, Option<Comparison>) {
        match self {
            Self::Exact(text) => (0, text, None),
            Self::Like(like) => (1, like.pattern(), None),
            Self::Regex(regex) => (2, regex.as_str(), None),
            Self::Unsigned(comparison) => (3, "", Some(*comparison)),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Pattern {}

impl std::hash::Hash for Pattern {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// How two numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
}

impl Operator {
    /// Every operator with its spelling, longer ones first so that a prefix search is right.
    pub const SPELLINGS: [(&'static str, Self); 6] = [
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        (">", Self::Greater),
        ("=", Self::Equal),
    ];
}

/// An operator and the value on its right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Comparison {
    /// The operator.
    pub operator: Operator,
    /// The value, in stored units.
    pub value: i64,
}

impl Comparison {
    /// Whether it holds of `observed`.
    pub const fn holds(self, observed: i64) -> bool {
        match self.operator {
            Operator::Less => observed < self.value,
            Operator::LessOrEqual => observed <= self.value,
            Operator::Equal => observed == self.value,
            Operator::NotEqual => observed != self.value,
            Operator::GreaterOrEqual => observed >= self.value,
            Operator::Greater => observed > self.value,
        }
    }
}

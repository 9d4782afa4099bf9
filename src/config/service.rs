//! `orawarden.yaml`: which policies, which databases, where to write.
//!
//! Everything of the language is read, also what this release cannot serve yet: a file is right or wrong by its own,
//! whatever the binary was built with. Secrets are named here, never written.

use std::net::SocketAddr;

use super::diagnostic::{Code, Diagnostics, Sink, SourceFile};
use super::durations::span;
use super::limits::{LIMITS, limits};
use super::notify::{HOOK, Hook, hooks};
use super::policies::{VERSION_KEY, check_version};
use super::secret::{secret, without_secrets};
use super::shape::{Fields, Key, Kind, Shape};
use super::suggest::did_you_mean_or_list;
use super::values::{any_list, count_as, filled_text, flag, list, name, one_or_many, word};
use super::yaml::{Node, excerpt, parse};
use crate::engine::policy::Limits;
use crate::engine::text::fold;
use crate::engine::time::Span;
use crate::engine::witness::AGE_MAX;

pub(super) static SERVICE_FILE: Shape = Shape {
    name: "configuration",
    doc: "the daemon's configuration",
    keys: &[
        VERSION_KEY,
        Key::required(
            "policies",
            Kind::OneOrMany(&Kind::Text),
            "policy files, directories or patterns",
        ),
        Key::required(
            "databases",
            Kind::List(&Kind::Map(&DATABASE)),
            "the databases that are watched",
        ),
        Key::optional("audit", Kind::Map(&AUDIT), "where the audit trail goes"),
        Key::optional("holds", Kind::Map(&HOLDS), "pauses and silences; default: there are none"),
        Key::optional("http", Kind::Map(&HTTP), "metrics, health and the status page"),
        Key::optional("log", Kind::Map(&LOG), "how the log is written"),
        Key::optional(
            "notify",
            Kind::List(&Kind::Map(&HOOK)),
            "who is told of what was done, and how",
        ),
    ],
};

pub(super) static DATABASE: Shape = Shape {
    name: "database",
    doc: "one database: a connection, or a capture for dry runs",
    keys: &[
        Key::required("name", Kind::Name, "unique; rules and logs speak of it"),
        Key::optional(
            "capture",
            Kind::Text,
            "a capture instead of a connection: dry run only, each tick takes the next snapshot",
        ),
        Key::optional(
            "driver",
            Kind::Words(&["oci", "thin"]),
            "oci (Oracle Client libraries, default) or thin (no client needed)",
        ),
        Key::optional("connect", Kind::Text, "Easy Connect, a descriptor, or a tnsnames alias"),
        Key::optional("username", Kind::Text, "the account"),
        Key::optional(
            "password",
            Kind::Map(&PASSWORD),
            "where the password is; never the password",
        ),
        Key::optional(
            "kill_via",
            Kind::Either(&[Kind::Words(&KILL_VIA), Kind::Map(&WRAPPER)]),
            "how kills are sent; default alter-system",
        ),
        Key::optional("deadlines", Kind::Map(&DEADLINES), "how long calls may take"),
        Key::optional(
            "leadership",
            Kind::Flag,
            "elect one enforcing daemon through the database; default true",
        ),
        Key::optional("concurrency", Kind::Count, "victims ended at once; default 4"),
        Key::optional(
            "config_dir",
            Kind::Text,
            "directory of tnsnames.ora and sqlnet.ora; default: the client's own (TNS_ADMIN)",
        ),
        Key::optional(
            "client_lib",
            Kind::Text,
            "directory of the Oracle Client libraries (oci); default: where the dynamic linker finds them",
        ),
        Key::optional(
            "wallet",
            Kind::Text,
            "directory of the wallet for TCPS (thin); with oci it stands in sqlnet.ora",
        ),
        Key::optional(
            "topology",
            Kind::Words(&["gv", "per-instance"]),
            "how several instances are reached: through GV$ views and @inst on any of them, or each by a connection \
             of its own and V$ views; default gv",
        ),
        Key::optional(
            "disconnect_at_instance",
            Kind::Flag,
            "send DISCONNECT with @inst to other instances, which the SQL reference does not document; default \
             false: a session to that instance is made instead",
        ),
        Key::optional(
            "limits",
            Kind::Map(&LIMITS),
            "limits over all rules of this database; default: none",
        ),
    ],
};

pub(super) static PASSWORD: Shape = Shape {
    name: "password",
    doc: "where the password is: one of these",
    keys: &[
        Key::optional("credential", Kind::Name, "a systemd credential"),
        Key::optional("file", Kind::Text, "a file that holds nothing else"),
        Key::optional("env", Kind::Text, "an environment variable"),
        Key::optional("wallet", Kind::True, "the client's wallet"),
    ],
};

pub(super) static WRAPPER: Shape = Shape {
    name: "kill_via map",
    doc: "a definer-rights procedure that ends sessions",
    keys: &[Key::required("wrapper", Kind::Text, "its name, SCHEMA.PROCEDURE")],
};

pub(super) static DEADLINES: Shape = Shape {
    name: "map of deadlines",
    doc: "how long calls may take; a look, which makes several of them, has to be over within 5 minutes",
    keys: &[
        Key::optional("connect", Kind::Span, "connecting; default 10s"),
        Key::optional("snapshot", Kind::Span, "reading all sessions; default 20s"),
        Key::optional(
            "kill",
            Kind::Span,
            "ending one; default 90s, because a plain KILL blocks 60 s",
        ),
    ],
};

pub(super) static AUDIT: Shape = Shape {
    name: "audit map",
    doc: "the audit trail",
    keys: &[Key::required("file", Kind::Text, "a file of JSON lines, appended to")],
};

pub(super) static HOLDS: Shape = Shape {
    name: "holds map",
    doc: "pauses and silences",
    keys: &[Key::required(
        "file",
        Kind::Text,
        "written by `orawarden pause`, `resume` and `silence`; while it cannot be read, everything is paused",
    )],
};

pub(super) static HTTP: Shape = Shape {
    name: "http map",
    doc: "/metrics, /healthz, /readyz and the status page",
    keys: &[Key::required("listen", Kind::Text, "address and port: 127.0.0.1:9469")],
};

pub(super) const REDACT: Kind =
    Kind::List(&Kind::Words(&["username", "osuser", "machine", "client"]));

pub(super) static LOG: Shape = Shape {
    name: "log map",
    doc: "the log",
    keys: &[
        Key::optional(
            "format",
            Kind::Words(&["text", "json", "journald"]),
            "text is for people, the default; journald sends fields to the journal itself; see docs/logs.md",
        ),
        Key::optional(
            "level",
            Kind::Words(&["error", "warn", "info", "debug", "trace"]),
            "the least that is written; default info",
        ),
        Key::optional(
            "redact",
            REDACT,
            "what is withheld of people: database users (and schemas), operating system users, clients' machines \
             (and programs), what applications say of themselves; statements always are; default: nothing else",
        ),
    ],
};

const KILL_VIA: [&str; 3] = ["alter-system", "rds", "autonomous"];

/// The daemon's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Policy files, directories or patterns.
    pub policies: Vec<String>,
    /// The databases.
    pub databases: Vec<Database>,
    /// The audit trail's file.
    pub audit_file: Option<String>,
    /// The file of holds.
    pub holds_file: Option<String>,
    /// Where HTTP listens.
    pub http_listen: Option<SocketAddr>,
    /// How the log is written; `None` is by terminal.
    pub log_format: Option<LogFormat>,
    /// The least that is logged.
    pub log_level: LogLevel,
    /// What the log withholds.
    pub log_redact: Vec<Personal>,
    /// Who is told of what was done.
    pub hooks: Vec<Hook>,
}

/// One database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Where its sessions come from.
    pub source: DatabaseSource,
    /// Limits over all its rules.
    pub limits: Limits,
}

/// Where sessions come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseSource {
    /// A capture: dry run only.
    Capture(String),
    /// A live database.
    Live(Box<Connection>),
}

/// How a live database is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Which client.
    pub driver: Driver,
    /// Easy Connect, a descriptor, or an alias.
    pub connect: String,
    /// The account; a wallet may know it.
    pub username: Option<String>,
    /// Where the password is.
    pub password: Password,
    /// How kills are sent.
    pub kill_via: KillVia,
    /// How long calls may take.
    pub deadlines: Deadlines,
    /// Whether one enforcing daemon is elected.
    pub leadership: bool,
    /// Victims ended at once.
    pub concurrency: u32,
    /// Where tnsnames.ora is.
    pub config_dir: Option<String>,
    /// Where the Oracle Client libraries are.
    pub client_lib: Option<String>,
    /// Where the wallet for TCPS is.
    pub wallet: Option<String>,
    /// A DISCONNECT names another instance.
    pub disconnect_at_instance: bool,
    /// How several instances are reached.
    pub topology: Topology,
    /// Variables that hold passwords, of this and of the other databases: none of them is for a connection process.
    pub secret_variables: Vec<String>,
}

/// How several instances are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// On any, through GV$ views.
    Gv,
    /// Each by a connection of its own.
    PerInstance,
}

/// Which client library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// Oracle Client libraries.
    Oci,
    /// No client needed.
    Thin,
}

/// Where a password is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// A systemd credential.
    Credential(String),
    /// A file.
    File(String),
    /// An environment variable.
    Env(String),
    /// The client's wallet.
    Wallet,
}

/// How kills are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KillVia {
    /// ALTER SYSTEM.
    AlterSystem,
    /// A procedure of that name.
    Wrapper(String),
    /// RDSADMIN's procedures.
    Rds,
    /// Autonomous Database.
    Autonomous,
}

/// How long calls may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Connecting.
    pub connect: Span,
    /// Reading all sessions.
    pub snapshot: Span,
    /// Ending one.
    pub kill: Span,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { connect: Span::seconds(10), snapshot: Span::seconds(20), kill: Span::seconds(90) }
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors.
    Json,
    /// For journald, which keeps the time itself.
    Journald,
}

/// What tells of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personal {
    /// Database users.
    Username,
    /// Operating system users.
    Osuser,
    /// Clients' machines.
    Machine,
    /// What applications say of themselves.
    Client,
}

/// The least that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    /// What keeps the daemon from its work.
    Error,
    /// What somebody should look at.
    Warn,
    /// One line a tick and a kill.
    #[default]
    Info,
    /// For finding faults.
    Debug,
    /// Everything.
    Trace,
}

/// Victims ended at once.
const CONCURRENCY: u32 = 4;

/// More would be a denial of service against the database.
const CONCURRENCY_MAX: u32 = 64;

/// Reads a configuration, or says everything that is wrong with it.
pub fn decode(source: &SourceFile) -> (Option<Service>, Diagnostics) {
    let mut sink = Sink::default();
    let service = parse(&source.text, &mut sink).and_then(|root| service(&root, &mut sink));
    let service = service.filter(|_| !sink.has_errors());
    let entries = sink.into_entries();
    (service, Diagnostics::new(vec![without_secrets(source, &entries)], entries))
}

/// One text or several.
pub(super) fn texts(node: &Node, what: &str, sink: &mut Sink) -> Vec<String> {
    let items = one_or_many(node, what, sink);
    items.iter().filter_map(|item| filled_text(item, "text", sink)).map(ToOwned::to_owned).collect()
}

fn service(root: &Node, sink: &mut Sink) -> Option<Service> {
    let fields = SERVICE_FILE.read(root, sink)?;
    check_version(&fields, sink);
    let policies = fields.get("policies").map(|node| texts(node, "policies", sink));
    let databases = fields.get("databases").map(|node| databases(node, sink));
    let audit_file = fields.get("audit").and_then(|node| one_text(node, &AUDIT, "file", sink));
    let holds_file = fields.get("holds").and_then(|node| one_text(node, &HOLDS, "file", sink));
    let http_listen = fields.get("http").and_then(|node| listen(node, sink));
    let known = databases.as_deref().unwrap_or_default();
    let hooks = fields.get("notify").map(|node| hooks(node, known, sink)).unwrap_or_default();
    let (log_format, log_level, log_redact) =
        fields.get("log").and_then(|node| log(node, sink)).unwrap_or_default();
    Some(Service {
        policies: policies?,
        databases: databases?,
        audit_file,
        holds_file,
        http_listen,
        log_format,
        log_level,
        log_redact,
        hooks,
    })
}

fn one_text(node: &Node, shape: &'static Shape, key: &str, sink: &mut Sink) -> Option<String> {
    optional_text(&shape.read(node, sink)?, key, sink)
}

fn optional_text(fields: &Fields<'_>, key: &str, sink: &mut Sink) -> Option<String> {
    fields.get(key).and_then(|node| filled_text(node, "text", sink)).map(ToOwned::to_owned)
}

fn listen(node: &Node, sink: &mut Sink) -> Option<SocketAddr> {
    let fields = HTTP.read(node, sink)?;
    let written = fields.get("listen")?;
    let text = filled_text(written, "an address and a port", sink)?;
    let address = text.parse().ok();
    if address.is_none() {
        let message = format!("`{}` is not an address and a port", excerpt(text));
        sink.error(Code::BadAddress, &written.span, message).help("127.0.0.1:9469, or [::1]:9469");
    }
    address
}

fn log(node: &Node, sink: &mut Sink) -> Option<(Option<LogFormat>, LogLevel, Vec<Personal>)> {
    let fields = LOG.read(node, sink)?;
    let formats =
        [("text", LogFormat::Text), ("json", LogFormat::Json), ("journald", LogFormat::Journald)];
    let levels = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
    ];
    let format = fields.get("format").and_then(|node| word(node, &formats, "a log format", sink));
    let level = fields.get("level").and_then(|node| word(node, &levels, "a log level", sink));
    Some((format, level.unwrap_or_default(), redact(&fields, sink).unwrap_or_default()))
}

/// What is withheld of people, if that is said.
pub(super) fn redact(fields: &Fields<'_>, sink: &mut Sink) -> Option<Vec<Personal>> {
    let personal = [
        ("username", Personal::Username),
        ("osuser", Personal::Osuser),
        ("machine", Personal::Machine),
        ("client", Personal::Client),
    ];
    let what = "something to withhold";
    let listed = any_list(fields.get("redact")?, what, sink);
    Some(listed.iter().filter_map(|node| word(node, &personal, what, sink)).collect())
}

fn databases(node: &Node, sink: &mut Sink) -> Vec<Database> {
    let mut databases: Vec<Database> = Vec::new();
    for item in list(node, "databases", sink) {
        let Some(database) = database(item, sink) else { continue };
        // Rules name databases in either case.
        if databases.iter().any(|known| fold(&known.name) == fold(&database.name)) {
            let message = format!("a second database is called `{}`", database.name);
            sink.error(Code::DuplicateName, &item.span, message);
        }
        databases.push(database);
    }
    hide_secrets(&mut databases);
    databases
}

/// Tells every database which variables hold passwords, be it another's.
fn hide_secrets(databases: &mut [Database]) {
    let mut variables = Vec::new();
    for database in &*databases {
        if let DatabaseSource::Live(connection) = &database.source
            && let Password::Env(variable) = &connection.password
        {
            variables.push(variable.clone());
        }
    }
    for database in databases {
        if let DatabaseSource::Live(connection) = &mut database.source {
            connection.secret_variables.clone_from(&variables);
        }
    }
}

fn database(node: &Node, sink: &mut Sink) -> Option<Database> {
    let fields = DATABASE.read(node, sink)?;
    let name = fields.get("name").and_then(|node| name(node, sink)).map(ToOwned::to_owned);
    let limits = fields.get("limits").and_then(|node| limits(node, Limits::UNLIMITED, sink));
    let source = source(&fields, sink);
    Some(Database { name: name?, source: source?, limits: limits.unwrap_or(Limits::UNLIMITED) })
}

fn source(fields: &Fields<'_>, sink: &mut Sink) -> Option<DatabaseSource> {
    match (fields.entry("capture"), fields.entry("connect")) {
        (Some((_, capture)), None) => {
            check_capture(fields, sink);
            Some(DatabaseSource::Capture(filled_text(capture, "a path", sink)?.to_owned()))
        }
        (None, Some((_, connect))) => {
            let connect = filled_text(connect, "a connect string", sink);
            connection(fields, connect, sink).map(|live| DatabaseSource::Live(Box::new(live)))
        }
        (Some((key, _)), Some(_)) => {
            let message = "a database is either a capture or a connection";
            sink.error(Code::NoDatabaseChoice, &key.span, message);
            None
        }
        (None, None) => {
            let message = "this database says neither `connect` nor `capture`";
            sink.error(Code::NoDatabaseChoice, &fields.span, message);
            None
        }
    }
}

/// What belongs to a connection means nothing beside a capture.
fn check_capture(fields: &Fields<'_>, sink: &mut Sink) {
    let live = [
        "driver",
        "username",
        "password",
        "kill_via",
        "deadlines",
        "leadership",
        "concurrency",
        "config_dir",
        "client_lib",
        "wallet",
        "disconnect_at_instance",
        "topology",
    ];
    for name in live {
        if let Some((key, _)) = fields.entry(name) {
            let message = format!("`{name}` means nothing beside `capture`");
            sink.error(Code::NoDatabaseChoice, &key.span, message);
        }
    }
}

fn connection(fields: &Fields<'_>, connect: Option<&str>, sink: &mut Sink) -> Option<Connection> {
    let drivers = [("oci", Driver::Oci), ("thin", Driver::Thin)];
    let driver = fields.get("driver").and_then(|node| word(node, &drivers, "a driver", sink));
    let username = optional_text(fields, "username", sink);
    let password = password(fields, sink);
    let kill_via = fields.get("kill_via").and_then(|node| kill_via(node, sink));
    let leadership = fields.get("leadership").and_then(|node| flag(node, sink));
    let concurrency = fields.get("concurrency").and_then(|node| concurrency(node, sink));
    let at_instance = fields.get("disconnect_at_instance").and_then(|node| flag(node, sink));
    let topologies = [("gv", Topology::Gv), ("per-instance", Topology::PerInstance)];
    let topology =
        fields.get("topology").and_then(|node| word(node, &topologies, "a topology", sink));
    let topology = topology.unwrap_or(Topology::Gv);
    let deadlines = fields.get("deadlines").and_then(|node| deadlines(node, topology, sink));
    let password = password?;
    if username.is_none() && fields.get("username").is_none() && password != Password::Wallet {
        sink.error(Code::MissingKey, &fields.span, "`username` is missing from this database")
            .help("only a wallet brings its own");
    }
    Some(Connection {
        driver: driver.unwrap_or(Driver::Oci),
        connect: connect?.to_owned(),
        username,
        password,
        kill_via: kill_via.unwrap_or(KillVia::AlterSystem),
        deadlines: deadlines.unwrap_or_default(),
        leadership: leadership.unwrap_or(true),
        concurrency: concurrency.unwrap_or(CONCURRENCY),
        config_dir: optional_text(fields, "config_dir", sink),
        client_lib: optional_text(fields, "client_lib", sink),
        wallet: optional_text(fields, "wallet", sink),
        disconnect_at_instance: at_instance.unwrap_or(false),
        topology,
        secret_variables: Vec::new(),
    })
}

fn concurrency(node: &Node, sink: &mut Sink) -> Option<u32> {
    let count = count_as(node, sink)?;
    if !(1..=CONCURRENCY_MAX).contains(&count) {
        let message = format!("`concurrency` is from 1 to {CONCURRENCY_MAX}");
        sink.error(Code::BadNumber, &node.span, message);
    }
    Some(count)
}

fn password(fields: &Fields<'_>, sink: &mut Sink) -> Option<Password> {
    const HELP: &str = "{credential: NAME} (systemd), {file: PATH}, {env: NAME} or {wallet: true}";
    let Some(node) = fields.get("password") else {
        sink.error(Code::MissingKey, &fields.span, "`password` is missing from this database")
            .help(HELP);
        return None;
    };
    secret(node, HELP, sink)
}

fn kill_via(node: &Node, sink: &mut Sink) -> Option<KillVia> {
    if node.mapping().is_some() {
        return one_text(node, &WRAPPER, "wrapper", sink).map(KillVia::Wrapper);
    }
    let written = filled_text(node, "a way to kill", sink)?;
    Some(match written {
        "alter-system" => KillVia::AlterSystem,
        "rds" => KillVia::Rds,
        "autonomous" => KillVia::Autonomous,
        _ => {
            let help =
                did_you_mean_or_list(written, KILL_VIA.into_iter().chain(["{wrapper: NAME}"]));
            let message = format!("`{}` is not a way to kill", excerpt(written));
            sink.error(Code::WrongType, &node.span, message).help_if(help);
            return None;
        }
    })
}

/// What a look can take at most: to log on, say who we are and what we do, then how the database stands, which
/// instances are up, and its sessions. With `per-instance` the same again at all others at once.
///
/// Named queries, which are asked before it, are left out. A tick counts their time like that of the look, and ends
/// nobody once both together took too long; only where all of them fail at once do they take all their time, and then
/// they are asked more and more seldom.
fn look_max(connect: Span, snapshot: Span, topology: Topology) -> Span {
    let (connects, snapshots) = match topology {
        Topology::Gv => (3, 3),
        Topology::PerInstance => (6, 5),
    };
    let times = |span: Span, count: i64| span.0.saturating_mul(count);
    Span(times(connect, connects).saturating_add(times(snapshot, snapshots)))
}

fn deadlines(node: &Node, topology: Topology, sink: &mut Sink) -> Option<Deadlines> {
    let fields = DEADLINES.read(node, sink)?;
    let default = Deadlines::default();
    let mut deadline = |name: &str, default: Span| {
        let Some(node) = fields.get(name) else { return default };
        let span = span(node, sink).unwrap_or(default);
        if span == Span::ZERO {
            sink.error(Code::BadDuration, &node.span, "a deadline is more than nothing");
        }
        span
    };
    let deadlines = Deadlines {
        connect: deadline("connect", default.connect),
        snapshot: deadline("snapshot", default.snapshot),
        kill: deadline("kill", default.kill),
    };
    let look = look_max(deadlines.connect, deadlines.snapshot, topology);
    if look > AGE_MAX {
        let message = format!(
            "a look may take {look} with these deadlines, and nobody is ended by one older than {AGE_MAX}"
        );
        sink.error(Code::BadDuration, &node.span, message).help("shorten `connect` or `snapshot`");
    }
    Some(deadlines)
}

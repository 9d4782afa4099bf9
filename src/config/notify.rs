//! `notify:` of the configuration: who is told of what the daemon did, and how.

use std::net::IpAddr;

use hyper::Uri;

use super::diagnostic::{Code, Sink};
use super::durations::span;
use super::secret::secret;
use super::service::{Database, PASSWORD, Password, Personal, REDACT, redact};
use super::shape::{Fields, Key, Kind, Shape};
use super::values::{filled_text, flag, list, name, one_or_many, word};
use super::yaml::{Node, excerpt};
use crate::engine::time::Span;

pub(super) static HOOK: Shape = Shape {
    name: "hook",
    doc: "somebody who is told: a webhook or a command",
    keys: &[
        Key::required("name", Kind::Name, "unique; the log and metrics speak of it"),
        Key::optional("webhook", Kind::Map(&WEBHOOK), "an HTTP POST for each message"),
        Key::optional(
            "exec",
            Kind::List(&Kind::Text),
            "a program and its arguments, started for each message with JSON on its standard input; no shell",
        ),
        Key::required("events", Kind::OneOrMany(&Kind::Words(&EVENTS)), "what it is told of"),
        Key::optional(
            "rules",
            Kind::OneOrMany(&Kind::Name),
            "the rules that it is told about; default: all",
        ),
        Key::optional(
            "databases",
            Kind::OneOrMany(&Kind::Name),
            "the databases that it is told about; default: all",
        ),
        Key::optional("dry_run", Kind::Flag, "also what rehearsals would have done; default false"),
        Key::optional(
            "redact",
            REDACT,
            "what it is not told of people; default: what `log.redact` says",
        ),
        Key::optional(
            "deadline",
            Kind::Span,
            "how long one attempt may take, at most 60s; default 10s",
        ),
    ],
};

static WEBHOOK: Shape = Shape {
    name: "webhook map",
    doc: "an HTTP POST",
    keys: &[
        Key::required(
            "url",
            Kind::Either(&[Kind::Text, Kind::Map(&PASSWORD)]),
            "where to; where the address itself is a secret: {credential: NAME}, {file: PATH} or {env: NAME}",
        ),
        Key::optional(
            "format",
            Kind::Words(&["json", "slack", "teams"]),
            "json (the whole message, default), slack (incoming webhook) or teams (adaptive card)",
        ),
        Key::optional(
            "token",
            Kind::Map(&PASSWORD),
            "where the bearer token is that is sent along",
        ),
    ],
};

/// The words for what a hook can be told of; those of `observe::notify`.
pub const EVENTS: [&str; 10] = [
    "pending",
    "ended",
    "reported",
    "trouble",
    "halted",
    "breaker",
    "unreachable",
    "missing-instance",
    "no-audit",
    "not-reloaded",
];

/// Hooks of one daemon.
const HOOKS_MAX: usize = 32;

/// Arguments of a program, its name included.
const ARGUMENTS_MAX: usize = 64;

/// A receiver that needs longer is not there.
const DEADLINE_MAX: Span = Span::seconds(60);

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its name.
    pub name: String,
    /// How it is told.
    pub way: Way,
    /// Of what, as words of [`EVENTS`].
    pub events: Vec<&'static str>,
    /// About these rules; empty is all.
    pub rules: Vec<String>,
    /// About these databases; empty is all.
    pub databases: Vec<String>,
    /// Of rehearsals, too.
    pub dry_run: bool,
    /// What it is not told of people; `None`: as the log.
    pub redact: Option<Vec<Personal>>,
    /// For one attempt.
    pub deadline: Span,
}

/// How a hook is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// By HTTP.
    Webhook {
        /// Where to.
        url: Address,
        /// In which form.
        format: Format,
        /// Where the bearer token is.
        token: Option<Password>,
    },
    /// By a program: its path and its arguments.
    Exec(Vec<String>),
}

/// Where a webhook is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// There.
    Open(String),
    /// It is a secret.
    Secret(Password),
}

/// The form of a webhook's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// The whole message.
    #[default]
    Json,
    /// For an incoming webhook of Slack.
    Slack,
    /// An adaptive card for a workflow of Teams.
    Teams,
}

pub(super) fn hooks(node: &Node, known: &[Database], sink: &mut Sink) -> Vec<Hook> {
    let mut hooks: Vec<Hook> = Vec::new();
    for item in list(node, "hooks", sink) {
        let Some(hook) = hook(item, known, sink) else { continue };
        if hooks.iter().any(|known| known.name == hook.name) {
            let message = format!("a second hook is called `{}`", hook.name);
            sink.error(Code::DuplicateName, &item.span, message);
        }
        hooks.push(hook);
    }
    if hooks.len() > HOOKS_MAX {
        let message = format!("more than {HOOKS_MAX} hooks");
        sink.error(Code::TooLarge, &node.span, message);
    }
    hooks
}

fn hook(node: &Node, known: &[Database], sink: &mut Sink) -> Option<Hook> {
    let fields = HOOK.read(node, sink)?;
    let name = fields.get("name").and_then(|node| name(node, sink)).map(ToOwned::to_owned);
    let way = way(&fields, sink);
    let events = fields.get("events").map(|node| {
        let words: Vec<(&str, &'static str)> = EVENTS.iter().map(|it| (*it, *it)).collect();
        let items = one_or_many(node, "events", sink);
        items.iter().filter_map(|item| word(item, &words, "an event", sink)).collect()
    });
    let rules = names(&fields, "rules", sink);
    let databases = names(&fields, "databases", sink);
    for name in databases.iter().filter(|name| !known.iter().any(|it| it.name == **name)) {
        let span = fields.get("databases").map_or(&fields.span, |node| &node.span);
        sink.error(Code::UnknownDatabase, span, format!("no database is called `{name}`"));
    }
    let dry_run = fields.get("dry_run").and_then(|node| flag(node, sink)).unwrap_or(false);
    let redact = redact(&fields, sink);
    let deadline = fields.get("deadline").and_then(|node| deadline(node, sink));
    Some(Hook {
        name: name?,
        way: way?,
        events: events?,
        rules,
        databases,
        dry_run,
        redact,
        deadline: deadline.unwrap_or(Span::seconds(10)),
    })
}

fn names(fields: &Fields<'_>, key: &str, sink: &mut Sink) -> Vec<String> {
    let items = fields.get(key).map_or(&[][..], |node| one_or_many(node, key, sink));
    items.iter().filter_map(|item| name(item, sink)).map(ToOwned::to_owned).collect()
}

fn deadline(node: &Node, sink: &mut Sink) -> Option<Span> {
    let span = span(node, sink)?;
    if span == Span::ZERO || span > DEADLINE_MAX {
        let message = format!("an attempt may take more than nothing and at most {DEADLINE_MAX}");
        sink.error(Code::BadDuration, &node.span, message);
    }
    Some(span)
}

fn way(fields: &Fields<'_>, sink: &mut Sink) -> Option<Way> {
    match (fields.get("webhook"), fields.get("exec")) {
        (Some(node), None) => webhook(node, sink),
        (None, Some(node)) => exec(node, sink),
        _ => {
            let message = "a hook is either a `webhook` or an `exec`";
            sink.error(Code::MissingKey, &fields.span, message);
            None
        }
    }
}

fn exec(node: &Node, sink: &mut Sink) -> Option<Way> {
    let items = list(node, "arguments", sink);
    let arguments: Vec<String> = items
        .iter()
        .filter_map(|item| filled_text(item, "an argument", sink).map(ToOwned::to_owned))
        .collect();
    let program = arguments.first()?;
    if !program.starts_with('/') {
        let message = format!("`{}` is not a whole path", excerpt(program));
        sink.error(Code::WrongType, &items[0].span, message)
            .help("a service has no search path of its own: /usr/local/bin/page-dba");
    }
    if arguments.len() > ARGUMENTS_MAX {
        let message = format!("more than {ARGUMENTS_MAX} arguments");
        sink.error(Code::TooLarge, &node.span, message);
    }
    Some(Way::Exec(arguments))
}

fn webhook(node: &Node, sink: &mut Sink) -> Option<Way> {
    let fields = WEBHOOK.read(node, sink)?;
    let formats = [("json", Format::Json), ("slack", Format::Slack), ("teams", Format::Teams)];
    let format = fields.get("format").and_then(|node| word(node, &formats, "a format", sink));
    let token = fields.get("token").map(|node| place(node, sink));
    let url = match fields.get("url")? {
        node if node.mapping().is_some() => Address::Secret(place(node, sink)?),
        node => {
            let text = filled_text(node, "an address", sink)?.trim();
            match text.parse::<Uri>().ok().filter(is_of_web) {
                None => {
                    let message = "this is not an address of the web";
                    sink.error(Code::BadAddress, &node.span, message)
                        .help("https://hooks.example.com/dba");
                }
                Some(uri) if token.is_some() && is_overheard(&uri) => {
                    let message = "the token crosses the network unencrypted";
                    sink.warning(Code::SecretInClear, &node.span, message)
                        .help("https:// encrypts it");
                }
                Some(_) => {}
            }
            Address::Open(text.to_owned())
        }
    };
    let token = match token {
        Some(token) => Some(token?),
        None => None,
    };
    Some(Way::Webhook { url, format: format.unwrap_or_default(), token })
}

/// Also that its port is one: what is none would be taken for the scheme's own, where somebody else may listen.
fn is_of_web(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else { return false };
    let place = authority.as_str().rsplit('@').next().unwrap_or_default();
    let port = place.strip_prefix(authority.host());
    let is_port = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0);
    matches!(uri.scheme_str(), Some("https" | "http"))
        && !authority.host().is_empty()
        && port.is_some_and(|it| it.strip_prefix(':').map_or(it.is_empty(), is_port))
}

/// Whether a message can be sent there.
pub fn is_address(text: &str) -> bool {
    text.parse().is_ok_and(|uri| is_of_web(&uri))
}

/// What goes there leaves this machine as it is.
fn is_overheard(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
    uri.scheme_str() == Some("http") && !is_here
}

/// Where a secret is; a wallet has none for a hook.
fn place(node: &Node, sink: &mut Sink) -> Option<Password> {
    const HELP: &str = "{credential: NAME} (systemd), {file: PATH} or {env: NAME}";
    let place = secret(node, HELP, sink)?;
    if place == Password::Wallet {
        sink.error(Code::WrongType, &node.span, "a wallet has no such secret").help(HELP);
        return None;
    }
    Some(place)
}

//! Policy files to a [`PolicySet`], or everything that is wrong with them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::diagnostic::{Code, Diagnostics, Sink, SourceFile, position};
use super::durations::span;
use super::exemptions::{PROTECT, exemption};
use super::matchers::{Scope, matcher};
use super::rules::{CompiledRule, DEFAULTS, Place, RULE, check_parts, is_key, rule, with_defaults};
use super::shadows::check_shadows;
use super::shape::{Fields, Key, Kind, Shape, entries};
use super::values::{any_list, bad_name, filled_text, is_name, name, wrong_type};
use super::yaml::{Node, excerpt, parse};
use crate::engine::condition::Field;
use crate::engine::policy::{Exemption, PolicySet, Query};
use crate::engine::time::Span;
use crate::engine::witness::AGE_MAX;

/// The version of the language that this release reads.
const VERSION: &str = "1";

pub(super) const VERSION_KEY: Key =
    Key::required("version", Kind::Version, "the version of the file's format: 1");

pub(super) static POLICY_FILE: Shape = Shape {
    name: "policy file",
    doc: "rules for sessions of Oracle databases",
    keys: &[
        VERSION_KEY,
        Key::optional("defaults", Kind::Map(&DEFAULTS), "whatever a rule may say, said once"),
        Key::optional(
            "sets",
            Kind::MapOf(&Kind::TextMatcher),
            "named lists, usable in this file wherever a list is: {in_set: NAME}",
        ),
        Key::optional(
            "queries",
            Kind::MapOf(&Kind::Map(&QUERY)),
            "named read-only SELECTs returning INST_ID, SID, SERIAL#",
        ),
        Key::optional(
            "protect",
            Kind::List(&Kind::Map(&PROTECT)),
            "sessions that no rule of any file may touch",
        ),
        Key::optional(
            "rules",
            Kind::List(&Kind::Map(&RULE)),
            "the rules; the first that selects a session claims it",
        ),
    ],
};

pub(super) static QUERY: Shape = Shape {
    name: "query",
    doc: "a read-only SELECT",
    keys: &[
        Key::required("sql", Kind::Text, "a SELECT returning INST_ID, SID, SERIAL#"),
        Key::optional("every", Kind::Span, "how often it is asked; default 60s"),
        Key::optional("deadline", Kind::Span, "how long it may take; default 5s"),
    ],
};

/// Compiles policy files. There is a set only if there is no error; there may be warnings beside it.
pub fn compile(files: &[SourceFile]) -> (Option<PolicySet>, Diagnostics) {
    let mut sink = Sink::default();
    let mut roots = Vec::with_capacity(files.len());
    for (at, file) in files.iter().enumerate() {
        sink.enter(at);
        roots.push(parse(&file.text, &mut sink));
    }
    let mut compiler = Compiler { files, sink, names: BTreeMap::new() };
    let set = compiler.compile(&roots);
    let set = (!compiler.sink.has_errors()).then_some(set);
    (set, Diagnostics::new(files.to_vec(), compiler.sink.into_entries()))
}

/// Checks `version`, which every kind of file begins with.
pub(super) fn check_version(fields: &Fields<'_>, sink: &mut Sink) {
    let Some(node) = fields.get("version") else { return };
    if node.scalar().is_none_or(|scalar| scalar.text != VERSION) {
        let message = format!("version {VERSION} is due, found {}", node.describe());
        sink.error(Code::BadVersion, &node.span, message).help("version: 1");
    }
}

/// What names are unique over all files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Query,
    Protection,
    Rule,
}

struct Compiler<'a> {
    files: &'a [SourceFile],
    sink: Sink,
    /// Where each name was first used.
    names: BTreeMap<(Named, String), (usize, Range<usize>)>,
}

impl Compiler<'_> {
    fn compile(&mut self, roots: &[Option<Node>]) -> PolicySet {
        let mut set = PolicySet::default();
        let mut read = Vec::new();
        for (file, root) in roots.iter().enumerate() {
            self.sink.enter(file);
            let fields = root.as_ref().and_then(|root| POLICY_FILE.read(root, &mut self.sink));
            read.extend(fields.map(|fields| (file, fields)));
        }
        // Queries are shared by all files, so their names come first.
        let mut queries = Vec::new();
        for (file, fields) in &read {
            self.sink.enter(*file);
            check_version(fields, &mut self.sink);
            self.queries(*file, fields, &mut queries, &mut set.queries);
        }
        let mut rules = Vec::new();
        for (file, fields) in &read {
            self.sink.enter(*file);
            let scope = Scope { sets: sets(fields, &mut self.sink), queries: queries.clone() };
            check_sets(&scope, &mut self.sink);
            set.protections.extend(self.protections(*file, fields, &scope));
            rules.extend(self.rules(*file, fields, &scope));
        }
        if !self.sink.has_errors() {
            check_shadows(&rules, &mut self.sink);
        }
        set.rules = rules.into_iter().map(|compiled| compiled.rule).collect();
        set
    }

    fn queries<'n>(
        &mut self,
        file: usize,
        fields: &Fields<'n>,
        names: &mut Vec<&'n str>,
        compiled: &mut Vec<Query>,
    ) {
        let Some(node) = fields.get("queries") else { return };
        for (name, key, value) in
            entries(node, "map of queries", &mut self.sink).unwrap_or_default()
        {
            if !is_name(name) {
                bad_name(name, &key.span, &mut self.sink);
            }
            self.claim(Named::Query, name, file, &key.span);
            names.push(name);
            compiled.extend(query(name, value, &mut self.sink));
        }
    }

    fn protections(
        &mut self,
        file: usize,
        fields: &Fields<'_>,
        scope: &Scope<'_>,
    ) -> Vec<Exemption> {
        let Some(node) = fields.get("protect") else { return Vec::new() };
        let mut compiled = Vec::new();
        for item in any_list(node, "protections", &mut self.sink) {
            let read = exemption(item, &PROTECT, scope, &mut self.sink);
            if let Some(name) = read.as_ref().and_then(|read| read.name.as_deref()) {
                self.claim(Named::Protection, name, file, &item.span);
            }
            compiled.extend(read);
        }
        compiled
    }

    fn rules(&mut self, file: usize, fields: &Fields<'_>, scope: &Scope<'_>) -> Vec<CompiledRule> {
        let defaults = fields.get("defaults");
        let unless = defaults.and_then(|node| check_defaults(node, scope, &mut self.sink));
        let place = Place { file, file_name: &self.files[file].name, unless };
        let Some(node) = fields.get("rules") else { return Vec::new() };
        let mut compiled = Vec::new();
        for item in any_list(node, "rules", &mut self.sink) {
            if let Some((name, span)) = rule_name(item) {
                self.claim(Named::Rule, name, file, &span);
            }
            let merged = with_defaults(item, defaults);
            compiled.extend(rule(&merged, place, scope, &mut self.sink));
        }
        compiled
    }

    /// Takes a name, or reports that it is taken.
    fn claim(&mut self, kind: Named, name: &str, file: usize, span: &Range<usize>) {
        let Some((first_file, first)) = self.names.get(&(kind, name.to_owned())) else {
            self.names.insert((kind, name.to_owned()), (file, span.clone()));
            return;
        };
        let (code, what) = match kind {
            Named::Query => (Code::DuplicateName, "query"),
            Named::Protection => (Code::DuplicateName, "protection"),
            Named::Rule => (Code::DuplicateRule, "rule"),
        };
        let source = &self.files[*first_file];
        let place = position(&source.text, first.start);
        let message = format!("a second {what} is called `{}`", excerpt(name));
        self.sink
            .error(code, span, message)
            .help(format!("the first is at {}:{}:{}", source.name, place.line, place.column));
    }
}

/// The name of a rule before it is compiled: one that is otherwise wrong still has it.
fn rule_name(rule: &Node) -> Option<(&str, Range<usize>)> {
    let (_, value) = rule.mapping()?.iter().find(|(key, _)| is_key(key, "name"))?;
    Some((&value.scalar()?.text, value.span.clone()))
}

/// Checks the defaults by themselves, for files whose rules do not use them. Answers its `unless`.
fn check_defaults<'n>(node: &'n Node, scope: &Scope<'_>, sink: &mut Sink) -> Option<&'n Node> {
    let fields = DEFAULTS.read(node, sink)?;
    check_parts(&fields, scope, sink);
    fields.get("unless")
}

/// The sets of a file by name. A set that stands twice is an error of its own: which one is meant matters.
fn sets<'n>(fields: &Fields<'n>, sink: &mut Sink) -> BTreeMap<&'n str, &'n Node> {
    let mut sets = BTreeMap::new();
    let Some(node) = fields.get("sets") else { return sets };
    let Some(mapping) = node.mapping() else {
        wrong_type(node, "a map of named lists", sink);
        return sets;
    };
    for (key, value) in mapping {
        let Some(name) = name(key, sink) else { continue };
        if sets.insert(name, value).is_some() {
            sink.error(Code::DuplicateSet, &key.span, format!("a second set is called `{name}`"));
        }
    }
    sets
}

/// Reads every set as text, so that mistakes in unused ones are found too.
fn check_sets(scope: &Scope<'_>, sink: &mut Sink) {
    for set in scope.sets.values() {
        if set.sequence().is_none() {
            wrong_type(set, "a list", sink);
            continue;
        }
        // A field without a width or a form of its own.
        matcher(Field::SqlText, set, scope, sink);
    }
}

fn query(name: &str, node: &Node, sink: &mut Sink) -> Option<Query> {
    const EVERY: Span = Span::seconds(60);
    const DEADLINE: Span = Span::seconds(5);
    let fields = QUERY.read(node, sink)?;
    let mut span_of = |key: &str, default: Span| {
        fields.get(key).and_then(|node| span(node, sink)).unwrap_or(default)
    };
    let (every, deadline) = (span_of("every", EVERY), span_of("deadline", DEADLINE));
    for (key, value) in [("every", every), ("deadline", deadline)] {
        if value == Span::ZERO {
            let message = format!("`{key}` of a query is more than nothing");
            sink.error(Code::BadQuery, &fields.span_of(key), message);
        }
    }
    if deadline > AGE_MAX {
        let message = format!("nobody is ended by what was asked longer ago than {AGE_MAX}");
        sink.error(Code::BadQuery, &fields.span_of("deadline"), message);
    }
    let node = fields.get("sql")?;
    let sql = filled_text(node, "a SELECT", sink)?.trim();
    check_sql(node, sql, sink);
    Some(Query { name: name.to_owned(), sql: sql.to_owned(), every, deadline })
}

/// A first look only: the account's privileges are what keeps a query from writing.
fn check_sql(node: &Node, sql: &str, sink: &mut Sink) {
    let first = sql.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    if !matches!(first.as_str(), "select" | "with") {
        sink.error(Code::BadQuery, &node.span, "a query begins with SELECT or WITH");
    }
    if sql.ends_with(';') {
        sink.error(Code::BadQuery, &node.span, "a query does not end in a semicolon")
            .help("remove the `;`");
    }
}

//! The shapes of maps, as tables: which keys there are, what they mean, what kind of value they take.
//!
//! Decoders read maps through these tables and `config::schema` prints them, so what is accepted and what editors
//! are told cannot drift apart. A table says nothing about how a value is decoded; that is the decoder's.

use std::collections::BTreeMap;
use std::ops::Range;

use super::diagnostic::{Code, Sink};
use super::suggest::did_you_mean_or_list;
use super::yaml::{Node, excerpt};

/// One kind of map.
#[derive(Debug)]
pub(super) struct Shape {
    /// What messages call it, and its name in the schema: `rule`.
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) keys: &'static [Key],
}

/// One key of a map.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

impl Key {
    /// A key that must be there.
    pub(super) const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, doc, kind, required: true }
    }

    /// A key that may be left out.
    pub(super) const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, doc, kind, required: false }
    }
}

/// What kind of value a key takes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// `1`.
    Version,
    /// Free text.
    Text,
    /// A name: letters, digits, `.`, `_`, `-`.
    Name,
    /// `true` or `false`.
    Flag,
    /// Exactly `true`.
    True,
    /// A whole number from zero.
    Count,
    /// A whole number from zero, or `unlimited`.
    CountOrUnlimited,
    /// `"10%"`, or `unlimited`.
    Percent,
    /// A length of time: `60s`.
    Span,
    /// RFC 3339.
    Time,
    /// A cron expression.
    Cron,
    /// An IANA time zone.
    Zone,
    /// One of a few words.
    Words(&'static [&'static str]),
    /// The names of the liftable protections.
    Protection,
    /// Windows of time.
    Window,
    /// An operator and a number, or a list of them.
    CompareNumber,
    /// An operator and a percentage, or a list of them.
    ComparePercent,
    /// A map of conditions.
    Conditions,
    /// A text matcher or a list of them.
    TextMatcher,
    /// The name of a field.
    Field,
    /// The name of a field, `-` before it for descending.
    OrderKey,
    /// `match` of a name to a value of a kind.
    MapOf(&'static Kind),
    /// A list.
    List(&'static Kind),
    /// One, or a list.
    OneOrMany(&'static Kind),
    /// Any of these.
    Either(&'static [Kind]),
    /// A map of a shape.
    Map(&'static Shape),
    /// A session of a policy test.
    Session,
}

/// The values of a map that was read through its shape.
#[derive(Debug)]
pub(super) struct Fields<'n> {
    pub(super) span: Range<usize>,
    values: BTreeMap<&'static str, (&'n Node, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// The value of a key.
    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        self.entry(name).map(|(_, value)| value)
    }

    /// Key and value. A key that the shape does not have is never there.
    pub(super) fn entry(&self, name: &str) -> Option<(&'n Node, &'n Node)> {
        self.values.get(name).copied()
    }

    /// Where a key and its value stand, or the whole map.
    pub(super) fn span_of(&self, name: &str) -> Range<usize> {
        self.entry(name).map_or_else(|| self.span.clone(), |(key, value)| whole(key, value))
    }
}

impl Shape {
    /// Reads a map: unknown, duplicate and missing keys are reported, what is left can be asked for by name.
    pub(super) fn read<'n>(&'static self, node: &'n Node, sink: &mut Sink) -> Option<Fields<'n>> {
        let entries = entries(node, self.name, sink)?;
        let mut values = BTreeMap::new();
        for (name, key, value) in entries {
            match self.keys.iter().find(|known| known.name == name) {
                Some(known) => {
                    values.insert(known.name, (key, value));
                }
                None => unknown_key(name, key, self.name, self.names(), sink),
            }
        }
        let missing = self.keys.iter().filter(|key| key.required && !values.contains_key(key.name));
        for key in missing {
            let message = format!("`{}` is missing from this {}", key.name, self.name);
            sink.error(Code::MissingKey, &node.span, message)
                .help(format!("`{}`: {}", key.name, key.doc));
        }
        Some(Fields { span: node.span.clone(), values })
    }

    /// The names of all keys.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }
}

/// Reports a key that means nothing here.
pub(super) fn unknown_key<'a>(
    name: &str,
    key: &Node,
    what: &str,
    known: impl IntoIterator<Item = &'a str>,
    sink: &mut Sink,
) {
    let message = format!("unknown key `{}` in this {what}", excerpt(name));
    sink.error(Code::UnknownKey, &key.span, message).help_if(did_you_mean_or_list(name, known));
}

/// The entries of a map by their keys, each once. Reports anything else than a map, and keys that stand twice.
pub(super) fn entries<'n>(
    node: &'n Node,
    what: &str,
    sink: &mut Sink,
) -> Option<Vec<(&'n str, &'n Node, &'n Node)>> {
    let Some(mapping) = node.mapping() else {
        let message = format!("{} {what} is a map, found {}", article(what), node.describe());
        sink.error(Code::WrongType, &node.span, message);
        return None;
    };
    let mut first: BTreeMap<&str, &Node> = BTreeMap::new();
    let mut found = Vec::with_capacity(mapping.len());
    for (key, value) in mapping {
        let Some(scalar) = key.scalar() else {
            sink.error(
                Code::WrongType,
                &key.span,
                format!("a key is text, found {}", key.describe()),
            );
            continue;
        };
        if let Some(earlier) = first.get(scalar.text.as_str()) {
            let message = format!("`{}` stands twice in this {what}", excerpt(&scalar.text));
            sink.error(Code::DuplicateKey, &key.span, message).related(&earlier.span, "first here");
            continue;
        }
        first.insert(&scalar.text, key);
        found.push((scalar.text.as_str(), key, value));
    }
    Some(found)
}

/// `a` or `an`.
fn article(what: &str) -> &'static str {
    if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// From the key to the end of its value, if they stand together (the value of an alias stands elsewhere).
pub(super) fn whole(key: &Node, value: &Node) -> Range<usize> {
    key.span.start..value.span.end.max(key.span.end)
}

//! `victims`: which of the candidates.

use super::conditions::conditions;
use super::diagnostic::{Code, Sink};
use super::durations::{Unit, comparisons};
use super::matchers::Scope;
use super::patterns::{expression, pattern_text};
use super::shape::{Key, Kind, Shape};
use super::suggest::did_you_mean;
use super::values::{count_as, one_or_many, text};
use super::yaml::{Node, excerpt};
use crate::engine::condition::{Field, FieldKind};
use crate::engine::policy::{GroupKey, Having, OrderKey, Victims};

pub(super) static VICTIMS: Shape = Shape {
    name: "victims map",
    doc: "which of the candidates: groups, then in each group order, skip, take, keep",
    keys: &[
        Key::optional(
            "group_by",
            Kind::OneOrMany(&Kind::Either(&[Kind::Field, Kind::Map(&CAPTURE)])),
            "what makes a group; default: one group of all",
        ),
        Key::optional("having", Kind::Map(&HAVING), "what must hold of a group's candidates"),
        Key::optional(
            "order",
            Kind::OneOrMany(&Kind::OrderKey),
            "the order within a group, `-` for descending; default: by logon time",
        ),
        Key::optional("skip", Kind::Count, "how many to leave out at the front"),
        Key::optional("take", Kind::Count, "how many to take at most"),
        Key::optional(
            "keep",
            Kind::Count,
            "how many live sessions of the group this rule must leave, matched or not; others count by themselves",
        ),
    ],
};

pub(super) static CAPTURE: Shape = Shape {
    name: "capture map",
    doc: "a group key cut out of a text",
    keys: &[
        Key::required("capture", Kind::Text, "a regular expression; its first group is the key"),
        Key::required("of", Kind::Field, "the text field it is searched in"),
    ],
};

pub(super) static HAVING: Shape = Shape {
    name: "having map",
    doc: "conditions on the candidates of a group",
    keys: &[
        Key::optional("count", Kind::CompareNumber, "how many there are"),
        Key::optional("every", Kind::Conditions, "holds of all"),
        Key::optional("some", Kind::Conditions, "holds of at least one"),
    ],
};

/// Reads `victims`.
pub(super) fn victims(node: &Node, scope: &Scope<'_>, sink: &mut Sink) -> Option<Victims> {
    let fields = VICTIMS.read(node, sink)?;
    let mut victims = Victims::default();
    if let Some(node) = fields.get("group_by") {
        let items = one_or_many(node, "group keys", sink);
        victims.group_by = items.iter().filter_map(|item| group_key(item, sink)).collect();
    }
    if let Some(node) = fields.get("order") {
        let items = one_or_many(node, "order keys", sink);
        victims.order = items.iter().filter_map(|item| order_key(item, sink)).collect();
    }
    if let Some(node) = fields.get("having") {
        victims.having = having(node, scope, sink).unwrap_or_default();
    }
    if let Some(node) = fields.get("skip") {
        victims.skip = count_as(node, sink).unwrap_or_default();
    }
    if let Some(node) = fields.get("keep") {
        victims.keep = count_as(node, sink).unwrap_or_default();
    }
    if let Some(node) = fields.get("take") {
        victims.take = count_as(node, sink);
        if victims.take == Some(0) {
            sink.error(Code::BadVictims, &node.span, "`take: 0` ends nobody");
        }
    }
    Some(victims)
}

fn group_key(node: &Node, sink: &mut Sink) -> Option<GroupKey> {
    if node.mapping().is_none() {
        return field(node, sink).map(GroupKey::Field);
    }
    let fields = CAPTURE.read(node, sink)?;
    let of = fields.get("of").and_then(|node| text_field(node, sink));
    let written = fields.get("capture")?;
    let regex = expression(written, pattern_text(written, sink)?, sink)?;
    if regex.captures_len() < 2 {
        sink.error(Code::BadRegex, &written.span, "this expression captures nothing")
            .help("put parentheses around what makes the group: fruit=(\\w+)");
        return None;
    }
    Some(GroupKey::Capture { regex, of: of? })
}

fn text_field(node: &Node, sink: &mut Sink) -> Option<Field> {
    let field = field(node, sink)?;
    if !matches!(field.kind(), FieldKind::Text | FieldKind::SqlId) {
        let message = format!("`{}` is not a text field", field.name());
        sink.error(Code::BadVictims, &node.span, message);
        return None;
    }
    Some(field)
}

fn order_key(node: &Node, sink: &mut Sink) -> Option<OrderKey> {
    let written = text(node, "a field", sink)?;
    let (descending, name) =
        written.strip_prefix('-').map_or((false, written), |name| (true, name));
    Some(OrderKey { field: field_named(node, name, sink)?, descending })
}

fn field(node: &Node, sink: &mut Sink) -> Option<Field> {
    let name = text(node, "a field", sink)?;
    field_named(node, name, sink)
}

/// Every field has an order but `in_query`.
fn field_named(node: &Node, name: &str, sink: &mut Sink) -> Option<Field> {
    let ordered = |field: &Field| field.kind() != FieldKind::Query;
    let field = Field::named(name).filter(ordered);
    if field.is_none() {
        let names = Field::ALL.iter().filter(|field| ordered(field)).map(|field| field.name());
        let message = format!("`{}` is not a field to order or group by", excerpt(name));
        sink.error(Code::BadVictims, &node.span, message).help_if(did_you_mean(name, names));
    }
    field
}

fn having(node: &Node, scope: &Scope<'_>, sink: &mut Sink) -> Option<Having> {
    let fields = HAVING.read(node, sink)?;
    let count = fields.get("count").and_then(|node| comparisons(node, Unit::Number(1), sink));
    let every = fields.get("every").and_then(|node| conditions(node, scope, sink));
    let some = fields.get("some").and_then(|node| conditions(node, scope, sink));
    Some(Having {
        count: count.map(|count| count.all).unwrap_or_default(),
        every: every.map(|every| every.condition),
        some: some.map(|some| some.condition),
    })
}

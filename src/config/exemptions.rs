//! `protect` and `unless`: who is spared.

use super::conditions::{Compiled, conditions};
use super::diagnostic::Sink;
use super::matchers::Scope;
use super::shape::{Key, Kind, Shape};
use super::values::{list, name, time};
use super::yaml::Node;
use crate::engine::policy::Exemption;

const MATCH: Key = Key::required("match", Kind::Conditions, "whom it spares");
const UNTIL: Key =
    Key::optional("until", Kind::Time, "the moment from which on it no longer holds");

pub(super) static PROTECT: Shape = Shape {
    name: "protection",
    doc: "sessions that no rule may touch",
    keys: &[
        Key::required("name", Kind::Name, "its name: victims are spared as `protect:NAME`"),
        MATCH,
        UNTIL,
    ],
};

pub(super) static EXEMPTION: Shape = Shape {
    name: "exemption",
    doc: "sessions that this rule spares",
    keys: &[Key::optional("name", Kind::Name, "its name, for the plan"), MATCH, UNTIL],
};

/// An entry of `protect` or of a list under `unless`.
pub(super) fn exemption(
    node: &Node,
    shape: &'static Shape,
    scope: &Scope<'_>,
    sink: &mut Sink,
) -> Option<Exemption> {
    let fields = shape.read(node, sink)?;
    let name = fields.get("name").and_then(|node| name(node, sink));
    let until = fields.get("until").and_then(|node| time(node, sink));
    let compiled = fields.get("match").and_then(|node| conditions(node, scope, sink));
    let Compiled { condition, .. } = compiled?;
    Some(Exemption { name: name.map(ToOwned::to_owned), condition, until })
}

/// `unless`: one map of conditions, or a list of exemptions.
pub(super) fn unless(node: &Node, scope: &Scope<'_>, sink: &mut Sink) -> Vec<Exemption> {
    if node.sequence().is_some() {
        let items = list(node, "exemptions", sink);
        return items.iter().filter_map(|item| exemption(item, &EXEMPTION, scope, sink)).collect();
    }
    conditions(node, scope, sink)
        .map(|compiled| Exemption { name: None, condition: compiled.condition, until: None })
        .into_iter()
        .collect()
}

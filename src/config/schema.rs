//! JSON Schemas for editors, printed from the tables that the decoders read by.
//!
//! A schema can say less than the decoders check (no contradictions, no names); what it says is never more.

use serde_json::{Map, Value, json};

use super::cells::{CellKind, KEY_COLUMNS, kind_of};
use super::conditions::COMBINATORS;
use super::durations::{SPAN_PATTERN, Unit};
use super::matchers::TEXT_MATCHERS;
use super::policies::POLICY_FILE;
use super::service::SERVICE_FILE;
use super::shape::{Kind, Shape};
use super::tests_file::TEST_FILE;
use super::values::NAME_PATTERN;
use crate::engine::condition::{Field, FieldKind};
use crate::engine::policy::Liftable;
use crate::engine::session::Column;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of policy files.
pub fn policy_schema() -> Value {
    root(&POLICY_FILE, "orawarden policy")
}

/// The schema of policy tests.
pub fn test_schema() -> Value {
    root(&TEST_FILE, "orawarden policy tests")
}

/// The schema of `orawarden.yaml`.
pub fn config_schema() -> Value {
    root(&SERVICE_FILE, "orawarden configuration")
}

/// The text of a schema as it is checked in.
pub fn printed(schema: &Value) -> String {
    format!("{schema:#}\n")
}

fn root(shape: &'static Shape, title: &str) -> Value {
    let mut printer = Printer { definitions: Map::new() };
    let body = printer.shape_body(shape);
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!(DRAFT));
    schema.insert("title".to_owned(), json!(title));
    schema.extend(body);
    schema.insert("$defs".to_owned(), Value::Object(printer.definitions));
    Value::Object(schema)
}

struct Printer {
    definitions: Map<String, Value>,
}

impl Printer {
    fn shape_body(&mut self, shape: &'static Shape) -> Map<String, Value> {
        let mut properties = Map::new();
        for key in shape.keys {
            properties.insert(key.name.to_owned(), described(self.kind(&key.kind), key.doc));
        }
        let required: Vec<&str> =
            shape.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
        let mut body = object(shape.doc, properties);
        if !required.is_empty() {
            body.insert("required".to_owned(), json!(required));
        }
        body
    }

    /// A reference to a definition, which is made on first use.
    fn defined(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Map<String, Value>) -> Value {
        if !self.definitions.contains_key(name) {
            // Held first, because conditions contain conditions.
            self.definitions.insert(name.to_owned(), Value::Null);
            let body = make(self);
            self.definitions.insert(name.to_owned(), Value::Object(body));
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Map(shape) => {
                self.defined(&shape.name.replace(' ', "-"), |printer| printer.shape_body(shape))
            }
            Kind::List(element) => json!({ "type": "array", "items": self.kind(element) }),
            Kind::OneOrMany(element) => {
                let one = self.kind(element);
                json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
            }
            Kind::Either(kinds) => {
                let any: Vec<Value> = kinds.iter().map(|kind| self.kind(kind)).collect();
                json!({ "anyOf": any })
            }
            Kind::MapOf(element) => {
                json!({ "type": "object", "additionalProperties": self.kind(element) })
            }
            Kind::Conditions => self.defined("conditions", Self::conditions),
            Kind::TextMatcher => self.defined("text-matcher", |_| Self::text_matcher()),
            Kind::Session => self.defined("session", |_| Self::session()),
            Kind::CompareNumber => compare(Unit::Number(1), &[">= 3", "= 0"]),
            Kind::ComparePercent => compare(Unit::Percent, &["> 75%"]),
            plain => plain_kind(plain),
        }
    }

    fn conditions(&mut self) -> Map<String, Value> {
        let mut properties = Map::new();
        let own = json!({ "$ref": "#/$defs/conditions" });
        for (name, doc) in COMBINATORS {
            let kind = match name {
                "not" => own.clone(),
                "any_session" => json!({ "const": true }),
                _ => json!({ "type": "array", "items": own, "minItems": 1 }),
            };
            properties.insert(name.to_owned(), described(kind, doc));
        }
        for field in Field::ALL.iter().filter(|field| **field != Field::LogonTime) {
            properties.insert(field.name().to_owned(), described(self.field(*field), field.doc()));
        }
        let mut body = object("conditions; all keys must hold", properties);
        body.insert("minProperties".to_owned(), json!(1));
        body
    }

    fn field(&mut self, field: Field) -> Value {
        match field.kind() {
            FieldKind::Text | FieldKind::SqlId => self.kind(&Kind::TextMatcher),
            FieldKind::Identifier => self.defined("identifier-matcher", |_| identifier_matcher()),
            FieldKind::Duration => or_null(&compare(Unit::Duration, &["> 30m", "<= 1.5h"])),
            FieldKind::Number => or_null(&compare(Unit::Number(field.scale()), &[">= 3"])),
            FieldKind::Flag => or_null(&json!({ "type": "boolean" })),
            FieldKind::Query => json!({ "type": "string" }),
        }
    }

    fn text_matcher() -> Map<String, Value> {
        let own = json!({ "$ref": "#/$defs/text-matcher" });
        let mut any = vec![
            json!({ "type": ["string", "number"] }),
            json!({ "type": "array", "items": own, "minItems": 1 }),
        ];
        for (name, doc) in TEXT_MATCHERS {
            let value = match name {
                "not" => own.clone(),
                "is_null" => json!({ "type": "boolean" }),
                _ => json!({ "type": "string", "minLength": 1 }),
            };
            any.push(matcher(name, doc, value));
        }
        one_of(
            "a text: the whole value exactly, a matcher, or a list (any of); case is ignored",
            any,
        )
    }

    fn session() -> Map<String, Value> {
        let mut properties = Map::new();
        for (name, doc) in KEY_COLUMNS {
            properties.insert(name.to_owned(), described(json!({ "type": "integer" }), doc));
        }
        for column in Column::all() {
            let doc = match column {
                Column::Text(column) => column.doc(),
                Column::Number(column) => column.doc(),
            };
            properties.insert(column.name().to_lowercase(), described(cell(column), doc));
        }
        let mut body = object("a session, by Oracle's columns", properties);
        body.insert("required".to_owned(), json!(["sid"]));
        body
    }
}

fn identifier_matcher() -> Map<String, Value> {
    let own = json!({ "$ref": "#/$defs/identifier-matcher" });
    let any = vec![
        json!({ "type": "integer" }),
        json!({ "type": "string", "pattern": r"^\s*((<=|>=|!=|<|>|=)\s*)?[0-9]+\s*$" }),
        json!({ "type": "array", "items": own, "minItems": 1 }),
        matcher("in_set", "any element of the named set", json!({ "type": "string" })),
        matcher("not", "negated", own.clone()),
        matcher("is_null", "whether there is no value", json!({ "type": "boolean" })),
    ];
    one_of("a number, a list of numbers (any of), or a comparison", any)
}

/// A map of one key.
fn matcher(name: &str, doc: &str, value: Value) -> Value {
    let mut properties = Map::new();
    properties.insert(name.to_owned(), described(value, doc));
    let mut body = object("one matcher", properties);
    body.insert("required".to_owned(), json!([name]));
    Value::Object(body)
}

fn one_of(doc: &str, any: Vec<Value>) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("description".to_owned(), json!(doc));
    body.insert("anyOf".to_owned(), Value::Array(any));
    body
}

fn or_null(kind: &Value) -> Value {
    let is_null = matcher("is_null", "whether there is no value", json!({ "type": "boolean" }));
    json!({ "anyOf": [kind, is_null] })
}

fn compare(unit: Unit, examples: &[&str]) -> Value {
    let one = json!({ "type": "string", "pattern": unit.pattern(), "examples": examples });
    json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 2 }] })
}

fn cell(column: Column) -> Value {
    match kind_of(column) {
        CellKind::Text => json!({ "type": ["string", "number", "boolean", "null"] }),
        CellKind::Number(_) => json!({ "type": ["number", "string", "null"] }),
        CellKind::Span(_) => {
            json!({ "type": ["string", "null"], "pattern": SPAN_PATTERN, "examples": ["30m"] })
        }
        CellKind::Time => {
            json!({ "type": ["string", "null"], "examples": ["-2h", "2026-03-02T10:00:00Z"] })
        }
    }
}

/// Kinds that contain no others.
fn plain_kind(kind: &Kind) -> Value {
    match kind {
        Kind::Version => json!({ "const": 1 }),
        Kind::Name => json!({ "type": "string", "pattern": NAME_PATTERN }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::True => json!({ "const": true }),
        Kind::Count => json!({ "type": "integer", "minimum": 0 }),
        Kind::CountOrUnlimited => {
            json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "const": "unlimited" }] })
        }
        Kind::Percent => {
            json!({ "type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?\s*%|unlimited)$", "examples": ["10%"] })
        }
        Kind::Span => {
            json!({ "type": "string", "pattern": SPAN_PATTERN, "examples": ["60s", "1.5h"] })
        }
        Kind::Time => json!({ "type": "string", "examples": ["2026-12-27T00:00:00+01:00"] }),
        Kind::Cron => json!({ "type": "string", "examples": ["* * * * *", "*/5 * * * *"] }),
        Kind::Zone => json!({ "type": "string", "examples": ["UTC", "Europe/Berlin"] }),
        Kind::Words(words) => json!({ "enum": words }),
        Kind::Protection => json!({ "enum": Liftable::ALL.map(Liftable::name) }),
        Kind::Window => json!({
            "type": "string",
            "examples": ["Mon-Fri 08:00-18:00", "22:00-06:00", "2026-12-24 00:00 / 2026-12-27 00:00"],
        }),
        Kind::Field => json!({ "enum": fields().collect::<Vec<_>>() }),
        Kind::OrderKey => {
            json!({ "enum": fields().flat_map(|name| [name.to_owned(), format!("-{name}")]).collect::<Vec<_>>() })
        }
        _ => json!({ "type": ["string", "number"] }),
    }
}

/// Every field can be ordered by but `in_query`.
fn fields() -> impl Iterator<Item = &'static str> {
    Field::ALL.iter().filter(|field| field.kind() != FieldKind::Query).map(|field| field.name())
}

fn object(doc: &str, properties: Map<String, Value>) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("description".to_owned(), json!(doc));
    body.insert("type".to_owned(), json!("object"));
    body.insert("properties".to_owned(), Value::Object(properties));
    body.insert("additionalProperties".to_owned(), json!(false));
    body
}

/// Adds a description, unless the kind brings its own.
fn described(kind: Value, doc: &str) -> Value {
    let mut body = Map::new();
    body.insert("description".to_owned(), json!(doc));
    match kind {
        Value::Object(kind) => body.extend(kind),
        other => return other,
    }
    Value::Object(body)
}

//! YAML with places: text to a tree of [`Node`]s that know where they stand.
//!
//! Syntax comes from `saphyr-parser`, the meaning of plain scalars (what is a number, what is `null`) from the YAML
//! value library. Nothing here knows what a policy is. Every bound is a constant, because a file can be hostile: deep
//! nesting, or aliases of aliases of aliases.

use std::collections::BTreeMap;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::diagnostic::{Code, Sink};

/// The largest file that is read: a thousand times the longest policy file seen.
pub(super) const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The deepest nesting of lists and maps. Decoders recurse, so this also bounds the stack.
pub(super) const DEPTH_MAX: usize = 64;

/// The most nodes a file may have once its aliases are expanded.
pub(super) const NODES_MAX: usize = 1_000_000;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) span: Range<usize>,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

/// A scalar as written.
#[derive(Debug, Clone)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Quoted scalars are text whatever they look like.
    pub(super) quoted: bool,
}

/// What YAML takes a scalar for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalarKind {
    Null,
    Flag(bool),
    Number,
    Text,
}

impl Scalar {
    /// What YAML takes it for.
    pub(super) fn kind(&self) -> ScalarKind {
        if self.quoted || self.text.starts_with("---") || self.text.starts_with("...") {
            return ScalarKind::Text;
        }
        match serde_yaml::from_str::<serde_yaml::Value>(&self.text) {
            Ok(serde_yaml::Value::Null) => ScalarKind::Null,
            Ok(serde_yaml::Value::Bool(flag)) => ScalarKind::Flag(flag),
            Ok(serde_yaml::Value::Number(_)) => ScalarKind::Number,
            _ => ScalarKind::Text,
        }
    }
}

impl Node {
    /// The scalar, if it is one.
    pub(super) fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub(super) fn sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is a map.
    pub(super) fn mapping(&self) -> Option<&[(Node, Node)]> {
        match &self.value {
            Value::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// What it is, as messages say it.
    pub(super) fn describe(&self) -> String {
        match &self.value {
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a map".to_owned(),
            Value::Scalar(scalar) => match scalar.kind() {
                ScalarKind::Null => "nothing".to_owned(),
                ScalarKind::Flag(flag) => format!("`{flag}`"),
                ScalarKind::Number => format!("the number `{}`", excerpt(&scalar.text)),
                ScalarKind::Text => format!("`{}`", excerpt(&scalar.text)),
            },
        }
    }

    fn size(&self) -> usize {
        1 + match &self.value {
            Value::Scalar(_) => 0,
            Value::Sequence(items) => items.iter().map(Self::size).sum(),
            Value::Mapping(entries) => {
                entries.iter().map(|(key, value)| key.size() + value.size()).sum()
            }
        }
    }

    fn depth(&self) -> usize {
        let below = match &self.value {
            Value::Scalar(_) => return 0,
            Value::Sequence(items) => items.iter().map(Self::depth).max(),
            Value::Mapping(entries) => {
                entries.iter().map(|(key, value)| key.depth().max(value.depth())).max()
            }
        };
        1 + below.unwrap_or(0)
    }
}

/// A text short enough for a message.
pub(super) fn excerpt(text: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    let cut: String = line.chars().take(CHARACTERS_MAX).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// Reads one document. Errors go to the sink; there is no tree then.
pub(super) fn parse(text: &str, sink: &mut Sink) -> Option<Node> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file is larger than {} MiB", FILE_BYTES_MAX / 1024 / 1024);
        sink.error(Code::TooLarge, &(0..0), message);
        return None;
    }
    if let Some(at) = text.find('\0') {
        sink.error(Code::NotText, &(at..at + 1), "the file holds a NUL character");
        return None;
    }
    let mut builder = Builder::new(text);
    for event in Parser::new_from_str(text) {
        let outcome = match event {
            Ok((event, span)) => {
                let range = builder.offsets.range(text, span.start, span.end);
                builder.take(event, range)
            }
            Err(error) => Err(builder.syntax_error(&error)),
        };
        if let Err(refusal) = outcome {
            sink.error(refusal.code, &refusal.span, refusal.message).help_if(refusal.help);
            return None;
        }
    }
    let root = builder.root;
    if root.is_none() {
        sink.error(Code::Syntax, &(0..0), "the file is empty")
            .help("a policy file begins with `version: 1`");
    }
    root
}

/// Why reading stopped.
struct Refusal {
    code: Code,
    span: Range<usize>,
    message: String,
    help: Option<String>,
}

impl Refusal {
    fn new(code: Code, span: &Range<usize>, message: impl Into<String>) -> Self {
        Self { code, span: span.clone(), message: message.into(), help: None }
    }

    fn with_help(mut self, help: &str) -> Self {
        self.help = Some(help.to_owned());
        self
    }
}

/// The parser counts characters, spans count bytes.
struct Offsets(Option<Vec<usize>>);

impl Offsets {
    fn new(text: &str) -> Self {
        Self((!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect()))
    }

    fn byte(&self, text: &str, marker: Marker) -> usize {
        match &self.0 {
            None => marker.index().min(text.len()),
            Some(table) => table.get(marker.index()).copied().unwrap_or(text.len()),
        }
    }

    /// Trailing white space is no part of a value, although the parser has read past it.
    fn range(&self, text: &str, start: Marker, end: Marker) -> Range<usize> {
        let start = self.byte(text, start);
        let end = self.byte(text, end).max(start);
        start..start + text[start..end].trim_end().len()
    }
}

/// A list or map that is not closed yet.
struct Open {
    start: usize,
    anchor: usize,
    parts: Parts,
}

enum Parts {
    Items(Vec<Node>),
    Entries(Vec<(Node, Node)>, Option<Node>),
}

struct Builder<'t> {
    text: &'t str,
    offsets: Offsets,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            offsets: Offsets::new(text),
            open: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: 0,
            documents: 0,
            root: None,
        }
    }

    fn syntax_error(&self, error: &ScanError) -> Refusal {
        let at = self.text.floor_char_boundary(self.offsets.byte(self.text, *error.marker()));
        let next = self.text[at..].chars().next().map_or(0, char::len_utf8);
        Refusal::new(Code::Syntax, &(at..at + next), format!("not valid YAML: {}", error.info()))
    }

    fn take(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), Refusal> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => self.start_document(&span),
            Event::Alias(anchor) => self.expand(anchor, &span),
            Event::Scalar(text, style, anchor, tag) => {
                let is_text =
                    tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let quoted = is_text || style != ScalarStyle::Plain;
                let scalar = Scalar { text: text.into_owned(), quoted };
                self.add(Node { value: Value::Scalar(scalar), span }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.start(anchor, &span, Parts::Items(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.start(anchor, &span, Parts::Entries(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&span),
        }
    }

    fn start_document(&mut self, span: &Range<usize>) -> Result<(), Refusal> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let message = "a second document begins here";
        Err(Refusal::new(Code::Unsupported, span, message)
            .with_help("one document a file: remove the `---`"))
    }

    fn expand(&mut self, anchor: usize, span: &Range<usize>) -> Result<(), Refusal> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(Refusal::new(Code::Syntax, span, "an alias inside its own anchor"));
        };
        if self.open.len() + node.depth() > DEPTH_MAX {
            return Err(too_deep(span));
        }
        let size = node.size();
        if self.nodes + size > NODES_MAX {
            return Err(too_many(span));
        }
        self.nodes += size;
        let node = node.clone();
        self.attach(node)
    }

    fn start(&mut self, anchor: usize, span: &Range<usize>, parts: Parts) -> Result<(), Refusal> {
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(span));
        }
        self.open.push(Open { start: span.start, anchor, parts });
        Ok(())
    }

    fn close(&mut self, span: &Range<usize>) -> Result<(), Refusal> {
        let open = self.open.pop().expect("the parser closes only what it opened");
        let (value, last) = match open.parts {
            Parts::Items(items) => {
                let last = items.last().map(|item| item.span.end);
                (Value::Sequence(items), last)
            }
            Parts::Entries(entries, _) => {
                let last = entries.last().map(|(_, value)| value.span.end);
                (Value::Mapping(entries), last)
            }
        };
        // A flow collection ends with its bracket; a block ends where its last value does. (An alias as last value
        // stands elsewhere in the file, perhaps before.)
        let is_flow = self.text[open.start..].starts_with(['{', '[']);
        let bracket = || self.text[span.start..].find(['}', ']']).map(|at| span.start + at + 1);
        let end = if is_flow { bracket() } else { last }.unwrap_or(open.start);
        self.add(Node { value, span: open.start..end.max(open.start) }, open.anchor)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Refusal> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(too_many(&node.span));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.attach(node)
    }

    fn attach(&mut self, node: Node) -> Result<(), Refusal> {
        match self.open.last_mut().map(|open| &mut open.parts) {
            None => self.root = Some(node),
            Some(Parts::Items(items)) => items.push(node),
            Some(Parts::Entries(entries, key)) => match key.take() {
                Some(key) => entries.push((key, node)),
                None if is_merge_key(&node) => {
                    return Err(Refusal::new(
                        Code::Unsupported,
                        &node.span,
                        "merge keys are not used here",
                    )
                    .with_help("write the keys out, or say them once under `defaults`"));
                }
                None => *key = Some(node),
            },
        }
        Ok(())
    }
}

fn is_merge_key(node: &Node) -> bool {
    node.scalar().is_some_and(|scalar| !scalar.quoted && scalar.text == "<<")
}

fn too_deep(span: &Range<usize>) -> Refusal {
    Refusal::new(Code::TooDeep, span, format!("nested deeper than {DEPTH_MAX} levels"))
}

fn too_many(span: &Range<usize>) -> Refusal {
    Refusal::new(Code::TooLarge, span, format!("more than {NODES_MAX} values, aliases expanded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(text: &str) -> Vec<&str> {
        fn walk<'t>(node: &Node, text: &'t str, out: &mut Vec<&'t str>) {
            out.push(&text[node.span.clone()]);
            match &node.value {
                Value::Scalar(_) => {}
                Value::Sequence(items) => items.iter().for_each(|item| walk(item, text, out)),
                Value::Mapping(entries) => entries.iter().for_each(|(key, value)| {
                    walk(key, text, out);
                    walk(value, text, out);
                }),
            }
        }
        let root = parse(text, &mut Sink::default()).expect("the text is YAML");
        let mut out = Vec::new();
        walk(&root, text, &mut out);
        out
    }

    #[test]
    fn places_are_bytes_whatever_stands_before() {
        for (text, expected) in [
            ("é: [ü, \"ö ä\"] # ß\n", vec!["é: [ü, \"ö ä\"]", "é", "[ü, \"ö ä\"]", "ü", "\"ö ä\""]),
            ("a: b\r\nc: d\r\n", vec!["a: b\r\nc: d", "a", "b", "c", "d"]),
            ("\u{feff}a: b\n", vec!["a: b", "a", "b"]),
            ("a: {}\n", vec!["a: {}", "a", "{}"]),
        ] {
            assert_eq!(spans(text), expected, "{text:?}");
        }
    }

    #[test]
    fn plain_scalars_mean_what_the_library_says() {
        for (text, expected) in [
            ("12", ScalarKind::Number),
            ("1.5", ScalarKind::Number),
            ("0x1F", ScalarKind::Number),
            ("true", ScalarKind::Flag(true)),
            ("~", ScalarKind::Null),
            ("", ScalarKind::Null),
            ("yes", ScalarKind::Text),
            ("30m", ScalarKind::Text),
        ] {
            let scalar = Scalar { text: text.to_owned(), quoted: false };
            assert_eq!(scalar.kind(), expected, "{text}");
            assert_eq!(Scalar { quoted: true, ..scalar }.kind(), ScalarKind::Text);
        }
    }

    #[test]
    fn an_alias_is_what_its_anchor_holds() {
        let text = "a: &x {b: c}\nd: *x\n";
        let root = parse(text, &mut Sink::default()).expect("the text is YAML");
        let (_, alias) = &root.mapping().expect("a map")[1];
        assert_eq!(alias.mapping().map(<[_]>::len), Some(1));
        let mut sink = Sink::default();
        assert!(parse("a: &x [*x]\n", &mut sink).is_none());
        assert!(sink.has_errors());
    }
}

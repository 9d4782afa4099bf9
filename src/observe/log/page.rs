//! The list of kinds is written down three times: here in the code, in the catalog of the journal, which says what to
//! do, and on the page for people. The page is made of the other two, and what the code never says is in none of them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::kind::{Form, Key, Kind};

const CATALOG: &str = "systemd/orawarden.catalog";
const PAGE: &str = "docs/logs.md";
const PAGES: &str = "file:///usr/share/doc/orawarden/logs.md#";

/// What is above it on the page is written by hand.
const MADE_FROM_HERE: &str = "UPDATE_EXPECT=1 cargo test. -->\n";

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An entry of the catalog.
struct Entry {
    id: String,
    headers: Vec<(String, String)>,
    text: String,
}

impl Entry {
    fn header(&self, name: &str) -> Vec<&str> {
        let found = self.headers.iter().filter(|(it, _)| it == name);
        found.map(|(_, value)| value.as_str()).collect()
    }
}

fn catalog() -> Vec<Entry> {
    let text = read(CATALOG);
    let entries = text.split("\n-- ").skip(1);
    entries
        .map(|entry| {
            let (id, entry) = entry.split_once('\n').expect("an id is a line");
            let (headers, text) = entry.split_once("\n\n").expect("a text follows");
            let header = |line: &str| {
                let (name, value) = line.split_once(": ").expect("it is a header");
                (name.to_owned(), value.to_owned())
            };
            Entry {
                id: id.to_owned(),
                headers: headers.lines().map(header).collect(),
                text: text.trim_end().to_owned(),
            }
        })
        .collect()
}

/// The fields that a text of the catalog takes from the line: `@RULE@`.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    text.split('@').skip(1).step_by(2)
}

#[test]
fn the_catalog_says_of_every_kind_what_happened() {
    let entries = catalog();
    let ids: Vec<_> = entries.iter().map(|entry| entry.id.clone()).collect();
    let expected: Vec<_> = Kind::ALL.iter().map(|kind| format!("{:032x}", kind.id())).collect();
    assert_eq!(ids, expected);
    for (entry, kind) in entries.iter().zip(Kind::ALL) {
        assert_eq!(entry.header("Defined-By"), ["orawarden"]);
        assert_eq!(entry.header("Documentation")[0], format!("{PAGES}{}", kind.word()));
        let [subject] = entry.header("Subject")[..] else { panic!("one subject: {}", entry.id) };
        assert!(!entry.text.is_empty(), "{}", kind.word());
        for field in fields(subject).chain(fields(&entry.text)) {
            let is_a_key = kind.keys().iter().any(|key| key.name().to_uppercase() == field);
            assert!(is_a_key, "{} has no {field}", kind.word());
        }
    }
}

#[test]
fn the_page_lists_every_kind_and_every_key() {
    let page = read(PAGE);
    let (by_hand, made) = page.split_once(MADE_FROM_HERE).expect("the line that divides it");
    let expected = made_part();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
        fs::write(path, format!("{by_hand}{MADE_FROM_HERE}{expected}")).expect("it can be written");
    } else {
        assert_eq!(made, expected, "UPDATE_EXPECT=1 cargo test writes it anew");
    }
}

fn made_part() -> String {
    let mut page = "\n## Keys\n\n| key | is | meaning |\n|---|---|---|\n".to_owned();
    for key in Key::ALL {
        let form = match key.form() {
            Form::Text => "text",
            Form::Number => "a number",
            Form::Flag => "true or false",
        };
        writeln!(page, "| `{}` | {form} | {} |", key.name(), key.doc()).expect("it is text");
    }
    page.push_str("\n## Events\n");
    for (kind, entry) in Kind::ALL.iter().zip(catalog()) {
        let level = kind.level().as_str().to_lowercase();
        let keys = kind.keys().iter().map(|key| format!("`{}`", key.name()));
        let keys = keys.collect::<Vec<_>>().join(", ");
        let keys = if keys.is_empty() { "no keys".to_owned() } else { keys };
        let text = Key::ALL.iter().fold(entry.text, |text, key| {
            text.replace(&format!("@{}@", key.name().to_uppercase()), &format!("`{}`", key.name()))
        });
        let (word, message, id) = (kind.word(), kind.message(), entry.id);
        write!(
            page,
            "\n### {word}\n\n{level}: \"{message}\"; {keys}; `MESSAGE_ID={id}`\n\n{text}\n"
        )
        .expect("it is text");
    }
    page
}

#[test]
fn every_kind_is_said_somewhere_and_every_key_belongs_to_one() {
    let mut sources = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    let text: String =
        sources.iter().map(|path| fs::read_to_string(path).expect("it is there")).collect();
    let packed: String = text.split_whitespace().collect();
    for kind in Kind::ALL {
        let said =
            [format!("say!({kind:?},"), format!("say!({kind:?})"), format!("line!({kind:?})")];
        assert!(said.iter().any(|it| packed.contains(it)), "{kind:?} is said nowhere");
    }
    for key in Key::ALL {
        assert!(Kind::ALL.iter().any(|kind| kind.keys().contains(key)), "{key:?} belongs to none");
    }
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it can be read").path();
        match path.extension().and_then(|it| it.to_str()) {
            // What only tests say is not said.
            _ if path.file_name().is_some_and(|name| name == "tests.rs") => {}
            Some("rs") => sources.push(path),
            _ if path.is_dir() => collect(&path, sources),
            _ => {}
        }
    }
}

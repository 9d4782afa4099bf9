//! The guide in `docs` and the pages at the root: their YAML compiles, their links lead somewhere, every page is a chapter,
//! and what the troubleshooting page says of codes is what the code does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use orawarden::config::diagnostic::{Diagnostics, SourceFile};
use orawarden::config::{policies, render, service, tests_file};
use orawarden::oracle::codes::{Class, class};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Pages outside the guide that link into it.
const AT_THE_ROOT: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Beyond every number that Oracle has given to an error.
const ORA_MAX: u32 = 70_000;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// The pages below `docs`, by their file names.
fn chapters() -> BTreeSet<String> {
    let entries = fs::read_dir(Path::new(ROOT).join("docs")).expect("docs can be listed");
    let paths = entries.map(|entry| entry.expect("an entry can be read").path());
    let pages = paths.filter(|path| path.extension().is_some_and(|it| it == "md"));
    let name = |path: &Path| path.file_name().and_then(|it| it.to_str()).map(str::to_owned);
    pages.map(|path| name(&path).expect("a page has a name in ASCII")).collect()
}

fn pages() -> Vec<String> {
    let root = AT_THE_ROOT.iter().map(|name| (*name).to_owned());
    root.chain(chapters().into_iter().map(|name| format!("docs/{name}"))).collect()
}

/// Blocks of YAML, each with the line that it begins in.
fn yaml_blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (index, line) in page.lines().enumerate() {
        match (inside, line.trim_end()) {
            (false, "```yaml") => {
                inside = true;
                blocks.push((index + 2, String::new()));
            }
            (true, "```") => inside = false,
            (true, line) => {
                let (_, text) = blocks.last_mut().expect("a block was begun");
                text.push_str(line);
                text.push('\n');
            }
            (false, _) => {}
        }
    }
    blocks
}

/// What is said about a block, by what kind of file it is.
fn diagnose(source: &SourceFile) -> Diagnostics {
    let has = |key: &str| source.text.lines().any(|line| line.starts_with(key));
    if has("databases:") {
        service::decode(source).1
    } else if has("log:") || has("notify:") {
        // A part of the configuration, of which the rest stands elsewhere.
        let rest = "version: 1\npolicies: p.yaml\ndatabases: [{name: prod, capture: c.csv}]\n";
        let text = format!("{rest}{}", source.text);
        service::decode(&SourceFile { name: source.name.clone(), text }).1
    } else if has("tests:") {
        tests_file::decode(source).1
    } else {
        policies::compile(std::slice::from_ref(source)).1
    }
}

/// Blocks with findings, and how many blocks there were.
fn findings(pages: impl Iterator<Item = (String, String)>) -> (Vec<String>, usize) {
    let mut found = Vec::new();
    let mut count = 0;
    for (name, page) in pages {
        for (line, text) in yaml_blocks(&page) {
            count += 1;
            let diagnostics = diagnose(&SourceFile { name: format!("{name}:{line}"), text });
            if !diagnostics.is_empty() {
                found.push(render::text(&diagnostics, false));
            }
        }
    }
    (found, count)
}

#[test]
fn the_yaml_of_every_page_compiles() {
    let (found, count) = findings(pages().into_iter().map(|name| (name.clone(), read(&name))));
    assert!(found.is_empty(), "{}", found.concat());
    // The README's, the configuration, and the recipes.
    assert!(count >= 12, "only {count} blocks were found");
}

#[test]
fn the_configuration_of_the_first_page_is_the_packages() {
    let without_comments = |text: &str| -> Vec<String> {
        let codes = text.lines().map(|line| line.split(" #").next().unwrap_or(line).trim_end());
        codes.filter(|it| !it.is_empty() && !it.starts_with('#')).map(str::to_owned).collect()
    };
    let page = read("docs/getting-started.md");
    let blocks = yaml_blocks(&page);
    let (_, shown) = blocks.first().expect("the page shows a configuration");
    assert_eq!(without_comments(shown), without_comments(&read("systemd/orawarden.yaml")));
}

#[test]
fn yaml_that_does_not_compile_is_found() {
    let page = |yaml: &str| ("a.md".to_owned(), format!("Text.\n\n```yaml\n{yaml}\n```\n"));
    let bad = [
        "version: 1\nrules:\n  - {name: a, match: {usernam: B}, action: kill}",
        "version: 1\npolicies: [a.yaml]\ndatabases:\n  - {name: a, drive: thin}",
        "version: 1\npolicies: [a.yaml]\ntests:\n  - {name: a}",
    ];
    for yaml in bad {
        assert_eq!(findings([page(yaml)].into_iter()).0.len(), 1, "{yaml}");
    }
}

/// What is linked to, each with its line.
fn links(page: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (index, line) in page.lines().enumerate() {
        for rest in line.split("](").skip(1) {
            let target = rest.split(')').next().unwrap_or(rest);
            found.push((index + 1, target));
        }
    }
    found
}

/// The anchors that a page offers: its headings as they are made into links.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let slug = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        text.chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    headings.map(slug).collect()
}

/// Links of a page that lead nowhere, or out of the guide, of which packages hold nothing else.
fn lost(name: &str, page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (line, target) in links(page) {
        if target.starts_with("https://") || target.starts_with("http://") {
            continue;
        }
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        let path =
            if directory.is_empty() { file.to_owned() } else { format!("{directory}/{file}") };
        let leaves =
            name.starts_with("docs/") && file.contains('/') && !file.starts_with("images/");
        let there = file.is_empty() || Path::new(ROOT).join(&path).exists();
        let anchored = || {
            let text = if file.is_empty() { page.to_owned() } else { read(&path) };
            anchors(&text).contains(anchor)
        };
        if leaves || !there || !(anchor.is_empty() || anchored()) {
            found.push(format!("{name}:{line}: {target} leads nowhere"));
        }
    }
    found
}

#[test]
fn every_link_leads_somewhere() {
    let found: Vec<String> = pages().iter().flat_map(|name| lost(name, &read(name))).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(links(&read("README.md")).len() > 5, "links are found at all");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    for target in ["none.md", "#none", "concepts.md#none", "../README.md"] {
        assert_eq!(lost("docs/a.md", &format!("# A\n\nSee [b]({target}).\n")).len(), 1, "{target}");
    }
    assert!(lost("docs/a.md", "# A b\n[b](#a-b) [c](concepts.md#a-tick)\n").is_empty());
}

#[test]
fn every_page_is_a_chapter() {
    let summary = read("docs/SUMMARY.md");
    let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, target) in links(&summary) {
        *listed.entry(target).or_default() += 1;
    }
    for name in chapters().iter().filter(|name| *name != "SUMMARY.md") {
        assert_eq!(listed.get(name.as_str()), Some(&1), "docs/SUMMARY.md lists {name} once");
    }
}

/// The cells of the rows of tables, without white space around them.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").map(str::trim).collect()).collect()
}

/// The numbers of `ORA-00022, ORA-25401 to ORA-25405`.
fn codes(cell: &str) -> Vec<u32> {
    let number = |text: &str| -> u32 {
        let digits = text.trim().strip_prefix("ORA-").expect("a code begins with ORA-");
        digits.parse().unwrap_or_else(|_| panic!("{text} is no code"))
    };
    let mut found = Vec::new();
    for part in cell.split(',') {
        match part.split_once(" to ") {
            Some((first, last)) => found.extend(number(first)..=number(last)),
            None => found.push(number(part)),
        }
    }
    found
}

#[test]
fn the_troubleshooting_page_says_how_codes_are_taken() {
    let page = read("docs/troubleshooting.md");
    let mut told: BTreeMap<u32, &str> = BTreeMap::new();
    for row in rows(&page).into_iter().filter(|row| row[0].starts_with("ORA-")) {
        for code in codes(row[0]) {
            assert!(told.insert(code, row[1]).is_none(), "ORA-{code:05} stands there twice");
        }
    }
    for code in 1..=ORA_MAX {
        let taken = class(code);
        let word = format!("{taken:?}").to_lowercase();
        match told.get(&code) {
            Some(said) => assert_eq!(*said, word, "ORA-{code:05}"),
            None => assert_eq!(taken, Class::Retry, "ORA-{code:05} is not on the page"),
        }
    }
}

#[test]
fn the_troubleshooting_page_has_every_exit_code() {
    let codes = |page: &str, heading: &str| -> BTreeSet<u8> {
        let (_, rest) = page.split_once(heading).expect("the page has this part");
        let part = rest.split("\n## ").next().unwrap_or(rest);
        rows(part).iter().filter_map(|row| row[0].parse().ok()).collect()
    };
    let told = codes(&read("docs/troubleshooting.md"), "## By exit code\n");
    assert_eq!(told, codes(&read("docs/reference.md"), "## Exit codes\n"));
    assert!(told.contains(&78), "{told:?}");
}

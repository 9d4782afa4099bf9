//! The alert rules and the dashboard that are shipped, against what the daemon tells: a metric or a label that is gone
//! would leave an alert that never fires. Whether alerts fire when they should is tried by `monitoring/check`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use orawarden::observe::metrics::FAMILIES;
use regex::Regex;
use serde_json::Value;

/// What Prometheus puts on every sample, and into templates.
const OF_PROMETHEUS: [&str; 4] = ["job", "instance", "le", "alertname"];

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("monitoring").join(name);
    fs::read_to_string(path).expect("it is shipped")
}

fn rules() -> Vec<serde_yaml::Value> {
    let file: serde_yaml::Value = serde_yaml::from_str(&read("orawarden.rules.yml")).expect("YAML");
    let groups = file["groups"].as_sequence().expect("groups").clone();
    groups.iter().flat_map(|group| group["rules"].as_sequence().expect("rules").clone()).collect()
}

fn text<'a>(rule: &'a serde_yaml::Value, key: &str) -> &'a str {
    rule[key].as_str().unwrap_or_default()
}

fn dashboard() -> Value {
    serde_json::from_str(&read("grafana-dashboard.json")).expect("it is JSON")
}

/// The expressions of a panel.
fn targets(panel: &Value) -> impl Iterator<Item = &Value> {
    panel["targets"].as_array().into_iter().flatten()
}

fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().expect("panels")
}

/// The names of our metrics in an expression or a query, as samples have them.
fn metrics_of(text: &str) -> Vec<String> {
    let name = Regex::new(r"\b(?:orawarden_|process_)[a-z0-9_]+\b").expect("it is one");
    name.find_iter(text).map(|it| it.as_str().to_owned()).collect()
}

/// The labels that a family's samples have, if it is one of ours.
fn labels_of(metric: &str) -> Option<Vec<&'static str>> {
    let family = FAMILIES.iter().find(|family| {
        let bare = ["_bucket", "_sum", "_count"].iter().find_map(|it| metric.strip_suffix(it));
        let is_histogram = family.type_word() == "histogram";
        if is_histogram { bare == Some(family.name) } else { family.sample() == metric }
    });
    family.map(|family| family.labels.to_vec())
}

/// What is wrong with the names in an expression, and in the texts that are filled in from what it finds.
fn offences(expression: &str, templates: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut known: BTreeSet<&str> = OF_PROMETHEUS.into();
    for metric in metrics_of(expression) {
        match labels_of(&metric) {
            Some(labels) => known.extend(labels),
            None => found.push(format!("{metric} is not told")),
        }
    }
    if expression.contains("orawarden:ends:new15m") {
        known.extend(labels_of("orawarden_ends_total").expect("it is a family"));
    }
    let matcher = Regex::new(r#"([a-z_]+)\s*(?:=~|!~|!=|=)\s*""#).expect("it is one");
    let grouping = Regex::new(r"\b(?:by|on)\s*\(([^)]*)\)").expect("it is one");
    let filled = Regex::new(r"\{\{\s*(?:\$labels\.)?([a-z_]+)\s*\}\}").expect("it is one");
    let matched = matcher.captures_iter(expression).map(|it| it[1].to_owned());
    let grouped = grouping
        .captures_iter(expression)
        .flat_map(|it| it[1].split(',').map(|label| label.trim().to_owned()).collect::<Vec<_>>());
    let named = filled.captures_iter(templates).map(|it| it[1].to_owned());
    for label in matched.chain(grouped).chain(named) {
        if !known.contains(label.as_str()) {
            found.push(format!("{label} is no label in {expression}"));
        }
    }
    found
}

#[test]
fn rules_and_dashboard_name_only_what_is_told() {
    let mut found = Vec::new();
    for rule in rules() {
        let texts = serde_yaml::to_string(&rule["annotations"]).expect("YAML");
        found.extend(offences(text(&rule, "expr"), &texts));
    }
    let dashboard = dashboard();
    for target in panels(&dashboard).iter().flat_map(targets) {
        let word = |key: &str| target[key].as_str().expect("it has one");
        found.extend(offences(word("expr"), word("legendFormat")));
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The rule that names are held to looks at all of them.
#[test]
fn a_wrong_name_is_noticed() {
    for (expression, templates) in [
        ("orawarden_no_such_thing == 1", ""),
        ("orawarden_loads == 1", ""),
        ("orawarden_tick_duration_seconds > 1", ""),
        (r#"orawarden_database_up{sid="7"} == 1"#, ""),
        ("sum by (database, sql_id) (orawarden_database_up)", ""),
        ("orawarden_database_up == 0", "{{ $labels.rule }}"),
        ("orawarden_database_up", "{{rule}}"),
    ] {
        assert_eq!(offences(expression, templates).len(), 1, "{expression} {templates}");
    }
}

#[test]
fn every_family_is_on_the_dashboard() {
    let dashboard = dashboard();
    let expressions = panels(&dashboard).iter().flat_map(targets);
    let expressions = expressions.map(|it| it["expr"].as_str().expect("it has one"));
    let all = expressions.collect::<Vec<_>>().join("\n");
    for family in &FAMILIES {
        assert!(all.contains(family.name), "no panel shows {}", family.name);
    }
}

#[test]
fn the_dashboard_asks_whichever_source_is_chosen() {
    let dashboard = dashboard();
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let kinds: Vec<_> = variables.iter().map(|it| (&it["name"], &it["type"])).collect();
    assert_eq!(
        format!("{kinds:?}"),
        r#"[(String("datasource"), String("datasource")), (String("database"), String("query"))]"#
    );
    let mut numbers = BTreeSet::new();
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().expect("it has one");
        assert!(numbers.insert(panel["id"].as_u64()), "{title}: its number is another one's");
        for target in targets(panel) {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        }
        assert!(panel["type"] == "row" || targets(panel).count() > 0, "{title} shows nothing");
    }
}

#[test]
fn every_alert_says_how_bad_it_is_and_what_to_do_and_is_tested() {
    let tests = read("orawarden.rules.test.yml");
    let mut alerts = 0;
    for rule in rules().iter().filter(|rule| rule["alert"].is_string()) {
        let name = text(rule, "alert");
        let severity = text(&rule["labels"], "severity");
        assert!(["critical", "warning"].contains(&severity), "{name}: {severity}");
        for key in ["summary", "description", "runbook"] {
            assert!(!text(&rule["annotations"], key).trim().is_empty(), "{name} has no {key}");
        }
        assert!(tests.contains(&format!("alertname=\"{name}\"")), "{name} is not tested");
        alerts += 1;
    }
    assert!(alerts > 15, "{alerts} alerts");
}

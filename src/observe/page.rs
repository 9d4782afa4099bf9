//! The status page: the board for people. It is whole without scripts, asks nothing of any other place, and offers
//! nothing to press. Names of sessions are text wherever they stand: the templates escape everything.

mod chart;

use std::time::{Duration, Instant};

use maud::{DOCTYPE, Markup, html};

use super::board::database::{DatabaseCard, Look, RuleState};
use super::board::{Decision, RuleCard, Stage, State};
use super::log::redact::Redaction;
use crate::engine::policy::Mode;
use crate::engine::report::{Acting, Outcome};
use crate::engine::seen::{Pending, STATUSES};
use crate::engine::standing::Authority;
use crate::engine::text::{counted, printable};
use crate::engine::time::{Span, Timestamp};

/// Its style, served beside it.
pub const STYLE: &str = include_str!("page/page.css");

/// What keeps it up to date.
pub const SCRIPT: &str = include_str!("page/page.js");

/// What a browser may do with it: load these two, and ask for the page again.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                          base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Sessions that wait, as many as are named, over all databases.
const PENDING_SHOWN_MAX: usize = 100;

/// Warnings of one look that are shown.
const WARNINGS_SHOWN_MAX: usize = 20;

/// Now, by both clocks of the machine.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// The one that can be set.
    pub wall: Timestamp,
    /// The other.
    pub steady: Instant,
}

/// The board as a page.
pub fn render(state: &State, now: Now) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "orawarden: " (stage(state)) }
                link rel="stylesheet" href="page.css";
                script src="page.js" defer {}
                noscript { meta http-equiv="refresh" content="10"; }
            }
            body {
                p #lost .notice.bad role="alert" hidden {
                    "The daemon does not answer. What stands below is old."
                }
                main { (main(state, now)) }
            }
        }
    };
    // Of all that could stand in a name, only what can be seen, in the order in which it is written.
    printable(&page.into_string())
}

fn main(state: &State, now: Now) -> Markup {
    html! {
        header {
            h1 { "orawarden" }
            span { (stage(state)) }
            span.soft { (env!("CARGO_PKG_VERSION")) ", as of " (moment(now.wall)) }
            span.soft { "up for " (now.wall.since(state.started)) }
        }
        (notices(state))
        h2 #databases { "Databases" }
        (databases(state, now))
        h2 #rules { "Rules" }
        (rules(state, now))
        h2 #pending { "Waiting sessions" }
        (pending(state))
        h2 #decisions { "Last decisions" }
        (decisions(state, now))
        h2 #holds { "Pauses and silences" }
        (holds(state))
    }
}

fn stage(state: &State) -> &'static str {
    match state.stage {
        Stage::Loading => "loading",
        Stage::Leaving => "leaving",
        Stage::Watching if state.all_dry_run => "watching, all dry run",
        Stage::Watching => "watching",
    }
}

/// What somebody should know before anything else.
fn notices(state: &State) -> Markup {
    let paused = state.databases.values().any(|card| card.holds.iter().any(|it| !it.is_silence));
    let broken = state.databases.iter().flat_map(|(name, card)| {
        card.rules.iter().filter_map(move |(rule, it)| Some((name, rule, it.broken.as_ref()?)))
    });
    html! {
        @if state.loads.last_failed {
            p.notice.bad { "The last reload failed; what was in force stays. The log says why." }
        }
        @if paused { p.notice { "Rules are " a href="#holds" { "paused" } "." } }
        @for (database, rule, why) in broken {
            p.notice { "Breaker open: " (rule) " on " (database) " is back to a dry run: " (why) "." }
        }
        @for (name, card) in &state.databases {
            @if let Some(why) = &card.unaudited {
                p.notice.bad { "No audit, so nobody is ended on " (name) ": " (why) "." }
            }
        }
    }
}

fn databases(state: &State, now: Now) -> Markup {
    html! {
        @if state.databases.is_empty() { p.soft { "None yet." } } @else {
            table {
                thead { tr {
                    th scope="col" { "Database" } th scope="col" { "State" }
                    th scope="col" { "Instances and their sessions" } th.number scope="col" { "Sessions" }
                    th scope="col" { "Last seen" } th scope="col" { "Ticks" }
                } }
                tbody {
                    @for (name, card) in &state.databases {
                        tr {
                            th scope="row" { (name) }
                            td data-label="State" { (reached(card, now)) (warnings(name, card)) }
                            td data-label="Instances" { (instances(card)) }
                            td.number data-label="Sessions" { (card.sessions) }
                            td data-label="Last seen" { (ago(card.seen_at, now)) }
                            td data-label="Ticks" { (ticks(card)) }
                        }
                    }
                }
            }
        }
    }
}

fn reached(card: &DatabaseCard, now: Now) -> Markup {
    let leads = match &card.authority {
        _ if card.acting == Acting::DryRun => ("dry run", String::new()),
        None => ("", String::new()),
        Some(Authority::Leads) => ("leads", String::new()),
        Some(Authority::Follows(why)) => ("follows", format!(": {why}")),
    };
    html! {
        @match &card.look {
            Look::Never => span.soft { "not looked at yet" },
            Look::NotSeen(why) => { span.bad { "not reached" } ": " (why) },
            Look::Seen if card.is_reached(now.steady) => span.good { "reached" },
            Look::Seen => span.warn { "a tick does not come back" },
        }
        @if !leads.0.is_empty() { " " span.tag.soft { (leads.0) } (leads.1) }
    }
}

fn warnings(name: &str, card: &DatabaseCard) -> Markup {
    let count = card.warnings.len() as u64;
    html! {
        @if count > 0 {
            details id={ "warnings-" (name) } {
                summary.warn { (counted(count, "warning")) }
                ul.plain {
                    @for warning in card.warnings.iter().take(WARNINGS_SHOWN_MAX) { li { (warning) } }
                }
            }
        }
    }
}

fn instances(card: &DatabaseCard) -> Markup {
    html! {
        ul.plain {
            @for instance in &card.seen.instances {
                li {
                    "@" (instance.inst_id) " "
                    @if instance.answered {
                        @let statuses = STATUSES.iter().zip(instance.user).filter(|(_, it)| *it > 0);
                        @for (status, sessions) in statuses {
                            (sessions) " " (status.to_ascii_lowercase()) ", "
                        }
                        (instance.background) " background"
                    } @else {
                        span.warn { "missing: its sessions are not known" }
                    }
                }
            }
        }
    }
}

fn ticks(card: &DatabaseCard) -> Markup {
    let done: u64 = card.durations.counts.iter().sum();
    let mean = i64::try_from(done).ok().and_then(|done| card.durations.sum.0.checked_div(done));
    html! {
        (card.ticks.done) " done"
        @if card.ticks.not_seen > 0 { ", " (card.ticks.not_seen) " could not look" }
        @if card.ticks.unaudited > 0 { ", " (card.ticks.unaudited) " without audit" }
        @if let Some(mean) = mean { ", " (Span(mean)) " each" }
    }
}

fn rules(state: &State, now: Now) -> Markup {
    html! {
        @if state.rules.is_empty() { p.soft { "None yet." } } @else {
            table {
                thead { tr {
                    th scope="col" { "Rule" } th scope="col" { "Does" } th scope="col" { "Next" }
                    th.number scope="col" { "Match now" } th scope="col" { "Last hour" }
                    th scope="col" { "Since the start" }
                } }
                tbody {
                    @for rule in state.rules.iter() {
                        (rule_row(rule, &Everywhere::of(state, rule), now))
                    }
                }
            }
        }
    }
}

/// One rule on all databases.
struct Everywhere<'a> {
    states: Vec<(&'a str, &'a RuleState)>,
}

impl<'a> Everywhere<'a> {
    fn of(state: &'a State, rule: &RuleCard) -> Self {
        let on = |(name, card): (&'a String, &'a std::sync::Arc<DatabaseCard>)| {
            Some((name.as_str(), card.rules.get(&rule.name)?))
        };
        Self { states: state.databases.iter().filter_map(on).collect() }
    }

    fn count(&self, of: impl Fn(&RuleState) -> u64) -> u64 {
        self.states.iter().map(|(_, state)| of(state)).sum()
    }

    fn ends(&self, is_dry_run: bool) -> u64 {
        self.count(|state| {
            let ends =
                state.ends.iter().filter(|((dry, it), _)| *dry == is_dry_run && it.is_done());
            ends.map(|(_, count)| count).sum()
        })
    }

    fn trouble(&self) -> u64 {
        self.count(|state| {
            let ends = state.ends.iter().filter(|((_, outcome), _)| outcome.is_trouble());
            ends.map(|(_, count)| count).sum()
        })
    }
}

fn rule_row(rule: &RuleCard, on: &Everywhere<'_>, now: Now) -> Markup {
    let next = on.states.iter().filter_map(|(_, state)| state.next).min();
    let matching = on.count(|state| state.matching as u64);
    html! {
        tr {
            th scope="row" {
                (rule.name)
                @if let Some(text) = &rule.description { p.soft { (text) } }
                @if let Some(owner) = &rule.owner { p.soft { "owner: " (owner) } }
                @if let Some(runbook) = &rule.runbook { p.soft { "runbook: " (address(runbook)) } }
            }
            td data-label="Does" {
                (mode(rule.mode)) " " (rule.action.join(", then "))
                (standing_still(rule, on))
            }
            td data-label="Next" { (until(next, now)) p.soft { code { (rule.schedule) } " " (rule.timezone) } }
            td.number data-label="Match now" { (matching) }
            td data-label="Last hour" { (chart::of(rule, on.states.iter().map(|(_, it)| &it.minutes), now.wall)) }
            td data-label="Since the start" { (since_the_start(on)) }
        }
    }
}

fn since_the_start(on: &Everywhere<'_>) -> Markup {
    let spared = on.count(|state| state.spared.values().sum());
    let missed = on.count(|state| state.missed);
    html! {
        (on.ends(false)) " ended, " (on.ends(true)) " would have been"
        @if on.trouble() > 0 { ", " span.bad { (on.trouble()) " failed or unknown" } }
        ", " (spared) " spared"
        @if missed > 0 { ", " span.warn { (counted(missed, "missed tick")) } }
    }
}

fn standing_still(rule: &RuleCard, on: &Everywhere<'_>) -> Markup {
    let still: Vec<_> =
        on.states.iter().filter_map(|(name, it)| Some((*name, it.stands.as_ref()?))).collect();
    html! {
        @if !still.is_empty() {
            details id={ "still-" (rule.name) } {
                summary.warn { "stands still on " (counted(still.len() as u64, "database")) }
                ul.plain { @for (name, (word, detail)) in still { li { (name) ": " (word) ": " (detail) } } }
            }
        }
    }
}

fn pending(state: &State) -> Markup {
    let in_all: usize = state.databases.values().map(|card| card.seen.pending_in_all).sum();
    let named = state
        .databases
        .iter()
        .flat_map(|(name, card)| card.seen.pending.iter().map(move |pending| (name, pending)));
    let shown: Vec<(&String, &Pending)> = named.take(PENDING_SHOWN_MAX).collect();
    html! {
        @if shown.is_empty() { p.soft { "Nobody waits for a rule's time." } } @else {
            table {
                caption { "Matched, and waiting for the rule's time: " (counted(in_all as u64, "session")) }
                thead { tr {
                    th scope="col" { "Session" } th scope="col" { "User" } th scope="col" { "Program" }
                    th scope="col" { "Rule" } th scope="col" { "Timer" }
                } }
                tbody {
                    @for (database, it) in &shown {
                        tr {
                            th scope="row" { span.id { (it.life.key) } " " (database) }
                            td data-label="User" { (it.username.as_deref().unwrap_or_default()) }
                            td data-label="Program" {
                                (it.program.as_deref().unwrap_or_default())
                                @if let Some(machine) = &it.machine { span.soft { " on " (machine) } }
                            }
                            td data-label="Rule" { (it.rule) }
                            td data-label="Timer" { (it.detail) }
                        }
                    }
                }
            }
            @if in_all > shown.len() { p.soft { "and " (in_all - shown.len()) " more" } }
        }
    }
}

fn decisions(state: &State, now: Now) -> Markup {
    html! {
        @if state.decisions.is_empty() { p.soft { "None since the start." } } @else {
            table {
                thead { tr {
                    th scope="col" { "When" } th scope="col" { "Session" } th scope="col" { "User" }
                    th scope="col" { "Rule" } th scope="col" { "What" } th scope="col" { "Why" }
                } }
                tbody { @for decision in &state.decisions { (decision_row(decision, now)) } }
            }
        }
    }
}

fn decision_row(it: &Decision, now: Now) -> Markup {
    let class = match it.outcome {
        outcome if outcome.is_trouble() => "bad",
        Outcome::Ended | Outcome::Accepted => "good",
        _ => "soft",
    };
    html! {
        tr {
            td data-label="When" { (ago(Some(it.at), now)) }
            th scope="row" { span.id { (it.life.key) } " " (it.database) }
            td data-label="User" { (it.username.as_deref().unwrap_or_default()) }
            td data-label="Rule" { (it.rule) }
            td data-label="What" {
                (it.action) ": " span class=(class) { (it.outcome) }
                @if it.dry_run { " " (mode(Mode::DryRun)) }
            }
            td data-label="Why" {
                ul.plain {
                    @for reason in &it.reasons {
                        @let (observed, test) = Redaction::default().shown(reason);
                        li { code { (reason.field) } " is " (observed) ", asked for " (test) }
                    }
                }
            }
        }
    }
}

fn holds(state: &State) -> Markup {
    let holds: Vec<_> = state
        .databases
        .iter()
        .flat_map(|(name, card)| card.holds.iter().map(move |hold| (name, hold)))
        .collect();
    html! {
        @if holds.is_empty() { p.soft { "Nothing is held back." } } @else {
            ul.plain {
                @for (database, hold) in holds {
                    li {
                        span.tag.warn { @if hold.is_silence { "silence" } @else { "pause" } } " "
                        (database)
                        @if let Some(rule) = &hold.rule { ", rule " (rule) }
                        ": " (hold.why)
                    }
                }
            }
        }
    }
}

fn mode(mode: Mode) -> Markup {
    match mode {
        Mode::DryRun => html! { span.tag.soft { "dry run" } },
        Mode::Enforce => html! { span.tag.warn { "enforce" } },
    }
}

/// A link only where it is one to the web: anything else could be a script.
fn address(text: &str) -> Markup {
    let is_web = ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
    html! { @if is_web { a href=(text) rel="noreferrer noopener" { (text) } } @else { (text) } }
}

fn moment(time: Timestamp) -> Markup {
    let whole = Timestamp(time.0 - time.0.rem_euclid(1_000_000)).to_string();
    html! { time datetime=(whole) { (whole) } }
}

fn ago(time: Option<Timestamp>, now: Now) -> Markup {
    let Some(time) = time else { return html! { span.soft { "never" } } };
    let span = whole_seconds(now.wall.since(time));
    html! { time datetime=(time) { (span) " ago" } }
}

fn until(time: Option<Timestamp>, now: Now) -> Markup {
    let Some(time) = time else { return html! { span.soft { "not planned" } } };
    let span = whole_seconds(time.since(now.wall));
    html! { time datetime=(time) { @if span.0 > 0 { "in " (span) } @else { "now" } } }
}

fn whole_seconds(span: Span) -> Span {
    Span::seconds(i64::try_from(Duration::as_secs(&span.to_duration())).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::{Now, POLICY, render};
    use crate::engine::explain::Reason;
    use crate::engine::time::Span;
    use crate::observe::fixture::{NOON, board, hold_against};

    #[test]
    fn the_page_shows_the_board_and_names_stay_text() {
        let now = Now { wall: NOON.plus(Span::seconds(60)), steady: Instant::now() };
        let page = render(&board().read(), now);
        // One element a line, for those who read it.
        hold_against("tests/page.expected.html", &page.replace("><", ">\n<"));
        assert!(!page.contains("<script>") && !page.contains("<i>"), "names are escaped");
        assert!(!page.contains("href=\"javascript"));
        assert!(!page.contains('\u{202e}'), "nothing turns what stands after it");
    }

    #[test]
    fn statements_are_withheld_and_names_cannot_turn_the_text_around() {
        let mut state = board().read();
        let reason = |field, observed: &str| Reason {
            field,
            observed: observed.to_owned(),
            test: "asked".to_owned(),
        };
        let decision = Arc::make_mut(&mut state.decisions[0]);
        decision.reasons = vec![
            reason("sql_text", "ALTER USER APP IDENTIFIED BY tok-4711"),
            reason("program", "a\0b\u{202e}c"),
        ];
        let page = render(&state, Now { wall: NOON, steady: Instant::now() });
        assert!(!page.contains("tok-4711"), "{page}");
        assert!(page.contains("<code>sql_text</code> is (withheld), asked for asked"), "{page}");
        assert!(page.contains("<code>program</code> is a\u{fffd}b\u{fffd}c,"), "{page}");
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let now = Now { wall: NOON, steady: Instant::now() };
        let page = render(&board().read(), now);
        let loaded = page.matches("src=").count() + page.matches("<link").count();
        assert_eq!(loaded, 2, "one style and one script");
        assert!(page.contains(r#"<link rel="stylesheet" href="page.css">"#));
        assert!(page.contains(r#"<script src="page.js" defer></script>"#));
        assert!(
            !page.contains(" style=") && !page.contains(" onclick="),
            "the policy forbids them"
        );
        assert!(!POLICY.contains("unsafe"));
    }
}

//! `/metrics`: the board in the OpenMetrics text format. The set is closed: every family stands in [`FAMILIES`], its
//! labels are databases, instances, rules and words of closed lists, never a session, a statement or a user.

use std::collections::BTreeMap;
use std::fmt;

use procfs::process::Process;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::board::database::{DURATION_BOUNDS, DatabaseCard, IsDryRun, Look, RuleState};
use super::board::{Board, State};
use crate::engine::policy::Mode;
use crate::engine::seen::STATUSES;
use crate::engine::standing::Authority;
use crate::engine::time::{MICROS_PER_SECOND, Span, Timestamp};

/// What an answer is: its type for HTTP.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// One family of metrics.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name, without the suffix that OpenMetrics adds (`_total`, `_bucket`, `_info`).
    pub name: &'static str,
    /// What it is and in which unit.
    pub help: &'static str,
    /// The names of its labels, in order.
    pub labels: &'static [&'static str],
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Info,
    Gauge(fn(&State, &mut Samples<'_>)),
    Counter(fn(&State, &mut Samples<'_>)),
    Seconds(fn(&State, &mut Samples<'_>)),
    Durations,
}

impl Family {
    const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        samples: fn(&State, &mut Samples<'_>),
    ) -> Self {
        Self { name, help, labels, kind: Kind::Gauge(samples) }
    }

    const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        samples: fn(&State, &mut Samples<'_>),
    ) -> Self {
        Self { name, help, labels, kind: Kind::Counter(samples) }
    }

    /// The name that its samples have; those of a histogram have several.
    pub fn sample(&self) -> String {
        let suffix = match self.kind {
            Kind::Info => "_info",
            Kind::Counter(_) | Kind::Seconds(_) => "_total",
            Kind::Gauge(_) | Kind::Durations => "",
        };
        format!("{}{suffix}", self.name)
    }

    /// The word for its type in OpenMetrics.
    pub const fn type_word(&self) -> &'static str {
        match self.kind {
            Kind::Info => "info",
            Kind::Gauge(_) => "gauge",
            Kind::Counter(_) | Kind::Seconds(_) => "counter",
            Kind::Durations => "histogram",
        }
    }
}

const DATABASE: &[&str] = &["database"];
const RULE: &[&str] = &["database", "rule"];

/// Everything that is told, in the order in which it is told.
pub static FAMILIES: [Family; 35] = [
    Family { name: "orawarden_build", help: "The version", labels: &["version"], kind: Kind::Info },
    Family::gauge("orawarden_start_time_seconds", &[], "When the daemon started", |state, to| {
        to.gauge(&[], seconds_of(state.started));
    }),
    Family::gauge(
        "orawarden_rules",
        &["mode"],
        "Rules in force, by their own mode",
        |state, to| {
            for mode in [Mode::DryRun, Mode::Enforce] {
                let rules = state.rules.iter().filter(|rule| rule.mode == mode).count();
                to.gauge(&[&mode.to_string()], rules as f64);
            }
        },
    ),
    Family::gauge(
        "orawarden_all_dry_run",
        &[],
        "1: nobody is ended, whatever the rules say (--dry-run, or no audit)",
        |state, to| to.gauge(&[], flag(state.all_dry_run)),
    ),
    Family::counter(
        "orawarden_loads",
        &["result"],
        "Loads of policies and configuration, the start included, by whether they came into force",
        |state, to| {
            to.counter(&["succeeded"], state.loads.succeeded);
            to.counter(&["failed"], state.loads.failed);
        },
    ),
    Family::gauge(
        "orawarden_last_load_failed",
        &[],
        "1: the last reload failed, and what was in force stayed",
        |state, to| to.gauge(&[], flag(state.loads.last_failed)),
    ),
    Family::counter(
        "orawarden_log_lines_lost",
        &[],
        "Lines of the log that found no room because nobody read it",
        |state, to| to.counter(&[], state.log_lines_lost),
    ),
    Family::counter(
        "orawarden_notifications",
        &["hook", "result"],
        "Messages to hooks: taken, not taken after all attempts, or without room",
        |state, to| {
            for (hook, told) in &state.hooks {
                to.counter(&[hook, "sent"], told.sent);
                to.counter(&[hook, "failed"], told.failed);
                to.counter(&[hook, "dropped"], told.dropped);
            }
        },
    ),
    Family::gauge(
        "orawarden_database_up",
        DATABASE,
        "1: the last look at the database succeeded",
        |state, to| to.each(state, |card| Some(flag(card.look == Look::Seen))),
    ),
    Family::gauge(
        "orawarden_last_success_timestamp_seconds",
        DATABASE,
        "When a look at the database last succeeded",
        |state, to| to.each(state, |card| card.seen_at.map(seconds_of)),
    ),
    Family::gauge(
        "orawarden_next_due_timestamp_seconds",
        DATABASE,
        "When the next tick is due; past while one does not come back, or the loop hangs",
        |state, to| {
            to.each(state, |card| {
                card.rules.values().filter_map(|it| it.next).min().map(seconds_of)
            });
        },
    ),
    Family::gauge(
        "orawarden_audit_failed",
        DATABASE,
        "1: the last tick could not be written down, so nobody was ended",
        |state, to| to.each(state, |card| Some(flag(card.unaudited.is_some()))),
    ),
    Family::gauge(
        "orawarden_leader",
        DATABASE,
        "1: this daemon leads there, 0: another one does; nothing while nobody asked",
        |state, to| {
            to.each(state, |card| card.authority.as_ref().map(|it| flag(*it == Authority::Leads)));
        },
    ),
    Family::gauge(
        "orawarden_leader_asked_timestamp_seconds",
        DATABASE,
        "When it was last asked who leads: at ticks of enforcing rules",
        |state, to| to.each(state, |card| card.asked_at.map(seconds_of)),
    ),
    Family::gauge(
        "orawarden_holds",
        &["database", "kind"],
        "Pauses and silences that hold there",
        |state, to| {
            for (name, card) in &state.databases {
                let silences = card.holds.iter().filter(|hold| hold.is_silence).count();
                to.gauge(&[name, "pause"], (card.holds.len() - silences) as f64);
                to.gauge(&[name, "silence"], silences as f64);
            }
        },
    ),
    Family::gauge(
        "orawarden_instance_answered",
        &["database", "inst_id"],
        "1: the instance answered at the last look, 0: it was expected and did not",
        |state, to| {
            for (name, card) in &state.databases {
                for instance in &card.seen.instances {
                    to.gauge(&[name, &instance.inst_id.to_string()], flag(instance.answered));
                }
            }
        },
    ),
    Family::gauge(
        "orawarden_sessions",
        &["database", "inst_id", "type", "status"],
        "Sessions at the last look; background processes have no status of interest",
        sessions,
    ),
    Family::gauge(
        "orawarden_matching_sessions",
        RULE,
        "Sessions that matched when the rule was last due",
        |state, to| to.each_rule(state, |rule| Some(rule.matching as f64)),
    ),
    Family::gauge(
        "orawarden_standing_still",
        &["database", "rule", "reason"],
        "1: the rule stood still when it was last due, by why; nothing while it does not",
        |state, to| {
            for (name, card) in &state.databases {
                for (rule, state) in &card.rules {
                    if let Some((reason, _)) = &state.stands {
                        to.gauge(&[name, rule, reason], 1.0);
                    }
                }
            }
        },
    ),
    Family::gauge(
        "orawarden_breaker_open",
        RULE,
        "1: the rule is back to a dry run by itself",
        |state, to| to.each_rule(state, |rule| Some(flag(rule.broken.is_some()))),
    ),
    Family::counter(
        "orawarden_matches",
        &["database", "rule", "mode"],
        "Sessions that matched, over all ticks: one that matches at ten ticks counts ten times",
        |state, to| {
            to.modes(state, |rule| rule.matched.iter().map(|(dry, n)| (*dry, None, *n)).collect());
        },
    ),
    Family::counter(
        "orawarden_ends",
        &["database", "rule", "outcome", "kind"],
        "What became of sessions that enforcing rules were to end; rehearsals are not among them",
        |state, to| ends(state, to, false),
    ),
    Family::counter(
        "orawarden_dry_run_ends",
        &["database", "rule", "outcome", "kind"],
        "What would have become of sessions, had the rules enforced",
        |state, to| ends(state, to, true),
    ),
    Family::counter(
        "orawarden_spared",
        &["database", "rule", "mode", "reason"],
        "Sessions that matched and stayed, over all ticks, by why",
        |state, to| to.modes(state, |rule| by_reason(&rule.spared)),
    ),
    Family::counter(
        "orawarden_halted",
        &["database", "rule", "mode", "reason"],
        "Ticks at which the rule stood still, by why",
        |state, to| to.modes(state, |rule| by_reason(&rule.halted)),
    ),
    Family::counter(
        "orawarden_missed_ticks",
        RULE,
        "Due times that went by without a tick",
        |state, to| {
            for (name, card) in &state.databases {
                for (rule, state) in &card.rules {
                    to.counter(&[name, rule], state.missed);
                }
            }
        },
    ),
    Family::counter(
        "orawarden_ticks",
        &["database", "result"],
        "Ticks by how they ended",
        |state, to| {
            for (name, card) in &state.databases {
                to.counter(&[name, "done"], card.ticks.done);
                to.counter(&[name, "not-seen"], card.ticks.not_seen);
                to.counter(&[name, "no-audit"], card.ticks.unaudited);
            }
        },
    ),
    Family {
        name: "orawarden_tick_duration_seconds",
        help: "How long ticks took, from the first look to the last outcome",
        labels: DATABASE,
        kind: Kind::Durations,
    },
    Family {
        name: "orawarden_tick_phase_seconds",
        help: "What the time of ticks was spent on",
        labels: &["database", "phase"],
        kind: Kind::Seconds(|state, to| {
            for (name, card) in &state.databases {
                let phases = card.durations.phases;
                to.seconds(&[name, "look"], seconds(phases.look));
                to.seconds(&[name, "decide"], seconds(phases.decide));
                to.seconds(&[name, "act"], seconds(phases.act));
            }
        }),
    },
    Family::counter("orawarden_fetched_rows", DATABASE, "Rows that looks fetched", |state, to| {
        to.count_each(state, |card| card.fetched.rows);
    }),
    Family::counter(
        "orawarden_fetched_bytes",
        DATABASE,
        "Bytes of the values that looks fetched",
        |state, to| to.count_each(state, |card| card.fetched.bytes),
    ),
    Family::counter("orawarden_round_trips", DATABASE, "Round trips of looks", |state, to| {
        to.count_each(state, |card| card.fetched.round_trips);
    }),
    Family::gauge(
        "process_resident_memory_bytes",
        &[],
        "Resident memory of the daemon, without its connection processes",
        |_, to| to.own(|it| Some((it.stat().ok()?.rss * procfs::page_size()) as f64)),
    ),
    Family::gauge("process_open_fds", &[], "Open file descriptors of the daemon", |_, to| {
        to.own(|it| Some(it.fd_count().ok()? as f64));
    }),
    Family {
        name: "process_cpu_seconds",
        help: "Processor time of the daemon, without its connection processes",
        labels: &[],
        kind: Kind::Seconds(|_, to| {
            let ticks = |it: &Process| it.stat().ok().map(|stat| stat.utime + stat.stime);
            if let Some(ticks) = Process::myself().ok().as_ref().and_then(ticks) {
                to.seconds(&[], ticks as f64 / procfs::ticks_per_second() as f64);
            }
        }),
    },
];

/// The board as text.
pub fn render(board: &Board) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape(board.read())));
    let mut text = String::new();
    text::encode(&mut text, &registry).expect("a string takes everything");
    text
}

/// The board at one moment.
#[derive(Debug)]
struct Scrape(State);

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        FAMILIES.iter().try_for_each(|family| self.family(family, &mut encoder))
    }
}

impl Scrape {
    fn family(&self, family: &Family, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Family { name, help, labels, kind } = family;
        let kind_of_metric = match kind {
            Kind::Info => MetricType::Info,
            Kind::Gauge(_) => MetricType::Gauge,
            Kind::Counter(_) | Kind::Seconds(_) => MetricType::Counter,
            Kind::Durations => MetricType::Histogram,
        };
        let encoder = encoder.encode_descriptor(name, help, None, kind_of_metric)?;
        let mut samples = Samples { encoder, labels, result: Ok(()) };
        match kind {
            Kind::Info => samples.info(&[env!("CARGO_PKG_VERSION")]),
            Kind::Gauge(tell) | Kind::Counter(tell) | Kind::Seconds(tell) => {
                tell(&self.0, &mut samples);
            }
            Kind::Durations => durations(&self.0, &mut samples),
        }
        samples.result
    }
}

/// Takes the samples of one family.
struct Samples<'a> {
    encoder: MetricEncoder<'a>,
    labels: &'static [&'static str],
    result: fmt::Result,
}

impl Samples<'_> {
    /// One sample with these values of its labels, in their order.
    fn sample(
        &mut self,
        values: &[&str],
        tell: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
    ) {
        debug_assert_eq!(values.len(), self.labels.len(), "{:?}", self.labels);
        if self.result.is_err() {
            return;
        }
        let labels: Vec<(&str, &str)> =
            self.labels.iter().copied().zip(values.iter().copied()).collect();
        let labels = labels.as_slice();
        self.result = match labels {
            // Otherwise there would be empty braces.
            [] => tell(&mut self.encoder),
            labels => self.encoder.encode_family(&labels).and_then(|mut it| tell(&mut it)),
        };
    }

    fn gauge(&mut self, values: &[&str], value: f64) {
        self.sample(values, |encoder| encoder.encode_gauge(&value));
    }

    fn counter(&mut self, values: &[&str], value: u64) {
        self.sample(values, |encoder| encoder.encode_counter::<NoLabelSet, _, u64>(&value, None));
    }

    fn seconds(&mut self, values: &[&str], value: f64) {
        self.sample(values, |encoder| encoder.encode_counter::<NoLabelSet, _, f64>(&value, None));
    }

    fn info(&mut self, values: &[&str]) {
        debug_assert_eq!(values.len(), self.labels.len());
        let labels: Vec<(&str, &str)> =
            self.labels.iter().copied().zip(values.iter().copied()).collect();
        self.result = self.encoder.encode_info(&labels);
    }

    /// What the system says of this process; nothing where it does not.
    fn own(&mut self, value: impl Fn(&Process) -> Option<f64>) {
        if let Some(value) = Process::myself().ok().as_ref().and_then(value) {
            self.gauge(&[], value);
        }
    }

    fn each(&mut self, state: &State, value: impl Fn(&DatabaseCard) -> Option<f64>) {
        for (name, card) in &state.databases {
            if let Some(value) = value(card) {
                self.gauge(&[name], value);
            }
        }
    }

    fn count_each(&mut self, state: &State, count: impl Fn(&DatabaseCard) -> u64) {
        for (name, card) in &state.databases {
            self.counter(&[name], count(card));
        }
    }

    fn each_rule(&mut self, state: &State, value: impl Fn(&RuleState) -> Option<f64>) {
        for (name, card) in &state.databases {
            for (rule, state) in &card.rules {
                if let Some(value) = value(state) {
                    self.gauge(&[name, rule], value);
                }
            }
        }
    }

    /// Counts by mode, and perhaps by reason.
    fn modes(&mut self, state: &State, counts: impl Fn(&RuleState) -> Vec<Counted>) {
        for (name, card) in &state.databases {
            for (rule, state) in &card.rules {
                for (is_dry_run, reason, count) in counts(state) {
                    let mode = if is_dry_run { Mode::DryRun } else { Mode::Enforce }.to_string();
                    let values = [name.as_str(), rule, &mode].into_iter().chain(reason);
                    self.counter(&values.collect::<Vec<_>>(), count);
                }
            }
        }
    }
}

/// A count by mode, and perhaps by reason.
type Counted = (IsDryRun, Option<&'static str>, u64);

fn by_reason(counts: &BTreeMap<(IsDryRun, &'static str), u64>) -> Vec<Counted> {
    counts.iter().map(|((dry, reason), count)| (*dry, Some(*reason), *count)).collect()
}

fn sessions(state: &State, to: &mut Samples<'_>) {
    for (name, card) in &state.databases {
        for instance in card.seen.instances.iter().filter(|it| it.answered) {
            let inst_id = instance.inst_id.to_string();
            for (status, count) in STATUSES.iter().zip(instance.user) {
                let status = status.to_ascii_lowercase();
                to.gauge(&[name, &inst_id, "user", &status], count as f64);
            }
            to.gauge(&[name, &inst_id, "background", ""], instance.background as f64);
        }
    }
}

fn ends(state: &State, to: &mut Samples<'_>, of_dry_run: IsDryRun) {
    for (name, card) in &state.databases {
        for (rule, state) in &card.rules {
            for ((is_dry_run, outcome), count) in &state.ends {
                if *is_dry_run == of_dry_run {
                    let kind = outcome.kind().unwrap_or_default();
                    to.counter(&[name, rule, outcome.word(), kind], *count);
                }
            }
        }
    }
}

fn durations(state: &State, to: &mut Samples<'_>) {
    for (name, card) in &state.databases {
        let counts = card.durations.counts;
        let bounds = DURATION_BOUNDS.into_iter().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let (sum, count) = (seconds(card.durations.sum), counts.iter().sum());
        to.sample(&[name], |encoder| {
            encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
        });
    }
}

const fn flag(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

fn seconds(span: Span) -> f64 {
    span.to_duration().as_secs_f64()
}

fn seconds_of(time: Timestamp) -> f64 {
    time.0 as f64 / MICROS_PER_SECOND as f64
}

#[cfg(test)]
mod tests {
    use super::{Board, FAMILIES, Family, render};
    use crate::engine::policy::PolicySet;
    use crate::engine::report::{Outcome, TickId, TickReport};
    use crate::engine::seen::Seen;
    use crate::observe::board::Told;
    use crate::observe::fixture::{NOON, RuleSketch, board, hold_against, plan_of, snapshot};

    #[test]
    fn every_family_is_told_in_the_format_that_scrapers_read() {
        let text = render(&board());
        let kept = |line: &&str| !line.starts_with("process_") && !line.contains(" process_");
        let lines: Vec<&str> = text.lines().filter(kept).collect();
        hold_against("tests/metrics.expected", &(lines.join("\n") + "\n"));
    }

    #[test]
    fn names_follow_the_conventions_and_labels_are_bounded() {
        for family in &FAMILIES {
            let own = family.name.starts_with("orawarden_") || family.name.starts_with("process_");
            assert!(own, "{}", family.name);
            for label in family.labels {
                let bounded = [
                    "version", "mode", "result", "database", "kind", "inst_id", "type", "status",
                    "rule", "outcome", "reason", "phase", "hook",
                ];
                assert!(bounded.contains(label), "{}: {label} is not bounded", family.name);
            }
        }
    }

    #[test]
    fn a_tick_that_outlived_a_reload_brings_no_rule_back() {
        let board = board();
        let plan = plan_of(&[RuleSketch::DEFAULT.build()], &snapshot(&[(7, "APP")]));
        let report = TickReport {
            outcomes: vec![Outcome::Simulated],
            ..TickReport::of(TickId { run: NOON, number: 2 }, plan, Seen::default())
        };
        board.ticked(&Told { report: &report, unaudited: None }, NOON);
        let text = render(&board);
        assert!(text.contains(r#"rule="idle""#) && !text.contains(r#"rule="rule""#), "{text}");
    }

    #[test]
    fn who_leads_is_not_told_of_a_daemon_that_does_not_ask() {
        let leader = |board: &Board| render(board).contains("\norawarden_leader");
        let board = board();
        assert!(leader(&board));
        let rehearsing =
            PolicySet { rules: vec![RuleSketch::DEFAULT.build()], ..PolicySet::default() };
        board.loaded(&rehearsing, ["prod"].into_iter(), false, NOON);
        assert!(!leader(&board));
    }

    /// The page names every family with its labels.
    #[test]
    fn the_page_lists_what_is_told() {
        let page = include_str!("../../docs/observability.md");
        let row = |family: &Family| {
            let labels = family.labels.iter().map(|label| format!("`{label}`"));
            let labels = labels.collect::<Vec<_>>().join(", ");
            format!(
                "| `{}` | {} | {labels} | {} |",
                family.sample(),
                family.type_word(),
                family.help
            )
        };
        let head = "| metric | type | labels | what it is |\n|---|---|---|---|\n".to_owned();
        let table = head + &FAMILIES.iter().map(row).collect::<Vec<_>>().join("\n") + "\n";
        assert!(page.contains(&table), "docs/observability.md lacks this table:\n{table}");
    }
}

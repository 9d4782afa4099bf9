//! Property tests of the invariants in ARCHITECTURE.md: 1 (the same inputs give the same plan), 4 (every matched
//! session exactly once), 5 (never these), 6 (missing knowledge only reduces), and of columns against rows.

use std::collections::BTreeSet;

use orawarden::engine::condition::{Condition, Field, Operator, Test, Truth};
use orawarden::engine::decide::{Question, decide};
use orawarden::engine::evaluate::{RuleEvaluation, evaluate};
use orawarden::engine::explain;
use orawarden::engine::facts::Facts;
use orawarden::engine::guard::{ApprovedPlan, End};
use orawarden::engine::history::History;
use orawarden::engine::plan::PlanOptions;
use orawarden::engine::policy::{
    Action, Breaker, Exemption, GroupKey, Liftable, Limits, Mode, OnExceed, OrderKey, PolicySet,
    Reset, Rule, Rung, Verb, Victims,
};
use orawarden::engine::pursuit::{RETRIES_MAX, RETRY_AFTER};
use orawarden::engine::report::{Acting, Failure, Outcome, Refusal};
use orawarden::engine::session::{
    Column, Instance, InstanceState, NumberColumn, SessionKey, Snapshot, TextColumn,
};
use orawarden::engine::standing::{Authority, Hold, Standing};
use orawarden::engine::time::{MICROS_PER_SECOND, Span};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::fixture::{NOW, Row, compare, is, leaf, like, policies, rule, snapshot, unlimited};

/// Columns in which the generator writes; the structural ones of the protections are among them.
const TEXTS: [(TextColumn, &[&str]); 12] = [
    (TextColumn::Username, &["APP", "WEB", "app", "SYS", "DBSNMP", ""]),
    (TextColumn::Machine, &["web1", "WEB1", "web2", "batch7", ""]),
    (
        TextColumn::Program,
        &["JDBC Thin Client", "oracle@db1 (J000)", "oracle@db1 (PMON)", "python", ""],
    ),
    (TextColumn::Module, &["BATCH", "DBMS_SCHEDULER", "orawarden", "x orawarden:keep", ""]),
    (TextColumn::Status, &["ACTIVE", "INACTIVE", "SNIPED", "KILLED", "CACHED", ""]),
    (TextColumn::Type, &["USER", "USER", "USER", "BACKGROUND", ""]),
    (TextColumn::State, &["WAITING", "WAITED SHORT TIME", ""]),
    (TextColumn::Event, &["db file sequential read", "enq: TX - row lock contention", ""]),
    (TextColumn::SqlId, &["7gk3z5hmbn7a1", "9babjv8yq8ru3", ""]),
    (TextColumn::Server, &["DEDICATED", "SHARED", "POOLED"]),
    (TextColumn::Pname, &["", "", "", "J000", "P001", "S000", "DW01", "PMON"]),
    (TextColumn::OracleMaintained, &["N", "N", "Y"]),
];

const NUMBERS: [(NumberColumn, &[i64]); 4] = [
    (NumberColumn::LastCallEt, &[0, 60, 1_799, 1_800, 7_200]),
    (NumberColumn::ConId, &[0, 1, 3]),
    (NumberColumn::UsedUrec, &[1, 500, 2_000_000]),
    (NumberColumn::Qcsid, &[1, 2, 3]),
];

/// Seconds before [`NOW`].
const LOGONS: [i64; 4] = [5, 60, 3_600, 86_400];

fn row() -> impl Strategy<Value = Row> {
    let texts: Vec<_> = TEXTS
        .iter()
        .map(|(column, values)| select(*values).prop_map(move |value| (*column, value.to_owned())))
        .collect();
    let numbers: Vec<_> = NUMBERS
        .iter()
        .map(|(column, values)| {
            prop::option::weighted(0.6, select(*values)).prop_map(move |value| (*column, value))
        })
        .collect();
    let logon = prop::option::weighted(0.9, select(&LOGONS[..]));
    let blocker = prop::option::weighted(0.4, (1..3_i64, 1..12_i64));
    (texts, numbers, logon, blocker, 1..3_u32).prop_map(
        |(texts, numbers, logon, blocker, inst_id)| {
            let mut numbers: Vec<(NumberColumn, i64)> =
                numbers.into_iter().filter_map(|(column, n)| Some((column, n?))).collect();
            let logon = logon.map(|ago| NOW.0 - ago * MICROS_PER_SECOND);
            numbers.extend(logon.map(|at| (NumberColumn::LogonTime, at)));
            if let Some((instance, sid)) = blocker {
                numbers.push((NumberColumn::BlockingInstance, instance));
                numbers.push((NumberColumn::BlockingSession, sid));
                numbers.push((NumberColumn::SecondsInWait, 90));
            }
            Row { inst_id, sid: 0, serial: 1, texts, numbers }
        },
    )
}

fn all_columns() -> Vec<Column> {
    let texts = TEXTS.iter().map(|(column, _)| Column::Text(*column));
    let numbers = NUMBERS.iter().map(|(column, _)| *column).chain([
        NumberColumn::LogonTime,
        NumberColumn::BlockingInstance,
        NumberColumn::BlockingSession,
        NumberColumn::SecondsInWait,
    ]);
    texts.chain(numbers.map(Column::Number)).collect()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 0..40).prop_map(|mut rows| {
        for (sid, row) in (1..).zip(&mut rows) {
            row.sid = sid;
        }
        rows
    })
}

fn leaf_condition() -> impl Strategy<Value = Condition> {
    let operator = || {
        select(vec![
            Operator::Less,
            Operator::LessOrEqual,
            Operator::Equal,
            Operator::NotEqual,
            Operator::GreaterOrEqual,
            Operator::Greater,
        ])
    };
    let durations = vec![
        Field::IdleFor,
        Field::ActiveFor,
        Field::SessionAge,
        Field::WaitingFor,
        Field::BlockingFor,
    ];
    let seconds = (select(durations), operator(), select(vec![0, 60, 1_800, 3_600]));
    prop_oneof![
        select(vec![
            ("APP", Field::Username),
            ("web1", Field::Machine),
            ("ACTIVE", Field::Status),
            ("BATCH", Field::Module)
        ])
        .prop_map(|(text, field)| is(field, text)),
        select(vec!["JDBC%", "%client", "oracle@%"]).prop_map(|it| like(Field::Program, it)),
        select(vec!["7gk3z5hmbn7a1", "9babjv8yq8ru3"]).prop_map(|it| is(Field::SqlId, it)),
        Just(is(Field::WaitEvent, "enq: TX - row lock contention")),
        seconds.prop_map(|(field, operator, seconds)| {
            compare(field, operator, seconds * MICROS_PER_SECOND)
        }),
        (operator(), 0..4_i64).prop_map(|(operator, n)| compare(
            Field::BlockedSessions,
            operator,
            n
        )),
        (operator(), 0..4_i64).prop_map(|(operator, n)| compare(Field::Sid, operator, n)),
        any::<bool>().prop_map(|flag| leaf(Field::OnCpu, Test::Flag(flag), flag.to_string())),
        any::<bool>().prop_map(|flag| leaf(Field::RootBlocker, Test::Flag(flag), flag.to_string())),
        Just(leaf(Field::ConId, Test::OneOf(vec![0, 3]), "in [0, 3]".to_owned())),
    ]
}

fn null_test() -> impl Strategy<Value = Condition> {
    let fields = vec![Field::Module, Field::WaitEvent, Field::SqlId, Field::IdleFor, Field::ConId];
    (select(fields), any::<bool>())
        .prop_map(|(field, null)| leaf(field, Test::IsNull(null), format!("is null {null}")))
}

fn tree(leaf: impl Strategy<Value = Condition> + 'static) -> impl Strategy<Value = Condition> {
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 1..3).prop_map(Condition::Any),
            inner.prop_map(|it| Condition::Not(Box::new(it))),
        ]
    })
}

fn victims() -> impl Strategy<Value = Victims> {
    let keys = vec![Field::Machine, Field::Username, Field::ConId];
    let group_by = subsequence(keys.clone(), 0..=2)
        .prop_map(|fields| fields.into_iter().map(GroupKey::Field).collect());
    let order = subsequence(vec![Field::IdleFor, Field::Machine, Field::LogonTime], 0..=2);
    let order = (order, any::<bool>()).prop_map(|(fields, descending)| {
        fields.into_iter().map(|field| OrderKey { field, descending }).collect()
    });
    (group_by, order, 0..2_usize, prop::option::of(0..4_usize), 0..3_usize).prop_map(
        |(group_by, order, skip, take, keep)| Victims {
            group_by,
            order,
            skip,
            take,
            keep,
            ..Victims::default()
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    let limit = || prop::option::of(0..6_u64);
    (limit(), prop::option::of(0..100_000_u64), limit(), any::<bool>(), any::<bool>()).prop_map(
        |(per_tick, percent_thousandths, per_hour, undo, truncate)| Limits {
            per_tick,
            percent_thousandths,
            per_hour,
            per_second: None,
            max_undo_records: undo.then_some(1_000_000),
            on_exceed: if truncate { OnExceed::Truncate } else { OnExceed::Halt },
        },
    )
}

fn any_rule(name: &'static str) -> impl Strategy<Value = Rule> {
    let condition = tree(prop_oneof![4 => leaf_condition(), 1 => null_test()]);
    let unless = prop::option::weighted(0.3, tree(leaf_condition()));
    let lifted = subsequence(Liftable::ALL.to_vec(), 0..=2);
    let action = select(vec![
        Action::Report,
        Action::Ladder([Rung { verb: Verb::KillImmediate, after: Span::ZERO }].into()),
        Action::Ladder([Rung { verb: Verb::CancelSql, after: Span::ZERO }].into()),
    ]);
    let age = select(vec![Span::ZERO, Span::seconds(60), Span::seconds(600)]);
    (condition, unless, victims(), limits(), lifted, action, age, any::<bool>()).prop_map(
        move |(condition, unless, victims, limits, allow_protected, action, age, enforce)| Rule {
            unless: unless
                .into_iter()
                .map(|condition| Exemption { name: None, condition, until: None })
                .collect(),
            victims,
            limits,
            allow_protected,
            action,
            min_session_age: age,
            mode: if enforce { Mode::Enforce } else { Mode::DryRun },
            ..rule(name, condition)
        },
    )
}

fn any_policies() -> impl Strategy<Value = PolicySet> {
    let rules = [any_rule("a"), any_rule("b"), any_rule("c")];
    (rules, prop::option::weighted(0.3, tree(leaf_condition()))).prop_map(|(rules, protect)| {
        let protections = protect.into_iter().map(|condition| Exemption {
            name: Some("p".to_owned()),
            condition,
            until: None,
        });
        PolicySet { protections: protections.collect(), ..policies(rules.into()) }
    })
}

fn plan_of(policies: &PolicySet, snapshot: &Snapshot) -> ApprovedPlan {
    plan_with(policies, snapshot, &Standing::default())
}

fn plan_with(policies: &PolicySet, snapshot: &Snapshot, standing: &Standing) -> ApprovedPlan {
    let due: Vec<usize> = (0..policies.rules.len()).collect();
    decide(Question {
        policies,
        due: &due,
        snapshot,
        history: &History::default(),
        options: PlanOptions::default(),
        limits: Limits::UNLIMITED,
        standing,
    })
}

/// Plain sessions of APP that have been there for long.
fn app_sessions(sids: &BTreeSet<u32>) -> Vec<Row> {
    let texts =
        [(TextColumn::Username, "APP"), (TextColumn::Type, "USER"), (TextColumn::Status, "ACTIVE")];
    let texts = texts.map(|(column, text)| (column, text.to_owned()));
    let logon = NOW.plus(Span::seconds(-86_400)).0;
    let session = |sid: &u32| Row {
        inst_id: 1,
        sid: *sid,
        serial: 1,
        texts: texts.to_vec(),
        numbers: vec![(NumberColumn::LogonTime, logon)],
    };
    sids.iter().map(session).collect()
}

/// Decides on each snapshot with what the ones before left behind.
fn plans_over_time(policies: &PolicySet, snapshots: &[Snapshot]) -> Vec<ApprovedPlan> {
    let due: Vec<usize> = (0..policies.rules.len()).collect();
    let mut history = History::default();
    let decide_next = |snapshot: &Snapshot| {
        let plan = decide(Question {
            policies,
            due: &due,
            snapshot,
            history: &history,
            options: PlanOptions::default(),
            limits: Limits::UNLIMITED,
            standing: &Standing::default(),
        });
        history.record(snapshot, &plan);
        plan
    };
    snapshots.iter().map(decide_next).collect()
}

fn ends(plan: &ApprovedPlan) -> BTreeSet<(String, SessionKey)> {
    plan.ends().iter().map(|end| (end.rule.to_string(), end.life.key)).collect()
}

/// What a pursued session is when it is looked at, and what the next end of it comes to.
fn looks() -> impl Strategy<Value = Vec<(i64, &'static str, Outcome)>> {
    let status =
        select(vec!["ACTIVE", "ACTIVE", "ACTIVE", "INACTIVE", "KILLED", "no row", "no status"]);
    let outcome = select(vec![
        Outcome::Ended,
        Outcome::Accepted,
        Outcome::Unknown,
        Outcome::Changed,
        Outcome::AlreadyGone,
        Outcome::Failed(Failure::Server),
        Outcome::Refused(Refusal::Unsupported),
    ]);
    prop::collection::vec((0..100_i64, status, outcome), 1..40)
}

/// The session of [`looks`] at so many seconds.
fn looked_at(seconds: i64, status: &str) -> Snapshot {
    let mut rows = app_sessions(&BTreeSet::from([7]));
    if status == "no row" {
        rows.clear();
    }
    for row in &mut rows {
        row.texts.retain(|(column, _)| *column != TextColumn::Status);
        if status != "no status" {
            row.texts.push((TextColumn::Status, status.to_owned()));
        }
    }
    let mut seen = snapshot(&all_columns(), &rows);
    seen.taken_at = NOW.plus(Span::seconds(seconds));
    seen.instances = vec![Instance { inst_id: 1, state: InstanceState::Answered }];
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whole columns and single rows decide alike: two pieces of code, one meaning.
    #[test]
    fn columns_and_rows_decide_alike(
        rows in rows(),
        columns in subsequence(all_columns(), 4..=all_columns().len()),
        condition in tree(prop_oneof![4 => leaf_condition(), 1 => null_test()]),
    ) {
        let snapshot = snapshot(&columns, &rows);
        let policies = policies(vec![Rule {
            unless: vec![Exemption { name: None, condition: condition.clone(), until: None }],
            ..rule("r", condition.clone())
        }]);
        let evaluation = evaluate(&policies, &[0], &snapshot);
        let facts = Facts::new(&snapshot);
        let RuleEvaluation::Awake { matched, unless } = &evaluation.rules[0].1 else {
            panic!("nothing puts this rule to sleep")
        };
        for row in 0..snapshot.sessions.len() {
            let truth = explain::truth(&condition, &facts, row);
            prop_assert_eq!(matched.contains(row), truth == Truth::True);
            prop_assert_eq!(unless.get(row), truth);
            prop_assert_eq!(explain::judge(&condition, &facts, row).truth, truth);
            let reasons = explain::reasons(&condition, &facts, row);
            prop_assert_eq!(reasons.is_empty(), truth != Truth::True);
        }
    }

    /// Invariant 1: the same inputs give the same plan, and the order of the rows is no input.
    #[test]
    fn the_order_of_rows_does_not_matter(
        policies in any_policies(),
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
    ) {
        let plan = plan_of(&policies, &snapshot(&all_columns(), &rows));
        let again = plan_of(&policies, &snapshot(&all_columns(), &rows));
        let other = plan_of(&policies, &snapshot(&all_columns(), &shuffled));
        prop_assert_eq!(format!("{plan:?}"), format!("{again:?}"));
        prop_assert_eq!(format!("{plan:?}"), format!("{other:?}"));
    }

    /// Invariant 4: every matched session of a rule that is awake is ended or spared, exactly once.
    #[test]
    fn every_match_is_ended_or_spared_once(policies in any_policies(), rows in rows()) {
        let snapshot = snapshot(&all_columns(), &rows);
        let plan = plan_of(&policies, &snapshot);
        let facts = Facts::new(&snapshot);
        let mut expected = Vec::new();
        for rule in &policies.rules {
            let matched = snapshot.sessions.iter().filter(|session| {
                explain::truth(&rule.condition, &facts, session.row()) == Truth::True
            });
            expected.extend(matched.map(|session| (rule.name.clone(), session.key())));
        }
        let ended = plan.ends().iter().map(|end| (end.rule.to_string(), end.life.key));
        let spared = plan.spared().iter().map(|it| (it.rule.to_string(), it.life.key));
        let mut found: Vec<_> = ended.chain(spared).collect();
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
    }

    /// Claims: no session is ended by two rules.
    #[test]
    fn no_session_is_ended_twice(policies in any_policies(), rows in rows()) {
        let plan = plan_of(&policies, &snapshot(&all_columns(), &rows));
        let ended = plan.ends().iter().filter(|end| end.action != Action::Report);
        let keys: Vec<SessionKey> = ended.map(|end| end.life.key).collect();
        let distinct: BTreeSet<&SessionKey> = keys.iter().collect();
        prop_assert_eq!(distinct.len(), keys.len());
    }

    /// Invariant 5, said once more in a third way.
    #[test]
    fn protected_sessions_are_never_planned(policies in any_policies(), rows in rows()) {
        let mut snapshot = snapshot(&all_columns(), &rows);
        snapshot.own_sessions = vec![SessionKey { inst_id: 1, sid: 3, serial: 1 }];
        let plan = plan_of(&policies, &snapshot);
        for end in plan.ends() {
            let session = snapshot.sessions.iter().find(|it| it.key() == end.life.key);
            let session = session.expect("an end names a session of the snapshot");
            let text = |column| session.text(column).unwrap_or_default().to_ascii_uppercase();
            prop_assert_eq!(text(TextColumn::Type), "USER");
            prop_assert!(!["", "SYS", "DBSNMP"].contains(&text(TextColumn::Username).as_str()));
            prop_assert!(!["KILLED", "CACHED"].contains(&text(TextColumn::Status).as_str()));
            prop_assert_ne!(text(TextColumn::OracleMaintained), "Y");
            prop_assert!(!["PMON", "P001"].contains(&text(TextColumn::Pname).as_str()));
            prop_assert_ne!(text(TextColumn::Module), "ORAWARDEN");
            prop_assert!(!snapshot.own_sessions.contains(&session.key()));
            let coordinator = session.number(NumberColumn::Qcsid);
            prop_assert!(coordinator.is_none_or(|sid| sid == i64::from(session.key().sid)));
        }
        prop_assert!(!plan.warnings().iter().any(|warning| warning.contains("bug")));
    }

    /// Invariant 6: a source that lacks a column ends nobody who would not be ended with it. (Tests for NULL and
    /// selection ask about what is missing; they are left out.)
    #[test]
    fn a_missing_column_ends_nobody_new(
        condition in tree(leaf_condition()),
        rows in rows(),
        dropped in select(vec![
            Column::Text(TextColumn::Machine),
            Column::Text(TextColumn::Program),
            Column::Text(TextColumn::Module),
            Column::Text(TextColumn::State),
            Column::Text(TextColumn::Event),
            Column::Text(TextColumn::SqlId),
            Column::Number(NumberColumn::LastCallEt),
            Column::Number(NumberColumn::LogonTime),
            Column::Number(NumberColumn::ConId),
            Column::Number(NumberColumn::BlockingSession),
            Column::Number(NumberColumn::SecondsInWait),
        ]),
    ) {
        // The module's own marks add protection; without the column they are gone, so they are not generated here.
        let rows: Vec<Row> = rows.into_iter().map(|mut row| {
            row.texts.retain(|(column, text)| *column != TextColumn::Module || text == "BATCH");
            row
        }).collect();
        let policies = policies(vec![rule("r", condition)]);
        let kept: Vec<Column> = all_columns().into_iter().filter(|it| *it != dropped).collect();
        let full = ends(&plan_of(&policies, &snapshot(&all_columns(), &rows)));
        let less = ends(&plan_of(&policies, &snapshot(&kept, &rows)));
        prop_assert!(less.is_subset(&full), "{less:?} is more than {full:?}");
    }

    /// Invariant 6: an instance that did not answer ends nobody who would not be ended otherwise.
    #[test]
    fn a_missing_instance_ends_nobody_new(policies in any_policies(), rows in rows()) {
        // One rule, so that no other claims; no limits, which bite less when fewer are seen.
        let mut policies = policies;
        policies.rules.truncate(1);
        policies.rules[0].limits = unlimited();
        let full = ends(&plan_of(&policies, &snapshot(&all_columns(), &rows)));
        let answered: Vec<Row> = rows.into_iter().filter(|row| row.inst_id == 1).collect();
        let mut partial = snapshot(&all_columns(), &answered);
        partial.instances = vec![
            Instance { inst_id: 1, state: InstanceState::Answered },
            Instance { inst_id: 2, state: InstanceState::Missing },
        ];
        let less = ends(&plan_of(&policies, &partial));
        prop_assert!(less.is_subset(&full), "{less:?} is more than {full:?}");
        prop_assert!(policies.rules[0].victims.is_everybody() || less.is_empty());
    }

    /// A ladder is climbed rung by rung, each when its time has come; the last is repeated a few times and no more; and
    /// a rehearsal never leaves the ground.
    #[test]
    fn ladders_are_climbed_by_observation(looks in looks(), enforce in any::<bool>()) {
        let rungs = [(Verb::KillPlain, 0), (Verb::KillImmediate, 60), (Verb::DisconnectImmediate, 30)];
        let rungs = rungs.map(|(verb, after)| Rung { verb, after: Span::seconds(after) });
        let mut laddered = rule("r", is(Field::Username, "APP"));
        laddered.action = Action::Ladder(rungs.clone().into());
        laddered.mode = if enforce { Mode::Enforce } else { Mode::DryRun };
        let policies = policies(vec![laddered]);
        let mut history = History::default();
        let mut seconds = 0;
        // What was sent since the session was last known to be gone: when, and which rung.
        let mut sent: Vec<(i64, usize)> = Vec::new();
        for (later, status, outcome) in looks {
            seconds += later;
            let seen = looked_at(seconds, status);
            if history.verify(&seen).iter().any(|verified| verified.finding.is_over()) {
                prop_assert_eq!(status, "no row");
                sent.clear();
            }
            let question = Question {
                policies: &policies,
                due: &[0],
                snapshot: &seen,
                history: &history,
                options: PlanOptions::default(),
                limits: Limits::UNLIMITED,
                standing: &Standing::default(),
            };
            let plan = decide(question);
            history.record(&seen, &plan);
            let outcomes = vec![outcome; plan.ends().len()];
            history.settle(&policies, &seen, &plan, &outcomes, Span::ZERO);
            let Some(end) = plan.ends().first() else { continue };
            prop_assert!(enforce || end.rung == 0);
            let is_first = sent.is_empty();
            let is_blind = status == "no status" && enforce && !is_first;
            prop_assert!(!is_blind, "nobody knows whether it is still there");
            if let Some((before, rung)) = sent.last().filter(|_| enforce) {
                let wait = if end.rung == *rung { RETRY_AFTER } else { rungs[end.rung].after };
                prop_assert!(end.rung == rung + 1 || end.rung == *rung && *rung == rungs.len() - 1);
                prop_assert!(Span::seconds(seconds - before) >= wait);
            }
            prop_assert!(!is_first || end.rung == 0);
            if matches!(outcome, Outcome::Ended | Outcome::Accepted | Outcome::Unknown) {
                sent.push((seconds, end.rung));
            }
            let most = rungs.len() + RETRIES_MAX as usize;
            prop_assert!(!enforce || sent.len() <= most, "{sent:?}");
        }
    }

    /// Whatever holds, nobody new is ended; a pause lets enforcing rules end nobody, and a silence saves whom it may mean.
    #[test]
    fn holds_end_nobody_new(
        policies in any_policies(),
        rows in rows(),
        silenced in tree(prop_oneof![4 => leaf_condition(), 1 => null_test()]),
        confined in any::<bool>(),
        pause in any::<bool>(),
    ) {
        let snapshot = snapshot(&all_columns(), &rows);
        let rule = confined.then(|| "a".into());
        let condition = (!pause).then_some(silenced.clone());
        let hold = Hold { condition, rule: rule.clone(), why: "calm".into() };
        let standing = Standing { holds: vec![hold], ..Standing::default() };
        let plan = plan_with(&policies, &snapshot, &standing);
        prop_assert!(ends(&plan).is_subset(&ends(&plan_of(&policies, &snapshot))));
        let facts = Facts::new(&snapshot);
        for end in plan.ends().iter().filter(|end| end.action != Action::Report) {
            if confined && *end.rule != *"a" {
                continue;
            }
            let session = snapshot.sessions.iter().find(|it| it.key() == end.life.key);
            let row = session.expect("an end names a session of the snapshot").row();
            let is_silenced = explain::truth(&silenced, &facts, row) != Truth::False;
            let may_end = if pause { end.mode == Mode::DryRun } else { !is_silenced };
            prop_assert!(may_end);
        }
    }

    /// An open breaker holds back every end of its rule, and opens after exactly so many failures in a row.
    #[test]
    fn an_open_breaker_ends_nobody(
        most in 1..4_u64,
        ticks in prop::collection::vec((1..2_000_i64, any::<bool>()), 1..30),
    ) {
        let reset = Reset::After(Span::seconds(3_600));
        let mut fragile = rule("r", is(Field::Username, "APP"));
        fragile.mode = Mode::Enforce;
        fragile.breaker = Some(Breaker { failures: most, reset, ..Breaker::default() });
        let policies = policies(vec![fragile]);
        let mut history = History::default();
        let (mut seconds, mut failures, mut open_until) = (0, 0, 0);
        for (sid, (later, fails)) in (1..).zip(ticks) {
            seconds += later;
            let mut seen = snapshot(&all_columns(), &app_sessions(&BTreeSet::from([sid])));
            seen.taken_at = NOW.plus(Span::seconds(seconds));
            history.look_at_breakers(&policies, &seen);
            let standing = Standing::default();
            let question = Question {
                policies: &policies,
                due: &[0],
                snapshot: &seen,
                history: &history,
                options: PlanOptions::default(),
                limits: Limits::UNLIMITED,
                standing: &standing,
            };
            let plan = decide(question);
            prop_assert_eq!(plan.ends().is_empty(), seconds < open_until);
            let outcome = if fails { Outcome::Failed(Failure::Server) } else { Outcome::Ended };
            let outcomes = vec![outcome; plan.ends().len()];
            history.settle(&policies, &seen, &plan, &outcomes, Span::ZERO);
            if !outcomes.is_empty() {
                failures = if fails { failures + 1 } else { 0 };
            }
            if failures == most {
                (open_until, failures) = (seconds + 3_600, 0);
            }
        }
    }

    /// Invariant 6: who follows, or cannot tell, ends nobody by an enforcing rule, and nobody new otherwise.
    #[test]
    fn a_follower_ends_nobody(policies in any_policies(), rows in rows()) {
        let snapshot = snapshot(&all_columns(), &rows);
        let follows = Standing { authority: Authority::Follows("another leads".into()), ..Standing::default() };
        let free = ends(&plan_of(&policies, &snapshot));
        let plan = plan_with(&policies, &snapshot, &follows);
        prop_assert!(ends(&plan).is_subset(&free));
        let enforced = |end: &&End| end.mode == Mode::Enforce && end.action != Action::Report;
        prop_assert_eq!(plan.ends().iter().filter(enforced).count(), 0);
        let rehearsed = Standing { acting: Acting::DryRun, ..follows };
        prop_assert_eq!(ends(&plan_with(&policies, &snapshot, &rehearsed)), free);
    }

    /// Within any hour a rule ends no more different sessions than `per_hour` says, however often they match again.
    #[test]
    fn per_hour_holds_over_time(
        per_hour in 0..8_u64,
        truncate in any::<bool>(),
        newest_first in any::<bool>(),
        ticks in prop::collection::vec((0..1_800_i64, prop::collection::btree_set(1..12_u32, 0..8)), 1..12),
    ) {
        let mut limited = rule("r", is(Field::Username, "APP"));
        limited.limits = Limits {
            per_hour: Some(per_hour),
            on_exceed: if truncate { OnExceed::Truncate } else { OnExceed::Halt },
            ..unlimited()
        };
        limited.victims.order = vec![OrderKey { field: Field::Sid, descending: newest_first }];
        let policies = policies(vec![limited]);
        let mut now = NOW;
        let snapshots: Vec<Snapshot> = ticks.iter().map(|(later, sids)| {
            now = now.plus(Span::seconds(*later));
            let mut snapshot = snapshot(&all_columns(), &app_sessions(sids));
            snapshot.taken_at = now;
            snapshot
        }).collect();
        let plans = plans_over_time(&policies, &snapshots);
        for (number, last) in plans.iter().enumerate() {
            let hour = Span::seconds(3_600);
            let at = |plan: &ApprovedPlan| plan.taken_at().expect("the snapshots say when they were taken");
            let recent = |plan: &&ApprovedPlan| at(last).since(at(plan)) < hour;
            let hour = plans[..=number].iter().filter(recent);
            let ended: BTreeSet<_> = hour.flat_map(ends).collect();
            prop_assert!(ended.len() as u64 <= per_hour, "{} in an hour: {ended:?}", ended.len());
        }
    }
}

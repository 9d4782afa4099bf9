//! How long a decision takes, and what a snapshot weighs: `cargo bench --bench decide`.
//!
//! Prints the median of several runs of evaluate → plan → guard for growing numbers of sessions and of rules, on one
//! thread, with the straight line through them; and the resident memory that one snapshot of 100,000 sessions costs.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use orawarden::config::diagnostic::SourceFile;
use orawarden::config::policies::compile;
use orawarden::engine::decide::{Question, decide};
use orawarden::engine::history::History;
use orawarden::engine::plan::PlanOptions;
use orawarden::engine::policy::Limits;
use orawarden::engine::policy::PolicySet;
use orawarden::engine::session::{
    Column, NumberColumn, SessionKey, Sessions, Snapshot, TextColumn,
};
use orawarden::engine::standing::Standing;
use orawarden::engine::time::{MICROS_PER_SECOND, Timestamp};

const RUNS: usize = 15;
const NOW: Timestamp = Timestamp(1_774_747_800 * MICROS_PER_SECOND);

fn main() {
    let before = resident_kib();
    let snapshot = snapshot(100_000);
    let weight = resident_kib().saturating_sub(before);
    println!("snapshot of 100000 sessions, {} columns: {weight} KiB resident", columns().len());

    println!("\nlimits as they are by default: rules that find too many end nobody");
    sweep(&snapshot, "");
    println!("\nno limits: every victim with its reasons and its witness");
    sweep(&snapshot, UNLIMITED);
}

/// Grows the sessions, then the rules, and says how straight the lines are.
fn sweep(snapshot: &Snapshot, defaults: &str) {
    println!("sessions   rules   ended  spared     median");
    let mut by_sessions = Vec::new();
    for sessions in [12_500, 25_000, 50_000, 100_000] {
        let took = measure(&crate::snapshot(sessions), &policies(100, defaults));
        by_sessions.push((sessions as f64, took.as_secs_f64()));
    }
    let mut by_rules = Vec::new();
    for rules in [25, 50, 100, 200] {
        let took = measure(snapshot, &policies(rules, defaults));
        by_rules.push((rules as f64, took.as_secs_f64()));
    }
    println!(
        "r² of a straight line: {:.4} over sessions, {:.4} over rules",
        fit(&by_sessions),
        fit(&by_rules)
    );
}

const UNLIMITED: &str =
    "defaults: {limits: {per_tick: unlimited, percent: unlimited, per_hour: unlimited}}\n";

fn measure(snapshot: &Snapshot, policies: &PolicySet) -> Duration {
    let rules = policies.rules.len();
    let due: Vec<usize> = (0..rules).collect();
    let history = History::default();
    let question = Question {
        policies,
        due: &due,
        snapshot,
        history: &history,
        options: PlanOptions::default(),
        limits: Limits::UNLIMITED,
        standing: &Standing::default(),
    };
    let plan = decide(question);
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            black_box(decide(black_box(question)));
            start.elapsed()
        })
        .collect();
    times.sort();
    let median = times[RUNS / 2];
    println!(
        "{:>8} {rules:>7} {:>7} {:>7} {:>7.1} ms",
        snapshot.sessions.len(),
        plan.ends().len(),
        plan.spared().len(),
        median.as_secs_f64() * 1_000.0
    );
    median
}

/// Rules of every kind: durations, texts exact, LIKE and regex, SQL_IDs, waits, chains, negations, groups.
fn policies(rules: usize, defaults: &str) -> PolicySet {
    let mut text = format!("version: 1\n{defaults}rules:\n");
    for n in 0..rules {
        let rule = match n % 5 {
            0 => format!(
                "match: {{idle_for: \"> {}m\", username: APP{}, program: {{like: \"JDBC%\"}}}}\n    unless: {{machine: {{like: \"web{}%\"}}}}\n    action: kill",
                30 + n,
                n % 12,
                n % 7
            ),
            1 => format!(
                "match: {{sql_id: [{}, {}], sql_running_for: \"> 10m\"}}\n    action: [cancel_sql, {{kill: {{after: 60s}}}}]",
                sql_id(n * 3),
                sql_id(n * 5)
            ),
            2 => format!(
                "match: {{wait_event: \"event number {}\", waiting_for: \"> {}s\", any: [{{module: MODULE{}}}, {{program: {{regex: \"^python\"}}}}]}}\n    action: kill",
                n % 40,
                n,
                n % 30
            ),
            3 => format!(
                "match: {{idle_for: \"> {}s\", machine: {{like: \"%{}\"}}, username: {{not: [APP1, APP2]}}}}\n    victims: {{group_by: [machine, program], order: -idle_for, keep: 5}}\n    action: kill",
                40_000 + n,
                n % 30
            ),
            _ => format!(
                "match: {{blocked_sessions: \">= 1\", idle_for: \"> {n}s\", inst_id: {}}}\n    action: {{disconnect: immediate}}",
                1 + n % 2
            ),
        };
        writeln!(text, "  - name: rule{n}\n    {rule}").expect("writing to memory");
    }
    let file = SourceFile { name: "bench.yaml".to_owned(), text };
    let (policies, diagnostics) = compile(&[file]);
    policies.unwrap_or_else(|| panic!("{}", orawarden::config::render::text(&diagnostics, false)))
}

fn sql_id(n: usize) -> String {
    format!("a{:012}", n % 400)
}

fn columns() -> Vec<Column> {
    let left_out = [
        Column::Text(TextColumn::SqlText),
        Column::Text(TextColumn::Branchid),
        Column::Text(TextColumn::SessionType),
        Column::Text(TextColumn::ExtractName),
        Column::Number(NumberColumn::SessionUsage),
        Column::Number(NumberColumn::ProcessUsage),
    ];
    Column::all().filter(|column| !left_out.contains(column)).collect()
}

/// A small generator with a fixed seed (xorshift): the same snapshot every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

fn snapshot(len: usize) -> Snapshot {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut sessions = Sessions::with_columns(columns());
    for n in 0..u32::try_from(len).expect("a bench's size") {
        let row = sessions.push(SessionKey {
            inst_id: 1 + n % 2,
            sid: n / 2 + 1,
            serial: 1 + n % 60_000,
        });
        fill(&mut sessions, row, &mut dice);
    }
    Snapshot::of_sessions("bench", NOW, sessions)
}

fn fill(sessions: &mut Sessions, row: usize, dice: &mut Dice) {
    let active = dice.roll(100) < 8;
    let programs = [
        "JDBC Thin Client",
        "JDBC Thin Client",
        "python3@app",
        "w3wp.exe",
        "sqlplus@host (TNS V1-V3)",
    ];
    let texts = [
        (TextColumn::Username, format!("APP{}", dice.roll(12))),
        (TextColumn::Osuser, format!("os{}", dice.roll(40))),
        (TextColumn::Machine, format!("web{}", dice.roll(30))),
        (TextColumn::Program, programs[usize::try_from(dice.roll(5)).expect("small")].to_owned()),
        (TextColumn::Module, format!("MODULE{}", dice.roll(60))),
        (TextColumn::Action, format!("action {}", dice.roll(300))),
        (TextColumn::ServiceName, format!("svc{}", dice.roll(4))),
        (TextColumn::Schemaname, "APP".to_owned()),
        (TextColumn::Process, format!("{}", dice.roll(20_000))),
        (TextColumn::Server, "DEDICATED".to_owned()),
        (TextColumn::Status, if active { "ACTIVE" } else { "INACTIVE" }.to_owned()),
        (TextColumn::Type, "USER".to_owned()),
        (TextColumn::State, "WAITING".to_owned()),
        (TextColumn::Event, format!("event number {}", dice.roll(60))),
        (TextColumn::WaitClass, "Other".to_owned()),
        (TextColumn::PrevSqlId, sql_id(usize::try_from(dice.roll(400)).expect("small"))),
        (TextColumn::OracleMaintained, "N".to_owned()),
        (TextColumn::BlockingSessionStatus, "VALID".to_owned()),
    ];
    for (column, text) in &texts {
        sessions.set_text(row, *column, text);
    }
    if active {
        let sql = sql_id(usize::try_from(dice.roll(400)).expect("small"));
        sessions.set_text(row, TextColumn::SqlId, &sql);
    }
    let ago = |seconds: u64| NOW.0 - i64::try_from(seconds).expect("small") * MICROS_PER_SECOND;
    let mut numbers = vec![
        (NumberColumn::LogonTime, ago(dice.roll(900_000))),
        (NumberColumn::LastCallEt, i64::try_from(dice.roll(45_000)).expect("small")),
        (NumberColumn::SqlExecStart, ago(dice.roll(4_000))),
        (NumberColumn::SecondsInWait, i64::try_from(dice.roll(900)).expect("small")),
        (NumberColumn::Port, i64::try_from(dice.roll(60_000)).expect("small")),
    ];
    if dice.roll(50) == 0 {
        numbers.push((NumberColumn::BlockingInstance, 1));
        numbers.push((
            NumberColumn::BlockingSession,
            i64::try_from(1 + dice.roll(500)).expect("small"),
        ));
    }
    for (column, number) in numbers {
        sessions.set_number(row, column, number.into());
    }
}

/// The share of the variance that a straight line explains.
fn fit(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| {
        points.iter().map(|p| of(p.0 - mean_x, p.1 - mean_y)).sum::<f64>()
    };
    let (xy, xx, yy) = (sum(&|x, y| x * y), sum(&|x, _| x * x), sum(&|_, y| y * y));
    xy * xy / (xx * yy)
}

/// Resident memory of this process, from Linux; 0 elsewhere.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|it| it.split_whitespace().next()).and_then(|it| it.parse().ok()).unwrap_or(0)
}

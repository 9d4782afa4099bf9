//! How long `/` and `/metrics` take where there is much to show: `cargo bench --bench http`.
//!
//! A daemon of its own, as in production, over 100 captures of two instances and with 10 rules that are due every five
//! seconds. Each answer is fetched over loopback on a connection of its own, from connecting to the last byte. Fails
//! when one answer in a hundred takes longer than the bound, when a scrape changed anything, or when a tick was missed.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[expect(dead_code, reason = "other benches want more of it")]
mod shared;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use shared::get;

const DATABASES: usize = 100;
const RULES: usize = 10;
const INSTANCES: usize = 2;
const SESSIONS_EACH: usize = 100;
const TICK_SECONDS: u64 = 5;

/// What was promised for one answer.
const WITHIN: Duration = Duration::from_millis(20);

/// Answers of each kind.
const ANSWERS: usize = 1_000;

/// How long the daemon is left alone, to compare with.
const ALONE: Duration = Duration::from_secs(6 * TICK_SECONDS);

fn main() {
    let place = tempfile::tempdir().expect("a directory");
    configure(place.path());
    let (mut daemon, address) = start(place.path());
    let first = Instant::now();
    while count(&get(address, "/metrics"), "orawarden_ticks_total{") < DATABASES as u64 {
        assert!(first.elapsed() < Duration::from_mins(1), "no tick on every database");
    }
    let begin = get(address, "/metrics");
    // Nothing is asked meanwhile: that is what is measured.
    thread::park_timeout(ALONE);
    let alone = get(address, "/metrics");
    println!("path       bytes     median    p99       worst");
    let page = measure(address, "/");
    let metrics = measure(address, "/metrics");
    let pairs = same_until_a_tick(address);
    let end = get(address, "/metrics");
    println!(
        "\nticks on average: {} left alone, {} while asked",
        mean(&begin, &alone),
        mean(&alone, &end)
    );
    println!("pairs of scrapes with no tick between them, equal but for process_*: {pairs}");
    assert_eq!(count(&end, "orawarden_missed_ticks_total{"), 0, "ticks were missed");
    // It runs until it is told otherwise.
    daemon.kill().ok();
    daemon.wait().expect("it is our child");
    assert!(
        page <= WITHIN && metrics <= WITHIN,
        "an answer in a hundred took longer than {WITHIN:?}"
    );
}

fn configure(place: &Path) {
    let mut rows = "TAKEN_AT,INST_ID,SID,SERIAL#,USERNAME,STATUS,TYPE,PROGRAM,MACHINE,LOGON_TIME,LAST_CALL_ET,\
                    PNAME,ORACLE_MAINTAINED,QCSID\n"
        .to_owned();
    for at in 0..SESSIONS_EACH {
        let (instance, sid, idle) = (at % INSTANCES + 1, at + 100, at * 60);
        writeln!(
            rows,
            "2026-03-02 10:00:00,{instance},{sid},7,APP{},INACTIVE,USER,JDBC Thin Client,web{}.example.com,\
             2026-03-02 06:00:00,{idle},,N,",
            at % 7,
            at % 20
        )
        .expect("a string takes everything");
    }
    fs::write(place.join("c.csv"), rows).expect("it can be written");
    let mut policy = "version: 1\nrules:\n".to_owned();
    for rule in 0..RULES {
        let hold = if rule % 3 == 0 { "10m" } else { "0s" };
        writeln!(
            policy,
            "  - {{name: rule-{rule}, description: Sessions that are idle for too long, schedule: \
             '*/{TICK_SECONDS} * * * * *', match: {{idle_for: '> {}m'}}, for: {hold}, action: kill, \
             limits: {{percent: unlimited, per_tick: unlimited, per_hour: unlimited}}}}",
            90 - rule
        )
        .expect("a string takes everything");
    }
    fs::write(place.join("p.yaml"), policy).expect("it can be written");
    let mut config = "version: 1\npolicies: p.yaml\nhttp: {listen: '127.0.0.1:0'}\n\
                      audit: {file: a.jsonl}\ndatabases:\n"
        .to_owned();
    for database in 0..DATABASES {
        writeln!(config, "  - {{name: db-{database:03}, capture: c.csv}}")
            .expect("it takes everything");
    }
    fs::write(place.join("c.yaml"), config).expect("it can be written");
}

/// The daemon, and where it listens.
fn start(place: &Path) -> (Child, SocketAddr) {
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_orawarden"))
        .args(["run", "--config", "c.yaml"])
        .current_dir(place)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut lines = BufReader::new(daemon.stderr.take().expect("it is piped")).lines();
    let said = lines.by_ref().map_while(Result::ok).find(|line| line.contains("http listens"));
    let said = said.expect("it listens");
    let (_, address) = said.rsplit_once("address=").expect("it says where");
    let address = address.trim().parse().expect("an address");
    // A log that nobody reads would not stop it, but would be another thing than production.
    thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    (daemon, address)
}

/// Prints how long answers took; the time that one in a hundred exceeded.
fn measure(address: SocketAddr, path: &str) -> Duration {
    let mut bytes = 0;
    let mut times: Vec<Duration> = (0..ANSWERS)
        .map(|_| {
            let asked = Instant::now();
            bytes = get(address, path).len();
            asked.elapsed()
        })
        .collect();
    times.sort_unstable();
    let (median, p99, worst) = (times[ANSWERS / 2], times[ANSWERS * 99 / 100], times[ANSWERS - 1]);
    println!("{path:<10} {bytes:<9} {median:<9.1?} {p99:<9.1?} {worst:.1?}");
    p99
}

/// Scrapes again and again: where no tick came between two of them, nothing may differ. How many such pairs there were.
fn same_until_a_tick(address: SocketAddr) -> usize {
    let kept = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("process_"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut pairs = 0;
    let mut before = get(address, "/metrics");
    for _ in 0..ANSWERS {
        let after = get(address, "/metrics");
        if moments(&before) == moments(&after) {
            assert!(kept(&before) == kept(&after), "a scrape changed something");
            pairs += 1;
        }
        before = after;
    }
    assert!(pairs > 0, "there was a tick between any two scrapes");
    pairs
}

/// What changes when a tick begins, and when one ends.
fn moments(text: &str) -> Vec<&str> {
    let names = ["orawarden_next_due_timestamp_seconds{", "orawarden_ticks_total{"];
    let lines = text.lines().filter(|line| names.iter().any(|name| line.starts_with(name)));
    lines.collect()
}

fn ticks(text: &str) -> u64 {
    count(text, "orawarden_ticks_total{")
}

/// The sum over a family's samples.
fn count(text: &str, sample: &str) -> u64 {
    let lines = text.lines().filter(|line| line.starts_with(sample));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
}

/// How long ticks took on average between two scrapes.
fn mean(before: &str, after: &str) -> String {
    let seconds = |text: &str| -> f64 {
        let name = "orawarden_tick_duration_seconds_sum{";
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    };
    let done = ticks(after) - ticks(before);
    assert!(done > 0, "no tick came to its end");
    format!("{:.2} ms of {done}", 1_000.0 * (seconds(after) - seconds(before)) / done as f64)
}

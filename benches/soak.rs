//! A daemon that runs for hours while everything goes wrong: `cargo bench --bench soak`, or for how many minutes:
//! `cargo bench --bench soak -- 120`.
//!
//! Two databases of the scenario `storm`, one through each driver (both through `thin` where there is no Oracle Client),
//! and rules that end sessions every ten seconds. Once a minute something else fails: an instance, the network, a
//! reload, a log-on, the receiver of notifications. Every ten seconds the metrics and the page are asked for, as a
//! scraper and a reader would. Fails when a due time is neither a tick nor said to be missed, when the processes keep
//! file descriptors, or when memory grows faster than the bound. The simulated databases run in this process.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "../tests/suite/relay.rs"]
#[expect(dead_code, reason = "tests want more of it")]
mod relay;
#[path = "../tests/suite/rig.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "tests want more of it")]
mod rig;
mod shared;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use orawarden::observe::notify::Event;
use orawarden::oracle::protocol::DriverKind;
use rac_sim::cluster::fault::Fault;
use relay::Relay;
use rig::{Rig, client_libraries};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use shared::{children, get, pss};

/// Long enough to see each fault twice.
const MINUTES: u64 = 60;

/// How often rules are due, and metrics are asked for.
const EVERY_SECONDS: u64 = 10;

/// What is not counted as growth, of a run of some hours: pools, caches and allocators fill.
const WARM_UP: Duration = Duration::from_mins(15);

/// Growth that would fill a gigabyte within a month is a leak: 1.4 MB an hour.
const GROWTH_MAX_MB_PER_HOUR: f64 = 1.4;

/// Ten times what a daemon takes for its ticks and for those who ask it. A loop that turns without waiting takes 100.
const PROCESSOR_MAX_PERCENT: f64 = 20.0;

/// The line of the tick that was late, and that of the next one, which tells what was missed.
const TICKS_AFTER_REASON: u32 = 2;

/// How long the last ticks may take to come to their end.
const SETTLED_WITHIN: Duration = Duration::from_mins(5);

const SCENARIO: &str = "{seed: 7, speed: 1, databases: [{like: storm}]}";

const POLICY: &str = "\
version: 1
queries:
  slow: {sql: 'select inst_id, sid, serial# from gv$session where seconds_in_wait > 60', every: 60s}
protect:
  - {name: own, match: {username: SYSTEM}}
rules:
  - name: waiters
    schedule: '*/10 * * * * *'
    match: {wait_event: 'enq: TX - row lock contention', waiting_for: '> 30s'}
    action: kill
    mode: enforce
    breaker: off
    limits: {per_tick: 20, percent: unlimited, per_hour: unlimited, on_exceed: truncate}
  - name: blockers
    schedule: '*/10 * * * * *'
    match: {idle_for: '> 60s', in_transaction: true, blocked_sessions: '>= 1'}
    for: 20s
    action: {disconnect: immediate}
    mode: enforce
  - name: idle
    schedule: '*/10 * * * * *'
    match: {idle_for: '> 10m', program: {like: 'JDBC%'}}
    for: 30s
    victims: {group_by: [machine, username], order: -idle_for, keep: 5}
    action: kill
    mode: enforce
    breaker: {for: 2m}
    limits: {per_tick: 10, percent: unlimited, per_hour: unlimited, on_exceed: truncate}
  - name: asked
    schedule: '*/10 * * * * *'
    match: {in_query: slow, idle_for: '> 5m'}
    action: report
  - name: rehearsed
    schedule: '*/10 * * * * *'
    match: {idle_for: '> 5m'}
    mode: dry-run
    action: kill
";

/// What fails in a minute, in turn; seconds are those of the databases.
const TROUBLES: [&str; 15] = [
    "hidden instance",
    "cut network",
    "hung instance",
    "good reload",
    "no slaves",
    "silent network",
    "evicted instance",
    "bad reload",
    "refused log-ons",
    "broken connections",
    "failing calls",
    "slow instance",
    "no processes",
    "restarted instance",
    "pause",
];

fn main() {
    let minutes = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(MINUTES);
    let mut soak = Soak::start();
    println!("minute  trouble             memory MB  descriptors  processes");
    let begin = Instant::now();
    let mut sample: u64 = 0;
    while begin.elapsed() < Duration::from_mins(minutes) {
        let minute = begin.elapsed().as_secs() / 60;
        if sample.is_multiple_of(60 / EVERY_SECONDS) {
            soak.trouble(usize::try_from(minute).expect("few minutes"));
        }
        sample += 1;
        soak.sample(begin, minute);
        let next = Duration::from_secs(sample * EVERY_SECONDS);
        thread::park_timeout(next.saturating_sub(begin.elapsed()));
    }
    soak.end();
}

/// What a process and its children hold at one moment.
#[derive(Debug, Clone, Copy)]
struct Held {
    hours: f64,
    /// Megabytes of the daemon alone: connection processes come and go.
    own_mb: f64,
    all_mb: f64,
    own_files: usize,
    processes: usize,
}

struct Soak {
    rigs: [Rig; 2],
    relay: Relay,
    daemon: Child,
    address: SocketAddr,
    lines: Arc<Mutex<Lines>>,
    first_due: u64,
    held: Vec<Held>,
    /// Seconds of processor time so far.
    processor: f64,
    /// The trouble of this minute.
    trouble: &'static str,
}

/// What the log said.
#[derive(Default)]
struct Lines {
    by_event: BTreeMap<String, u64>,
    missed: u64,
    /// Due times that were missed though no tick was said to be late, nor a look to have failed.
    without_reason: u64,
    /// By database: how many ticks came to their end since that was said.
    late: BTreeMap<String, u32>,
}

impl Soak {
    fn start() -> Self {
        let other = if client_libraries().is_some() { DriverKind::Oci } else { DriverKind::Thin };
        let rigs = [Rig::with(DriverKind::Thin, SCENARIO), Rig::with(other, SCENARIO)];
        let relay = Relay::to(rigs[0].address());
        let database = |name: &str, driver: DriverKind, connect: String| {
            let mut database = json!({
                "name": name, "driver": driver.name(), "connect": connect, "username": "orawarden",
                "password": {"file": "password"}, "deadlines": {"snapshot": "20s", "connect": "10s"},
            });
            if let (DriverKind::Oci, Some(libraries)) = (driver, client_libraries()) {
                database["client_lib"] = json!(libraries);
            }
            database
        };
        let events = Event::ALL.map(Event::word);
        let config = json!({
            "version": 1,
            "policies": "p.yaml",
            "http": {"listen": "127.0.0.1:0"},
            "audit": {"file": "audit.jsonl"},
            "holds": {"file": "holds.json"},
            "log": {"format": "json"},
            "notify": [
                {"name": "program", "exec": ["/bin/cat"], "events": events, "dry_run": true},
                {"name": "nobody", "webhook": {"url": "http://127.0.0.1:9/"}, "events": events},
            ],
            "databases": [
                database("thin", DriverKind::Thin, format!("//{}/RACDB", relay.address())),
                database("other", other, rigs[1].connect("RACDB")),
            ],
        });
        let rig = &rigs[0];
        rig.write("c.yaml", &config.to_string());
        rig.write("p.yaml", POLICY);
        let (code, _, err) = rig.types(&["resume"]);
        assert_eq!(code, Some(0), "{err}");
        let mut command = rig.command(&["run"]);
        // As the service's unit does.
        command.env("MALLOC_ARENA_MAX", "2");
        let started = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut daemon = started.expect("it can be started");
        let (address, lines) = read_log(&mut daemon);
        let first_due = now() / EVERY_SECONDS + 1;
        let (held, trouble) = (Vec::new(), "");
        let processor = 0.0;
        Self { rigs, relay, daemon, address, lines, first_due, held, processor, trouble }
    }

    /// Lets something go wrong with both databases.
    fn trouble(&mut self, minute: usize) {
        let instance = u32::try_from(minute / TROUBLES.len() % 2).expect("0 or 1") + 1;
        self.trouble = TROUBLES[minute % TROUBLES.len()];
        self.relay.release();
        let fault = match self.trouble {
            "hidden instance" => Fault::Hide { instance, seconds: 30 },
            "hung instance" => Fault::Hang { instance, seconds: 40 },
            "no slaves" => Fault::NoSlaves { seconds: 30 },
            "evicted instance" => Fault::Evict { instance, seconds: 30 },
            "refused log-ons" => {
                self.inject(&Fault::LoseConnections { instance, share: 1.0 });
                Fault::LogOnError { instance, code: 1033, log_ons: 3 }
            }
            "broken connections" => Fault::LoseConnections { instance, share: 1.0 },
            "failing calls" => Fault::Error { instance, code: 600, calls: 5 },
            "slow instance" => Fault::Slow { instance, millis: 3_000, seconds: 40 },
            "no processes" => Fault::FillProcesses { instance, leaving: 0, seconds: 30 },
            "restarted instance" => Fault::ShutDown { instance, seconds: 20 },
            // In the middle of an answer, until the next minute, or for ever for what is connected now.
            "silent network" => return self.relay.hold_after(2_000),
            "cut network" => {
                self.relay.hold_after(0);
                return self.inject(&Fault::LoseConnections { instance, share: 1.0 });
            }
            "bad reload" => {
                self.policy("version: 1\nrules: [{name: idle, match: {idel: 1}}]\n");
                return self.signal(Signal::HUP);
            }
            "good reload" => {
                self.policy(POLICY);
                return self.signal(Signal::HUP);
            }
            "pause" => {
                let (code, _, err) =
                    self.rigs[0].types(&["pause", "--for", "30s", "--reason", "soak"]);
                assert_eq!(code, Some(0), "{err}");
                return;
            }
            other => unreachable!("{other} is not in the list"),
        };
        self.inject(&fault);
    }

    /// As an editor saves: whole, or not at all.
    fn policy(&self, text: &str) {
        self.rigs[0].write("p.new", text);
        fs::rename(self.rigs[0].path("p.new"), self.rigs[0].path("p.yaml"))
            .expect("same directory");
    }

    fn inject(&self, fault: &Fault) {
        for rig in &self.rigs {
            rig.database().lock().cluster.inject(fault);
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.daemon);
        kill_process(pid, signal).expect("it runs");
    }

    /// Asks as a scraper and a reader would, and notes what the processes hold.
    fn sample(&mut self, begin: Instant, minute: u64) {
        get(self.address, "/");
        get(self.address, "/healthz");
        let metrics = get(self.address, "/metrics");
        assert!(metrics.ends_with("# EOF\n"), "an answer was cut short");
        let own = self.daemon.id();
        self.processor = single(&metrics, "process_cpu_seconds_total ");
        let children = children(own);
        // A child may leave between the two looks.
        let all_mb = children.iter().filter_map(|child| pss(*child)).sum::<f64>();
        let own_mb = pss(own).expect("it runs");
        self.held.push(Held {
            hours: begin.elapsed().as_secs_f64() / 3_600.0,
            own_mb,
            all_mb: own_mb + all_mb,
            own_files: fs::read_dir(format!("/proc/{own}/fd")).expect("it runs").count(),
            processes: 1 + children.len(),
        });
        let held = self.held[self.held.len() - 1];
        if (self.held.len() as u64).is_multiple_of(60 / EVERY_SECONDS) {
            println!(
                "{minute:>6}  {:<18}  {:>4.1} {:>4.1}  {:>11}  {:>9}",
                self.trouble, held.own_mb, held.all_mb, held.own_files, held.processes
            );
        }
    }

    /// Waits until every due time is accounted for, ends the daemon and judges.
    fn end(mut self) {
        self.relay.release();
        self.inject(&Fault::Lift);
        let asked = Instant::now();
        let metrics = loop {
            let metrics = get(self.address, "/metrics");
            if self.unaccounted(&metrics).is_empty() {
                break metrics;
            }
            let late = self.unaccounted(&metrics);
            assert!(
                asked.elapsed() < SETTLED_WITHIN,
                "due times are neither ticks nor missed: {late:?}"
            );
            thread::park_timeout(Duration::from_millis(500));
        };
        self.signal(Signal::TERM);
        let left = self.daemon.wait().expect("it is our child");
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        println!("\nlog: {:?}", lines.by_event);
        for name in
            ["orawarden_ticks_total{", "orawarden_ends_total{", "orawarden_notifications_total{"]
        {
            metrics
                .lines()
                .filter(|line| line.starts_with(name))
                .for_each(|line| println!("{line}"));
        }
        println!(
            "due times that were missed: {}, without a reason: {}",
            lines.missed, lines.without_reason
        );
        let warm = |held: &&Held| held.hours * 3_600.0 >= WARM_UP.as_secs_f64();
        let held: Vec<Held> = self.held.iter().filter(warm).copied().collect();
        assert!(held.len() > 2, "too short to tell: it takes {WARM_UP:?} to warm up");
        let ran = self.held.last().map_or(0.0, |held| held.hours * 3_600.0);
        let share = 100.0 * self.processor / ran;
        println!("the daemon took {share:.2} % of a processor");
        let growth = slope(&held, |held| held.own_mb);
        let files = slope(&held, |held| held.own_files as f64);
        println!(
            "the daemon grew by {growth:.2} MB an hour, with its connection processes by {:.2}; its descriptors by \
             {files:.2} an hour",
            slope(&held, |held| held.all_mb)
        );
        assert!(left.success(), "{left}");
        assert_eq!(lines.without_reason, 0, "ticks were lost without a reason");
        assert!(share < PROCESSOR_MAX_PERCENT, "it is never idle");
        assert!(growth < GROWTH_MAX_MB_PER_HOUR, "memory grows");
        let most = |held: &[Held]| held.iter().map(|held| held.own_files).max();
        let (early, later) = held.split_at(held.len() / 2);
        assert!(most(later) <= most(early).map(|most| most + 2), "descriptors are kept");
    }

    /// By database and rule: due times less those that the metrics account for.
    fn unaccounted(&self, metrics: &str) -> Vec<(String, u64)> {
        let due = now() / EVERY_SECONDS + 1 - self.first_due;
        let missed = values(metrics, "orawarden_missed_ticks_total{");
        let ticks = values(metrics, "orawarden_ticks_total{");
        let mut left = Vec::new();
        for (labels, missed) in missed {
            let database = labels.split(',').next().expect("it has labels").to_owned();
            let of = |it: &&(String, u64)| it.0.split(',').next() == Some(database.as_str());
            let done: u64 = ticks.iter().filter(of).map(|(_, count)| count).sum();
            if done + missed != due {
                left.push((format!("{labels}: {done} ticks, {missed} missed"), due));
            }
        }
        left
    }
}

/// Reads the log on a thread: where the daemon listens, and what it says from then on.
fn read_log(daemon: &mut Child) -> (SocketAddr, Arc<Mutex<Lines>>) {
    let log = BufReader::new(daemon.stderr.take().expect("it is piped")).lines();
    let mut log = log.map_while(Result::ok).map(|line| {
        serde_json::from_str::<Value>(&line).unwrap_or_else(|_| panic!("not JSON: {line}"))
    });
    let said = log.by_ref().find(|line| line["address"].is_string()).expect("it listens");
    let address = said["address"].as_str().and_then(|it| it.parse().ok()).expect("an address");
    let lines = Arc::<Mutex<Lines>>::default();
    let kept = Arc::clone(&lines);
    thread::spawn(move || {
        for line in log {
            kept.lock().unwrap_or_else(PoisonError::into_inner).take(&line);
        }
    });
    (address, lines)
}

impl Lines {
    fn take(&mut self, line: &Value) {
        let event = line["event"].as_str().unwrap_or("none");
        *self.by_event.entry(event.to_owned()).or_default() += 1;
        let database = line["database"].as_str().unwrap_or_default().to_owned();
        match event {
            "overlap" | "could-not-look" => {
                self.late.insert(database, 0);
            }
            "missed" => {
                let missed = line["missed"].as_u64().unwrap_or_default();
                self.missed += missed;
                if self.late.get(&database).is_none_or(|ticks| *ticks > TICKS_AFTER_REASON) {
                    self.without_reason += missed;
                }
            }
            "tick" => {
                self.late.entry(database).and_modify(|ticks| *ticks += 1);
            }
            _ => {}
        }
    }
}

/// Megabytes an hour, or whatever else, by least squares.
fn slope(held: &[Held], of: impl Fn(&Held) -> f64) -> f64 {
    let count = held.len() as f64;
    let mean_hours = held.iter().map(|held| held.hours).sum::<f64>() / count;
    let mean = held.iter().map(&of).sum::<f64>() / count;
    let both = held.iter().map(|held| (held.hours - mean_hours) * (of(held) - mean)).sum::<f64>();
    both / held.iter().map(|held| (held.hours - mean_hours).powi(2)).sum::<f64>()
}

/// The value of the family that has only one sample.
fn single(metrics: &str, name: &str) -> f64 {
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.parse().ok());
    value.expect("the daemon tells of itself")
}

/// The labels of each sample of a family of counters, and its value.
fn values(metrics: &str, family: &str) -> Vec<(String, u64)> {
    let lines = metrics.lines().filter_map(|line| line.strip_prefix(family));
    let value = |line: &str| {
        let (labels, value) = line.rsplit_once("} ")?;
        Some((labels.to_owned(), value.parse().ok()?))
    };
    lines.filter_map(value).collect()
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970").as_secs()
}

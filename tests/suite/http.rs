//! What the daemon shows over HTTP, as a scraper, a probe and somebody who means no good see it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use orawarden::observe::http::CONNECTIONS_MAX;
use tempfile::TempDir;

use crate::daemon::{CAPTURE, POLICY, Running, until, write};

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

const ONE: &str = "databases: [{name: old, capture: c.csv}]";

const AWAY: &str = "databases: [{name: old, capture: c.csv}, {name: away, driver: thin,
    connect: '//127.0.0.1:1/NOWHERE', username: u, password: {file: p.yaml}}]";

struct Site {
    place: TempDir,
    daemon: Running,
    address: SocketAddr,
}

impl Site {
    fn start(databases: &str) -> Self {
        let place = tempfile::tempdir().expect("a directory");
        write(&place, "p.yaml", POLICY);
        write(&place, "c.csv", CAPTURE);
        let rest = "audit: {file: a.jsonl}\nhttp: {listen: '127.0.0.1:0'}";
        write(&place, "c.yaml", &format!("version: 1\npolicies: p.yaml\n{databases}\n{rest}\n"));
        let mut daemon = Running::start(&place, &["run", "--config", "c.yaml"]);
        let said = daemon.says("http listens");
        let (_, address) = said.rsplit_once("address=").expect("it says where");
        let address = address.trim().parse().expect("an address");
        Self { place, daemon, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("it has one");
        stream
    }

    /// Everything that is answered to this until the connection is closed.
    fn answer(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).expect("it is read");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers in text and closes");
        answer
    }

    fn get(&self, path: &str) -> String {
        self.answer(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    /// The value of a sample, as text.
    fn metric(&self, sample: &str) -> Option<String> {
        let text = self.get("/metrics");
        let line = text.lines().find(|line| line.starts_with(sample))?;
        line.rsplit_once(' ').map(|(_, value)| value.to_owned())
    }
}

#[test]
fn ticks_are_counted_and_dry_runs_apart() {
    let site = Site::start(ONE);
    let reported =
        r#"orawarden_dry_run_ends_total{database="old",rule="idle",outcome="reported",kind=""} "#;
    until("two ticks that report", || {
        site.metric(reported).is_some_and(|value| value.parse::<u64>().is_ok_and(|it| it >= 2))
    });
    let text = site.get("/metrics");
    assert!(
        text.contains("\r\ncontent-type: application/openmetrics-text; version=1.0.0"),
        "{text}"
    );
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!(!text.contains("orawarden_ends_total{"), "nobody was ended: {text}");
    for (sample, value) in [
        (r#"orawarden_database_up{database="old"} "#, "1.0"),
        (r#"orawarden_sessions{database="old",inst_id="1",type="user",status="inactive"} "#, "1.0"),
        (r#"orawarden_matching_sessions{database="old",rule="idle"} "#, "1.0"),
        (r#"orawarden_loads_total{result="succeeded"} "#, "1"),
    ] {
        assert_eq!(site.metric(sample).as_deref(), Some(value), "{sample}");
    }
}

#[test]
fn readiness_is_about_databases_and_health_is_not() {
    let mut site = Site::start(ONE);
    until("the database is reached", || site.get("/readyz").starts_with("HTTP/1.1 200 "));
    assert!(site.get("/readyz").ends_with("watching\nold: reached\n"));
    let configured =
        std::fs::read_to_string(site.place.path().join("c.yaml")).expect("it is there");
    write(&site.place, "c.yaml", &configured.replace(ONE, AWAY));
    site.daemon.signal("HUP");
    site.daemon.says("reloaded");
    until("the other is not", || site.get("/readyz").contains("away: not reached"));
    assert!(site.get("/readyz").starts_with("HTTP/1.1 503 "));
    assert!(site.get("/healthz").starts_with("HTTP/1.1 200 "));
    write(&site.place, "p.yaml", "rules: nonsense");
    site.daemon.signal("HUP");
    site.daemon.says("not reloaded");
    until("it says so", || site.metric("orawarden_last_load_failed ").as_deref() == Some("1.0"));
}

#[test]
fn it_is_read_only_and_for_this_machine() {
    let site = Site::start(ONE);
    for (request, status) in [
        ("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n", "405"),
        ("DELETE / HTTP/1.1\r\nHost: localhost\r\n", "405"),
        ("GET /nothing HTTP/1.1\r\nHost: localhost\r\n", "404"),
        ("GET /metrics HTTP/1.1\r\nHost: evil.example.com:9469\r\n", "421"),
        ("GET /metrics HTTP/1.1\r\nHost: \u{e9}vil.example.com\r\n", "421"),
        ("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9469\r\n", "200"),
        ("GET /metrics HTTP/1.1\r\nHost: [::1]\r\n", "200"),
        ("GET /metrics HTTP/1.1\r\nHost: LocalHost:1\r\n", "200"),
        ("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n", "200"),
        ("nonsense\r\n", "400"),
    ] {
        let answer = site.answer(&format!("{request}Connection: close\r\n\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
        assert!(!request.starts_with("HEAD") || answer.ends_with("\r\n\r\n"), "{answer}");
    }
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let mut stream = site.connect();
    // It may hang up before it has read all of this.
    stream.write_all(long.as_bytes()).ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431 "));
}

/// More connections than are served at once, all of which say half a word and wait: they are let go, and whoever asks
/// in earnest is answered.
#[test]
fn clients_that_send_nothing_keep_nobody_out() {
    let mut site = Site::start(ONE);
    let mut idlers: Vec<TcpStream> = (0..CONNECTIONS_MAX + 50).map(|_| site.connect()).collect();
    for idler in &mut idlers {
        idler.write_all(b"GET /hea").expect("it is taken");
    }
    let asked = Instant::now();
    assert!(site.get("/healthz").starts_with("HTTP/1.1 200 "));
    assert!(asked.elapsed() < PATIENCE);
    site.daemon.says(" tick ");
}

#[test]
fn an_address_that_somebody_has_is_said_at_the_start() {
    let site = Site::start(ONE);
    let taken = format!("http: {{listen: '{}'}}", site.address);
    write(&site.place, "d.yaml", &format!("version: 1\npolicies: p.yaml\n{ONE}\n{taken}\n"));
    let (code, said) = Running::start(&site.place, &["run", "--config", "d.yaml"]).ends();
    assert_eq!(code, Some(69), "{said}");
    assert!(said.contains("http.listen 127.0.0.1:") && said.contains("in use"), "{said}");
}

//! Hooks: who is told of what, and what a receiver that fails, hangs or means no good can do to the daemon.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::{CAPTURE, POLICY, Running, command, until, write};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A daemon over a capture with these hooks. The session's user and the rule's owner mean no good.
fn start(place: &TempDir, policy: &str, hooks: &str) -> Running {
    start_with(place, policy, hooks, &[])
}

fn start_with(place: &TempDir, policy: &str, hooks: &str, variables: &[(&str, String)]) -> Running {
    write(place, "p.yaml", policy);
    write(place, "c.csv", &CAPTURE.replace(",APP,", ",<@here|x>,"));
    write(place, "secret", "tok-4711\n");
    let rest = "databases: [{name: old, capture: c.csv}]\naudit: {file: a.jsonl}";
    write(place, "c.yaml", &format!("version: 1\npolicies: p.yaml\n{rest}\nnotify:\n{hooks}\n"));
    let mut command = command(place.path(), &["run", "--config", "c.yaml"]);
    command.envs(variables.iter().map(|(name, value)| (name, value))).stderr(Stdio::piped());
    let mut daemon = Running::of(command.spawn().expect("it can be started"));
    daemon.says("watching");
    daemon
}

fn dry_run() -> String {
    POLICY.replace("action: report", "action: kill\n    owner: dba@example.com")
}

fn script(place: &TempDir, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = place.path().join("hook");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("it can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    path.display().to_string()
}

/// Takes requests and answers them with these statuses, the last one again and again.
fn receiver(statuses: &'static [u16]) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = listener.local_addr().expect("it has one");
    let (told, requests) = channel();
    thread::spawn(move || {
        for at in 0.. {
            let (mut stream, _) = listener.accept().expect("it listens");
            stream.set_read_timeout(Some(PATIENCE)).expect("it has one");
            let mut request = Vec::new();
            let mut buffer = [0; 4_096];
            while !is_whole(&request) {
                let length = stream.read(&mut buffer).expect("it is sent");
                assert!(length > 0, "it is sent whole");
                request.extend(&buffer[..length]);
            }
            let status = statuses[at.min(statuses.len() - 1)];
            let answer = format!(
                "HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).expect("it is read");
            if told.send(String::from_utf8(request).expect("it is text")).is_err() {
                return;
            }
        }
    });
    (address, requests)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.parse::<usize>().ok()).is_some_and(|it| body.len() >= it)
}

fn body(request: &str) -> Value {
    let (_, body) = request.split_once("\r\n\r\n").expect("it has a body");
    serde_json::from_str(body).expect("it is JSON")
}

#[test]
fn a_program_gets_json_and_nothing_else_of_the_daemons() {
    let place = tempfile::tempdir().expect("a directory");
    let out = place.path().join("out");
    let program =
        script(&place, &format!("{{ cat; echo; env; echo \"$2\"; }} >>{}", out.display()));
    let hook = format!(
        "  - {{name: h, exec: [{program}, --queue, 'a b; reboot'], events: ended, dry_run: true}}"
    );
    let mut daemon = start(&place, &dry_run(), &hook);
    daemon.says("told hook=\"h\"");
    let said = fs::read_to_string(&out).expect("it wrote");
    let (first, rest) = said.split_once('\n').expect("a line");
    let message: Value = serde_json::from_str(first).expect("it is JSON");
    assert_eq!(message["event"], "ended");
    assert_eq!(message["dry_run"], true);
    assert_eq!(message["owner"], "dba@example.com");
    assert_eq!(message["summary"], "old: idle: would end 1 session (dry run)");
    assert_eq!(message["sessions"][0]["sid"], 101);
    assert_eq!(message["sessions"][0]["username"], "<@here|x>");
    assert_eq!(message["sessions"][0]["reasons"][0]["field"], "idle_for");
    assert!(rest.ends_with("a b; reboot\n"), "no shell: {rest}");
    let allowed = ["PATH=", "PWD=", "SHLVL=", "_=", "OLDPWD="];
    let environment = rest.lines().filter(|line| line.contains('='));
    let others: Vec<&str> =
        environment.filter(|line| !allowed.iter().any(|name| line.starts_with(name))).collect();
    assert!(others.is_empty(), "{others:?}");
    // The same session is would-be ended at every tick, and told once.
    for _ in 0..3 {
        daemon.says(" tick ");
    }
    assert_eq!(fs::read_to_string(&out).expect("it is there").matches("\"event\"").count(), 1);
}

#[test]
fn the_text_of_statements_leaves_the_daemon_nowhere() {
    let place = tempfile::tempdir().expect("a directory");
    let (address, requests) = receiver(&[200]);
    let rule = "{sql_text: {like: 'select%'}, sql_text_normalized: {like: 'select%'}}";
    write(&place, "p.yaml", &dry_run().replace("{idle_for: '> 30m'}", rule));
    let capture = CAPTURE.replace("QCSID", "QCSID,SQL_TEXT").replace("INACTIVE", "ACTIVE");
    write(&place, "c.csv", &capture.replace(",N,\n", ",N,,select 'hunter2' from dual\n"));
    let hook = |format| {
        format!(
            "  - {{name: {format}, webhook: {{url: 'http://{address}/', format: {format}}}, events: ended, \
             dry_run: true}}\n"
        )
    };
    let rest =
        "policies: p.yaml\ndatabases: [{name: old, capture: c.csv}]\naudit: {file: a.jsonl}\n";
    let hooks = ["json", "slack", "teams"].map(hook).concat();
    let http = "http: {listen: '127.0.0.1:0'}";
    write(&place, "c.yaml", &format!("version: 1\n{rest}{http}\nnotify:\n{hooks}"));
    let mut daemon = Running::start(&place, &["run", "--config", "c.yaml"]);
    let said = daemon.says("http listens");
    let (_, page) = said.rsplit_once("address=").expect("it says where");
    let mut told: Vec<String> =
        (0..3).map(|_| requests.recv_timeout(PATIENCE).expect("each is told")).collect();
    told.push(daemon.says("would end"));
    let mut stream = TcpStream::connect(page.trim()).expect("it listens");
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("it is read");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("it answers");
    told.push(page);
    told.push(fs::read_to_string(place.path().join("a.jsonl")).expect("it is there"));
    for text in told {
        assert!(text.contains("(withheld)") && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_rehearsal_is_told_only_to_who_asks() {
    let place = tempfile::tempdir().expect("a directory");
    let out = place.path().join("out");
    let program = script(&place, &format!("cat >>{}", out.display()));
    let hook = format!("  - {{name: h, exec: [{program}], events: [ended, pending, trouble]}}");
    let mut daemon = start(&place, &dry_run(), &hook);
    for _ in 0..3 {
        daemon.says(" tick ");
    }
    daemon.signal("TERM");
    assert_eq!(daemon.ends().0, Some(0));
    assert!(!out.exists(), "nobody was ended, so there is nothing to tell");
}

#[test]
fn a_webhook_is_tried_again_and_what_it_gets_mentions_nobody() {
    let place = tempfile::tempdir().expect("a directory");
    let (address, requests) = receiver(&[503, 200]);
    let hook = format!(
        "  - {{name: slack, webhook: {{url: 'http://{address}/x', format: slack, token: {{file: secret}}}}, \
         events: reported}}"
    );
    let mut daemon = start(&place, POLICY, &hook);
    for _ in 0..2 {
        let request = requests.recv_timeout(PATIENCE).expect("it is told");
        assert!(request.starts_with("POST /x HTTP/1.1\r\n"), "{request}");
        assert!(
            request.to_ascii_lowercase().contains("authorization: bearer tok-4711\r\n"),
            "{request}"
        );
        let text = body(&request)["text"].as_str().expect("a text").to_owned();
        assert!(text.starts_with("*old: idle: reports 1 session*"), "{text}");
        assert!(text.contains("&lt;@here|x&gt;") && !text.contains("<@"), "{text}");
    }
    let said = daemon.says_all_until("told hook=\"slack\"");
    assert!(!said.contains("tok-4711") && !said.contains(&address.to_string()), "{said}");
}

#[test]
fn webhooks_go_through_the_proxy_of_the_environment_but_for_hosts_that_need_none() {
    let place = tempfile::tempdir().expect("a directory");
    let proxy = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let (address, requests) = receiver(&[200]);
    let hooks = format!(
        "  - {{name: far, webhook: {{url: 'https://hooks.example.com/x', token: {{file: secret}}}}, events: reported}}\n  \
         - {{name: near, webhook: {{url: 'http://{address}/near'}}, events: reported}}"
    );
    let at_proxy = format!("http://{}", proxy.local_addr().expect("it has one"));
    let variables = [("HTTPS_PROXY", at_proxy), ("NO_PROXY", "localhost,127.0.0.1".to_owned())];
    let mut daemon = start_with(&place, POLICY, &hooks, &variables);
    let (stream, _) = proxy.accept().expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("it has one");
    let lines = BufReader::new(&stream).lines().map(|line| line.expect("it is asked"));
    let asked: String =
        lines.take_while(|line| !line.is_empty()).map(|line| line + "\r\n").collect();
    assert!(asked.starts_with("CONNECT hooks.example.com:443 HTTP/1.1\r\n"), "{asked}");
    assert!(!asked.contains("tok-4711"), "only the receiver gets it: {asked}");
    let near = requests.recv_timeout(PATIENCE).expect("it is told");
    assert!(near.starts_with("POST /near HTTP/1.1\r\n"), "{near}");
    daemon.says("told hook=\"near\"");
}

#[test]
fn a_card_is_a_card_and_a_refusal_or_a_redirect_is_final() {
    for status in [[403_u16], [302]] {
        let place = tempfile::tempdir().expect("a directory");
        let (address, requests) = receiver(if status == [403] { &[403] } else { &[302] });
        let hook = format!(
            "  - {{name: t, webhook: {{url: 'http://{address}/', format: teams}}, events: [reported]}}"
        );
        let mut daemon = start(&place, POLICY, &hook);
        let request = requests.recv_timeout(PATIENCE).expect("it is told");
        let content = &body(&request)["attachments"][0]["content"];
        assert_eq!(content["type"], "AdaptiveCard");
        let runs = content["body"].as_array().expect("a body");
        assert!(runs.iter().all(|run| run["type"] == "RichTextBlock"), "{content}");
        let why = daemon.says("could not tell hook=\"t\"");
        assert!(why.contains(&format!("the receiver answered {}", status[0])), "{why}");
    }
}

#[test]
fn a_receiver_that_hangs_holds_up_nothing_but_itself() {
    let place = tempfile::tempdir().expect("a directory");
    let silent = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = silent.local_addr().expect("it has one");
    let program = script(&place, "sleep 600 & wait");
    let hooks = format!(
        "  - {{name: silent, webhook: {{url: 'http://{address}/'}}, events: reported, deadline: 60s}}\n  \
         - {{name: slow, exec: [{program}], events: reported, deadline: 60s}}"
    );
    let mut daemon = start(&place, POLICY, &hooks);
    for _ in 0..3 {
        daemon.says(" tick ");
    }
    daemon.signal("TERM");
    let (code, said) = daemon.ends();
    assert_eq!(code, Some(0));
    assert!(said.contains("left before everything was told hook=\"silent\""), "{said}");
}

#[test]
fn a_program_that_is_not_done_in_time_is_ended_with_all_it_started() {
    let place = tempfile::tempdir().expect("a directory");
    let id = place.path().join("id");
    let program = script(&place, &format!("sleep 600 & echo $! >{}; wait", id.display()));
    let hook = format!("  - {{name: h, exec: [{program}], events: reported, deadline: 1s}}");
    let _daemon = start(&place, POLICY, &hook);
    let mut child = String::new();
    until("it has a child", || {
        child = fs::read_to_string(&id).unwrap_or_default().trim().to_owned();
        !child.is_empty()
    });
    let stat = format!("/proc/{child}/stat");
    // An orphan that is dead may wait for whoever collects it.
    until("the child is gone", || {
        fs::read_to_string(&stat).is_ok_and(|it| it.contains(") Z "))
            || !fs::exists(&stat).unwrap_or(true)
    });
}

#[test]
fn a_failed_reload_and_a_database_that_is_away_are_told_once() {
    let place = tempfile::tempdir().expect("a directory");
    let (address, requests) = receiver(&[200]);
    let hook = format!(
        "  - {{name: h, webhook: {{url: 'http://{address}/'}}, events: [not-reloaded, unreachable]}}\n\
         http: {{listen: '127.0.0.1:0'}}"
    );
    let mut daemon = start(&place, POLICY, &hook);
    write(&place, "p.yaml", "rules: nonsense");
    daemon.signal("HUP");
    let message = body(&requests.recv_timeout(PATIENCE).expect("it is told"));
    assert_eq!(message["event"], "not-reloaded");
    let detail = message["detail"].as_str().expect("it says why");
    assert!(detail.starts_with("error[") && detail.contains("p.yaml:1:"), "{detail}");
    assert_eq!(detail.lines().count(), 1, "nothing of the file is quoted: {detail}");
    write(&place, "p.yaml", POLICY);
    let away = "databases: [{name: away, driver: thin, connect: '//127.0.0.1:1/X', username: u, password: {file: secret}}]";
    let configured = fs::read_to_string(place.path().join("c.yaml")).expect("it is there");
    write(&place, "c.yaml", &configured.replace("databases: [{name: old, capture: c.csv}]", away));
    daemon.signal("HUP");
    let message = body(&requests.recv_timeout(PATIENCE).expect("it is told"));
    assert_eq!((&message["event"], &message["database"]), (&"unreachable".into(), &"away".into()));
    for _ in 0..2 {
        daemon.says("could not look");
    }
    assert!(requests.try_recv().is_err(), "it is no news that it stays away");
}

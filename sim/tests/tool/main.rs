//! The program itself: its ready line, its signals, its end.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rac-sim"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

/// The address of the ready line.
fn ready(child: &mut Child) -> String {
    let mut line = String::new();
    let said = child.stdout.take().expect("it is piped");
    BufReader::new(said).read_line(&mut line).expect("a line");
    line.strip_prefix("rac-sim ready on ").expect("the ready line").trim_end().to_owned()
}

/// Where `tests/clients/fetch` puts a client; `None` if it was not run.
fn fetched(client: &str) -> Option<PathBuf> {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    let there = cache.join("rac-sim").join(client);
    if there.join("ready").exists() {
        return Some(there);
    }
    writeln!(std::io::stderr(), "SKIPPED: no {client} client; run sim/tests/clients/fetch")
        .expect("somebody reads");
    None
}

/// The clients that can be told which certificate to trust.
fn over_tls(certificate: &Path) -> Vec<Command> {
    let program = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name);
    let python = fetched("python").map(|place| {
        let mut command = Command::new(place.join("bin/python"));
        command.arg(program("tcps.py")).env("RAC_SIM_CERTIFICATE", certificate);
        command
    });
    let node = fetched("node").map(|place| {
        let mut command = Command::new("node");
        command.arg(program("tcps.js")).env("NODE_PATH", place.join("node_modules"));
        command.env("NODE_EXTRA_CA_CERTS", certificate);
        command
    });
    python.into_iter().chain(node).collect()
}

#[test]
fn with_a_certificate_it_speaks_tcps() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("it can be written");
        path
    };
    let certificate = file("certificate.pem", made.cert.pem());
    let key = file("key.pem", made.signing_key.serialize_pem());
    let path = |path: &Path| path.to_str().expect("it is text").to_owned();
    let (shown, hidden) = (path(&certificate), path(&key));
    let mut child =
        start(&["--scenario", "quiet", "--port", "0", "--certificate", &shown, "--key", &hidden]);
    let address = ready(&mut child);
    let (_, port) = address.rsplit_once(':').expect("a port");
    for mut client in over_tls(&certificate) {
        let done = client.env("RAC_SIM_PORT", port).output().expect("it runs");
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(
            said.contains("all checks passed"),
            "{said} {}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
    signal(&child, "-TERM");
    assert!(child.wait().expect("it ends").success());
}

/// Sends a signal, as a shell does.
fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

#[test]
fn it_is_ready_tells_its_status_and_stops_cleanly() {
    for stop in ["-TERM", "-INT"] {
        let mut child = start(&[
            "--scenario",
            "quiet",
            "--port",
            "0",
            "--instances",
            "3",
            "--seed",
            "5",
            "--speed",
            "2",
        ]);
        let address = ready(&mut child);
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        drop(TcpStream::connect(&address).expect("it listens"));
        signal(&child, "-USR1");
        let mut errors = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut status = String::new();
        for _ in 0..4 {
            errors.read_line(&mut status).expect("a line");
        }
        assert!(status.contains("RACDB RACDB3 on "), "{status}");
        signal(&child, stop);
        assert!(child.wait().expect("it ends").success());
        let mut rest = String::new();
        errors.read_to_string(&mut rest).expect("it is text");
        assert_eq!(rest, "");
    }
}

#[test]
fn what_cannot_be_played_is_said() {
    let file = std::env::temp_dir().join(format!("rac-sim-tool-{}.yaml", std::process::id()));
    fs::write(&file, "databases: [{nme: X}]").expect("it can be written");
    let path = file.to_str().expect("it is text");
    for (arguments, part) in [
        (&["--scenario", path][..], "unknown field `nme`"),
        (&["--scenario", "/no/such/file"], "/no/such/file: No such file"),
        (&["--instances", "0"], "--instances"),
        (&["--certificate", path], "--key"),
    ] {
        let done = start(arguments).wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && text.contains(part), "{arguments:?}: {text}");
    }
    fs::remove_file(&file).expect("it is there");
}

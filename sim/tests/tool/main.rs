//! The program itself: its ready line, its signals, its end.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rac-sim"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
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
        let mut ready = String::new();
        BufReader::new(child.stdout.take().expect("it is piped"))
            .read_line(&mut ready)
            .expect("a line");
        let address = ready.strip_prefix("rac-sim ready on ").expect("the ready line").trim_end();
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        drop(TcpStream::connect(address).expect("it listens"));
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
        (&["--scenario", "/no/such/file"], "No such file"),
        (&["--instances", "0"], "--instances"),
        (&["--certificate", path], "--key"),
    ] {
        let done = start(arguments).wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && text.contains(part), "{arguments:?}: {text}");
    }
    fs::remove_file(&file).expect("it is there");
}

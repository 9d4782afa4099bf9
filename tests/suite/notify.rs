//! What the daemon tells a service manager, over the socket that systemd would listen at.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::daemon::{CAPTURE, Guarded, POLICY, ended, signal};

/// How long one notice may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

const CONFIG: &str = "version: 1
policies: p.yaml
databases: [{name: old, capture: c.csv}, {name: away, driver: thin, connect: '//127.0.0.1:1/NOWHERE', username: u,
    password: {file: p.yaml}}]
audit: {file: a.jsonl}
";

struct Service {
    place: TempDir,
    socket: UnixDatagram,
    daemon: Guarded,
}

impl Service {
    fn start() -> Self {
        let place = tempfile::tempdir().expect("a directory");
        for (name, text) in [("p.yaml", POLICY), ("c.csv", CAPTURE), ("c.yaml", CONFIG)] {
            std::fs::write(place.path().join(name), text).expect("it can be written");
        }
        let at = place.path().join("notify");
        let socket = UnixDatagram::bind(&at).expect("it can be made");
        socket.set_read_timeout(Some(PATIENCE)).expect("it has one");
        let mut daemon = Command::new(env!("CARGO_BIN_EXE_orawarden"));
        daemon.args(["run", "--config", "c.yaml"]).current_dir(place.path());
        daemon.env("NOTIFY_SOCKET", &at).env("WATCHDOG_USEC", "200000");
        daemon.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let daemon = Guarded(daemon.spawn().expect("it can be started"));
        Self { place, socket, daemon }
    }

    /// Reads notices until one has this in it; answers all of them.
    fn says(&self, wanted: &str) -> String {
        let mut said = String::new();
        let mut buffer = [0; 4_096];
        while !said.contains(wanted) {
            let length = self.socket.recv(&mut buffer);
            let length = length.unwrap_or_else(|_| panic!("it never said `{wanted}`, but: {said}"));
            said.push_str(&String::from_utf8_lossy(&buffer[..length]));
            said.push('\n');
        }
        said
    }

    fn tell(&self, name: &str) {
        signal(name, self.daemon.0.id());
    }
}

#[test]
fn readiness_reloads_status_and_the_end_are_told() {
    let mut service = Service::start();
    let before = service.says("READY=1");
    assert!(before.contains("STATUS=loading") || before.contains("STATUS=watching"), "{before}");
    let status = if before.contains("not reached: away") { before } else { service.says("away") };
    assert!(status.contains("1 rule on 2 databases; none enforces; not reached: away"), "{status}");

    service.tell("HUP");
    let said = service.says("READY=1");
    assert!(said.contains("RELOADING=1\nMONOTONIC_USEC="), "{said}");
    std::fs::write(service.place.path().join("p.yaml"), "rules: nonsense").expect("it is written");
    service.tell("HUP");
    let said = service.says("READY=1");
    assert!(said.contains("RELOADING=1"), "{said}");
    let status = if said.contains("last reload") { said } else { service.says("last reload") };
    assert!(status.contains("the last reload failed, what was in force stays"), "{status}");
    service.says("WATCHDOG=1");

    service.tell("TERM");
    service.says("STOPPING=1");
    assert_eq!(ended(&mut service.daemon.0).code(), Some(0));
}

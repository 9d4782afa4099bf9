//! Real clients, each in a process of its own: one that fails must not take the tests with it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use rac_sim::conversation::{Database, Release};
use rac_sim::wire::{self, Handle, Options};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::fake::Fake;

#[path = "../clients/rust_thin.rs"]
mod rust_thin;

/// Where a client finds the server, as it is told in its environment.
const PORT: &str = "RAC_SIM_PORT";
const RELEASE: &str = "RAC_SIM_RELEASE";

/// A server on a port of its own.
pub(crate) struct Server {
    runtime: Runtime,
    pub(crate) handle: Handle,
    pub(crate) fake: Arc<Fake>,
}

impl Server {
    pub(crate) fn start(release: Release, options: Options) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let fake = Fake::new(release);
        let database: Arc<dyn Database> = Arc::<Fake>::clone(&fake);
        let handle = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            wire::listen(listener, vec![database], options).expect("a listener")
        });
        Self { runtime, handle, fake }
    }

    /// Stops it and says whether anything was left of its clients.
    pub(crate) fn stop(self) {
        let Self { runtime, handle, fake } = self;
        runtime.block_on(handle.stop());
        assert_eq!(fake.sessions(), 0, "every session ended with its connection");
    }

    fn environment(&self, command: &mut Command, release: Release) {
        command.env(PORT, self.handle.address().port().to_string());
        command.env(RELEASE, format!("{release:?}"));
    }
}

/// Runs a client's program against a release and demands that all of its checks pass.
fn passes(mut command: Command, release: Release) {
    let server = Server::start(release, Options::default());
    server.environment(&mut command, release);
    let Output { status, stdout, stderr } = command.output().expect("the client runs");
    let said = String::from_utf8_lossy(&stdout);
    let failed = String::from_utf8_lossy(&stderr);
    assert!(
        status.success() && said.contains("all checks passed"),
        "{release:?}: {said}\n{failed}"
    );
    server.stop();
}

/// This very program, to run but one of its tests.
fn this_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("its own path"));
    command.args(["--exact", name, "--nocapture"]);
    command
}

/// The body of the Rust thin client; without a server to go to there is nothing for it to do.
#[test]
fn rust_thin_child() {
    if let (Ok(port), Ok(release)) = (std::env::var(PORT), std::env::var(RELEASE)) {
        rust_thin::run(&port, &release);
    }
}

#[test]
fn rust_thin_on_each_release() {
    for release in ALL {
        passes(this_test("clients::rust_thin_child"), release);
    }
}

/// Where `tests/clients/fetch` puts the clients that are no crates.
fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("rac-sim")
}

/// True if a client was fetched. A machine without it says so and does not fail.
fn fetched(client: &str) -> bool {
    let there = cache().join(client).join("ready").exists();
    if !there {
        let advice = "run sim/tests/clients/fetch to have it tried";
        writeln!(std::io::stderr(), "SKIPPED: no {client} client; {advice}")
            .expect("somebody reads");
    }
    there
}

/// The path of a client's program.
fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

const ALL: [Release; 4] = [Release::R19, Release::R23, Release::R12_1, Release::R12_2];

#[test]
fn python_thin_on_each_release() {
    for release in ALL.into_iter().filter(|_| fetched("python")) {
        let mut command = Command::new(cache().join("python/bin/python"));
        command.arg(program("python_thin.py"));
        passes(command, release);
    }
}

#[test]
fn node_thin_on_each_release() {
    for release in ALL.into_iter().filter(|_| fetched("node")) {
        let mut command = Command::new("node");
        command.env("NODE_PATH", cache().join("node/node_modules")).env("TZ", "UTC");
        command.arg(program("node_thin.js"));
        passes(command, release);
    }
}

/// The thick client is a crate of its own, built here into the cache. `None` if this machine cannot build it.
fn thick() -> Option<PathBuf> {
    let target = cache().join("thick/target");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").arg("--manifest-path").arg(program("thick/Cargo.toml"));
    cargo.arg("--target-dir").arg(&target).env_remove("RUSTFLAGS");
    let built = cargo.output().is_ok_and(|output| output.status.success());
    if !built {
        writeln!(std::io::stderr(), "SKIPPED: the thick client does not build here")
            .expect("somebody reads");
    }
    built.then(|| target.join("debug/rust_thick"))
}

#[test]
fn rust_thick_on_each_release() {
    let Some(program) = Some("thick").filter(|client| fetched(client)).and_then(|_| thick()) else {
        return;
    };
    for release in [Release::R11_2].into_iter().chain(ALL) {
        let mut command = Command::new(&program);
        command.env("LD_LIBRARY_PATH", cache().join("thick/lib")).env("NLS_LANG", ".AL32UTF8");
        passes(command, release);
    }
}

//! Real clients, each in a process of its own: one that fails must not take the tests with it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use rac_sim::conversation::{Database, Release};
use rac_sim::wire::{self, Handle, Options, Tls};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::fake::Fake;

#[path = "../clients/rust_thin.rs"]
mod rust_thin;

/// Where a client finds the server, as it is told in its environment.
pub(crate) const PORT: &str = "RAC_SIM_PORT";
const RELEASE: &str = "RAC_SIM_RELEASE";
/// How many connections it is to hold, if it is to do nothing else.
const HOLD: &str = "RAC_SIM_HOLD";
/// That it is to have a call time out, and to do nothing else.
pub(crate) const BREAK: &str = "RAC_SIM_BREAK";
/// The directory of the certificate that it is to trust.
const TRUSTED: &str = "RAC_SIM_TRUSTED";

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
fn passes(command: Command, release: Release) {
    passes_with(command, release, Options::default());
}

fn passes_with(mut command: Command, release: Release, options: Options) {
    let server = Server::start(release, options);
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
pub(crate) fn this_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("its own path"));
    command.args(["--exact", name, "--nocapture"]);
    command
}

/// The body of the Rust thin client; without a server to go to there is nothing for it to do.
#[test]
fn rust_thin_child() {
    let told = |name: &str| std::env::var(name).ok();
    let Some(port) = told(PORT) else { return };
    if let Some(count) = told(HOLD) {
        rust_thin::hold(&port, count.parse().expect("a number"));
    } else if told(BREAK).is_some() {
        rust_thin::break_off(&port);
    } else if let Some(trusted) = told(TRUSTED) {
        // This process has two providers, the driver's and the server's, and no preference.
        drop(tokio_rustls::rustls::crypto::ring::default_provider().install_default());
        rust_thin::over_tls(&port, &trusted);
    } else {
        rust_thin::run(&port, &told(RELEASE).expect("a release"));
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

/// The thick client is a crate of its own, built here. Not into the cache, where the program of another checkout would
/// take its place. `None` if this machine cannot build it.
fn thick() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("thick");
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

/// A certificate for localhost, in a directory as the drivers want it.
fn certificate() -> (Tls, tempfile::TempDir) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("ewallet.pem"), &chain).expect("a file");
    (Tls::from_pem(&chain, &key).expect("a usable certificate"), directory)
}

#[test]
fn thin_clients_log_in_over_tls() {
    let (tls, trusted) = certificate();
    let with_trust = |mut command: Command| {
        command.env(TRUSTED, trusted.path());
        command
    };
    let mut clients = vec![this_test("clients::rust_thin_child")];
    if fetched("python") {
        let mut command = Command::new(cache().join("python/bin/python"));
        command.arg(program("python_thin.py"));
        clients.push(command);
    }
    if fetched("node") {
        let mut command = Command::new("node");
        command.env("NODE_PATH", cache().join("node/node_modules")).env("TZ", "UTC");
        command.env("NODE_EXTRA_CA_CERTS", trusted.path().join("ewallet.pem"));
        command.arg(program("node_thin.js"));
        clients.push(command);
    }
    for client in clients {
        let options = Options { tls: Some(tls.clone()), ..Options::default() };
        passes_with(with_trust(client), Release::R19, options);
    }
}

/// What this process has in memory, in megabytes.
fn resident_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a size");
    let kilobytes: u64 =
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kilobytes / 1_024
}

#[test]
fn five_hundred_connections_fit_into_little_memory() {
    const CONNECTIONS: usize = 500;
    const MEGABYTES_MAX: u64 = 300;
    let server = Server::start(Release::R19, Options::default());
    let before = resident_megabytes();
    let mut command = this_test("clients::rust_thin_child");
    server.environment(&mut command, Release::R19);
    command.env(HOLD, CONNECTIONS.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut client = command.spawn().expect("the client runs");
    let said = BufReader::new(client.stdout.take().expect("piped")).lines();
    // Read no further, but not closed either before the client has ended.
    let mut said = said.map_while(Result::ok);
    let open = said.any(|line| line.contains("all connections are open"));
    assert!(
        open && server.handle.connections() == CONNECTIONS && server.fake.sessions() == CONNECTIONS
    );
    let after = resident_megabytes();
    writeln!(std::io::stderr(), "{CONNECTIONS} connections: {before} MB before, {after} MB with")
        .expect("heard");
    assert!(after < MEGABYTES_MAX, "{before} MB before, {after} MB with");
    drop(client.stdin.take());
    assert!(client.wait().expect("an end").success());
    server.stop();
}

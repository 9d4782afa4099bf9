//! A simulated database that a test starts, and a configuration that reaches it over the wire through either driver.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use orawarden::oracle::connection::{Settings, Topology};
use orawarden::oracle::host::Program;
use orawarden::oracle::protocol::DriverKind;
use orawarden::oracle::secret::SecretPlace;
use rac_sim::scenario::Scenario;
use rac_sim::server::{Options, Server};
use serde_json::{Value, json};

/// 4,000 sessions of an online system, at the pace of life.
pub(crate) const OLTP: &str = "{seed: 3, speed: 1, databases: [{like: oltp}]}";

/// Makes tests of functions that take a driver: each once with `thin` and once with `oci`, where Oracle Client libraries
/// are.
macro_rules! with_both_drivers {
    ($($name:ident),+ $(,)?) => {
        mod thin {
            $(#[test]
            fn $name() {
                super::$name(orawarden::oracle::protocol::DriverKind::Thin);
            })+
        }
        mod oci {
            $(#[test]
            fn $name() {
                if crate::rig::client_libraries().is_some() {
                    super::$name(orawarden::oracle::protocol::DriverKind::Oci);
                }
            })+
        }
    };
}
pub(crate) use with_both_drivers;

/// Where `sim/tests/clients/fetch` puts a real Oracle Client. A machine without it says so and does not fail.
pub(crate) fn client_libraries() -> Option<PathBuf> {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    let libraries = cache.join("rac-sim/thick/lib");
    let there = libraries.join("libclntsh.so").exists();
    if !there {
        let advice = "run sim/tests/clients/fetch to have the driver oci tried";
        writeln!(std::io::stderr(), "SKIPPED: no Oracle Client; {advice}").expect("somebody reads");
    }
    there.then_some(libraries)
}

/// Each line as a JSON value.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

/// A simulated database, and how to reach it.
pub(crate) struct Rig {
    driver: DriverKind,
    runtime: tokio::runtime::Runtime,
    server: Option<Server>,
    folder: tempfile::TempDir,
}

impl Rig {
    /// Starts it, to be reached through the thin driver.
    pub(crate) fn start(scenario: &str) -> Self {
        Self::with(DriverKind::Thin, scenario)
    }

    /// Starts it, to be reached through this driver.
    pub(crate) fn with(driver: DriverKind, scenario: &str) -> Self {
        let scenario: Scenario = serde_yaml::from_str(scenario).expect("a scenario");
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
        let server =
            runtime.block_on(Server::start(&scenario, Options::default())).expect("it starts");
        let folder = tempfile::tempdir().expect("a directory");
        let rig = Self { driver, runtime, server: Some(server), folder };
        rig.write("password", "orawarden\n");
        rig.configure("orawarden", "{}");
        rig
    }

    /// The database itself.
    pub(crate) fn database(&self) -> rac_sim::database::SimDatabase {
        let server = self.server.as_ref().expect("it runs");
        server.database("RACDB").expect("it is there")
    }

    /// Writes `c.yaml`: the database, as this account, with these keys besides.
    pub(crate) fn configure(&self, account: &str, besides: &str) {
        let mut database = json!({
            "name": "prod",
            "driver": self.driver.name(),
            "connect": self.connect("RACDB"),
            "username": account,
            "password": {"file": "password"},
            "leadership": false,
        });
        if let Some(libraries) = self.libraries() {
            database["client_lib"] = json!(libraries);
        }
        let besides: Value = serde_yaml::from_str(besides).expect("it is YAML");
        database
            .as_object_mut()
            .expect("it is a map")
            .extend(besides.as_object().cloned().unwrap_or_default());
        let config = json!({
            "version": 1,
            "policies": "p.yaml",
            "databases": [database],
            "audit": {"file": "audit.jsonl"},
            "holds": {"file": "holds.json"},
        });
        self.write("c.yaml", &config.to_string());
        self.write("p.yaml", "version: 1\nrules: []\n");
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.as_ref().expect("it runs").address()
    }

    /// Where the database is.
    pub(crate) fn connect(&self, service: &str) -> String {
        format!("//{}/{service}", self.address())
    }

    /// The directory of Oracle Client libraries, for the driver that needs it.
    fn libraries(&self) -> Option<PathBuf> {
        (self.driver == DriverKind::Oci).then(client_libraries).flatten()
    }

    /// A file in the directory of the configuration.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("it can be written");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("it is there")
    }

    /// A command with the configuration, typed where nobody can be asked.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.command_with("c.yaml", words)
    }

    /// The same with another configuration.
    pub(crate) fn command_with(&self, config: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orawarden"));
        command.args(words).args(["--config", config]).current_dir(self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    /// The exit code, what is on standard output, and what is beside it.
    pub(crate) fn types(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let output = self.command(words).output().expect("it can be started");
        let text = |bytes| String::from_utf8(bytes).expect("it is text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// The JSON lines on standard output, of a command that ends well.
    pub(crate) fn lines(&self, words: &[&str]) -> Vec<Value> {
        let (code, out, err) = self.types(&[words, &["--format", "json"]].concat());
        assert_eq!(code, Some(0), "{words:?}: {out}{err}");
        json_lines(&out)
    }

    /// How the adapter reaches it.
    pub(crate) fn settings(&self, service: &str) -> Arc<Settings> {
        Arc::new(Settings {
            name: "prod".to_owned(),
            driver: self.driver,
            connect: self.connect(service),
            username: Some("orawarden".to_owned()),
            secret: SecretPlace::File(self.path("password")),
            config_dir: None,
            wallet: None,
            topology: Topology::Gv,
            connect_within: Duration::from_secs(30),
            snapshot_within: Duration::from_secs(30),
            kill_within: Duration::from_secs(90),
            program: Program::at(env!("CARGO_BIN_EXE_orawarden")).with_libraries(self.libraries()),
        })
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
    }
}

//! Databases, a listener and a clock that runs, put together.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use rac_sim::scenario::Scenario;
//! use rac_sim::server::{Options, Server};
//!
//! let server = Server::start(&Scenario::default(), Options::default()).await?;
//! println!("{}", server.address());
//! let database = server.database("RACDB").expect("the default scenario has it");
//! database.lock().cluster.advance(1_000_000);
//! server.stop().await;
//! # Ok(())
//! # }
//! ```

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::cluster::Micros;
use crate::cluster::instance::InstanceState;
use crate::conversation::Database;
use crate::database::SimDatabase;
use crate::scenario::{Scenario, ScenarioError, check_speed};
use crate::wire;

/// How a server is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The port on 127.0.0.1; 0 picks one.
    pub port: u16,
    /// How many instances each database has, whatever the scenario says.
    pub instances: Option<u32>,
    /// Where chance begins, whatever the scenario says.
    pub seed: Option<u64>,
    /// How fast time goes, whatever the scenario says.
    pub speed: Option<f64>,
    /// How the listener behaves.
    pub wire: wire::Options,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The scenario cannot be played.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The port cannot be had.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
}

/// Databases at work.
#[derive(Debug)]
pub struct Server {
    databases: Vec<SimDatabase>,
    listener: wire::Handle,
    stop: watch::Sender<bool>,
    clock: JoinHandle<()>,
}

impl Server {
    /// Starts the databases of a scenario, their clock and a listener, in the Tokio runtime that it is called in.
    pub async fn start(scenario: &Scenario, options: Options) -> Result<Self, StartError> {
        let mut scenario = scenario.clone();
        scenario.seed = options.seed.unwrap_or(scenario.seed);
        if let Some(count) = options.instances {
            for database in &mut scenario.databases {
                database.instances = Some(count);
            }
        }
        if let Some(speed) = options.speed {
            check_speed("--speed", speed)?;
            scenario.speed = speed;
        }
        let databases = scenario.build()?;
        let failed = |source| StartError::Listen { port: options.port, source };
        let socket =
            TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await.map_err(failed)?;
        let seen = databases.iter().map(|one| Arc::new(one.clone()) as Arc<dyn Database>).collect();
        let listener = wire::listen(socket, seen, options.wire).map_err(failed)?;
        let (stop, stopped) = watch::channel(false);
        let clock = tokio::spawn(run_clock(databases.clone(), scenario.speed, stopped));
        Ok(Self { databases, listener, stop, clock })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// A database by its DB_NAME, to look at and to change from within the process.
    pub fn database(&self, name: &str) -> Option<SimDatabase> {
        self.databases.iter().find(|one| one.name().eq_ignore_ascii_case(name)).cloned()
    }

    /// All databases.
    pub fn databases(&self) -> &[SimDatabase] {
        &self.databases
    }

    /// What runs, a line per database and instance, for people.
    pub fn status(&self) -> String {
        let mut text =
            format!("rac-sim on {}: {} connections\n", self.address(), self.listener.connections());
        for database in &self.databases {
            let state = database.lock();
            let spec = state.cluster.spec();
            for instance in state.cluster.instances() {
                let shown = match instance.state {
                    InstanceState::Open => "open",
                    InstanceState::Stopping => "stopping",
                    InstanceState::Starting => "starting",
                    InstanceState::Down => "down",
                };
                let active = instance.sessions().filter(|one| one.call.is_some()).count();
                let line = format!(
                    "{} {} on {}: {shown}, {} sessions, {active} in a call, {} transactions\n",
                    spec.name,
                    instance.name,
                    instance.host,
                    instance.sessions().count(),
                    instance.transactions().count(),
                );
                text.push_str(&line);
            }
        }
        text
    }

    /// Closes the port and every connection, and stops the clock.
    pub async fn stop(self) {
        self.listener.stop().await;
        self.stop.send_replace(true);
        // A clock that panicked has stopped as well.
        drop(self.clock.await);
    }
}

/// How often the models' time is moved on: a fraction of what a person notices, and no load.
const TICK: Duration = Duration::from_millis(25);

/// The most real time that one round makes up for. A model that cannot keep up goes slower; without a bound each round
/// would take longer than the one before, and with it every client's next look at its database.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);

/// How much of a model's time goes by in so much real time, as many steps of at most one tick each: clients have their
/// turn between any two.
fn steps(passed: Duration, speed: f64) -> impl Iterator<Item = Micros> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a second at the highest speed is far below 2^63"
    )]
    let micros = |passed: Duration| (passed.as_secs_f64() * 1e6 * speed) as Micros;
    let (all, most) = (micros(passed.min(CATCH_UP_MAX)), micros(TICK).max(1));
    (0..all.max(1))
        .step_by(usize::try_from(most).unwrap_or(usize::MAX))
        .map(move |done| most.min(all - done))
}

/// Moves the models' time with the real one. With speed 0 time stands, but waiting calls are looked at all the same.
async fn run_clock(databases: Vec<SimDatabase>, speed: f64, mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            now = ticks.tick() => {
                let passed = now.saturating_duration_since(last);
                last = now;
                for database in &databases {
                    for micros in steps(passed, speed) {
                        database.advance(micros);
                        // The databases share the runtime with their clients.
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_in_small_steps_and_a_late_round_does_not_make_up_for_all() {
        let of = |millis: u64, speed: f64| {
            steps(Duration::from_millis(millis), speed).collect::<Vec<_>>()
        };
        assert_eq!(of(25, 1.0), [25_000]);
        assert_eq!(of(60, 1.0), [25_000, 25_000, 10_000]);
        // Whoever waits is looked at all the same.
        assert_eq!(of(25, 0.0), [0]);
        for late in [1_000, 3_600_000] {
            let fast = of(late, 100_000.0);
            assert_eq!((fast.len(), fast.iter().sum::<Micros>()), (40, 100_000 * 1_000_000));
        }
    }
}

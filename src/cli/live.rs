//! Live databases as the configuration names them: what the adapter needs to know of each, and one look at it.

use std::hash::{Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

use rustc_hash::FxHasher;

use super::exit::CliError;
use crate::config::service::{self, Database, DatabaseSource, Driver, KillVia, Password};
use crate::daemon::target::TargetSpec;
use crate::engine::needs::Needs;
use crate::engine::session::Snapshot;
use crate::oracle::block::Via;
use crate::oracle::connection::{Account, Settings, Topology};
use crate::oracle::error::CallError;
use crate::oracle::host::{Program, hide};
use crate::oracle::killer::{OracleKiller, Way};
use crate::oracle::protocol::DriverKind;
use crate::oracle::secret::SecretPlace;
use crate::oracle::source::{OracleSource, is_closed};

/// A live database: how it is reached, and how its sessions are ended.
#[derive(Debug, Clone)]
pub(super) struct Live {
    /// How it is reached.
    pub(super) settings: Arc<Settings>,
    /// How sessions are ended.
    pub(super) way: Way,
}

impl Live {
    /// A database of the configuration; `None` for a capture. Paths are relative to the configuration's file.
    pub(super) fn of(database: &Database, config: &Path) -> Option<Self> {
        let DatabaseSource::Live(connection) = &database.source else { return None };
        let beside = config.parent().unwrap_or(Path::new("."));
        let path = |path: &Option<String>| {
            path.as_ref().map(|path| beside.join(path).to_string_lossy().into_owned())
        };
        hide(connection.secret_variables.iter().map(Into::into));
        let settings = Settings {
            name: database.name.clone(),
            driver: match connection.driver {
                Driver::Oci => DriverKind::Oci,
                Driver::Thin => DriverKind::Thin,
            },
            connect: connection.connect.clone(),
            username: connection.username.clone(),
            secret: secret(&connection.password, beside),
            config_dir: path(&connection.config_dir),
            wallet: path(&connection.wallet),
            topology: match connection.topology {
                service::Topology::Gv => Topology::Gv,
                service::Topology::PerInstance => Topology::PerInstance,
            },
            connect_within: connection.deadlines.connect.to_duration(),
            snapshot_within: connection.deadlines.snapshot.to_duration(),
            kill_within: connection.deadlines.kill.to_duration(),
            program: Program::default().with_libraries(path(&connection.client_lib)),
        };
        let way = Way {
            via: match &connection.kill_via {
                KillVia::AlterSystem => Via::AlterSystem,
                KillVia::Wrapper(procedure) => Via::Wrapper(procedure.clone()),
                KillVia::Rds => Via::Rds,
                KillVia::Autonomous => Via::Autonomous,
            },
            leadership: connection.leadership,
            width: connection.concurrency as usize,
            disconnect_names_instance: connection.disconnect_at_instance,
        };
        Some(Self { settings: Arc::new(settings), way })
    }

    /// What the daemon works with. It does not reach for the database yet.
    pub(super) fn target(&self, database: &Database) -> TargetSpec {
        let account = Account::default();
        let source = OracleSource::new(Arc::clone(&self.settings), account.clone());
        let killer = OracleKiller::new(Arc::clone(&self.settings), account, self.way.clone());
        let mut hasher = FxHasher::default();
        self.settings.hash(&mut hasher);
        self.way.hash(&mut hasher);
        TargetSpec {
            name: database.name.clone(),
            fingerprint: hasher.finish(),
            limits: database.limits,
            source: Box::new(source),
            killer: Some(Box::new(killer)),
        }
    }

    /// What a person looks and ends with. A deliberate act does not ask who leads.
    pub(super) fn by_hand(&self) -> (OracleSource, OracleKiller) {
        let account = Account::default();
        let way = Way { leadership: false, ..self.way.clone() };
        let source = OracleSource::new(Arc::clone(&self.settings), account.clone());
        (source, OracleKiller::new(Arc::clone(&self.settings), account, way))
    }

    /// One look.
    pub(super) fn look(&self, needs: &Needs) -> Result<Snapshot, CliError> {
        let mut source = OracleSource::new(Arc::clone(&self.settings), Account::default());
        source.look(needs).map_err(|error| self.failed(&error))
    }

    /// What an error of this database means for whoever typed the command.
    pub(super) fn failed(&self, error: &CallError) -> CliError {
        let text = format!("database {}: {error}", self.settings.name);
        if is_closed(error) { CliError::Forbidden(text) } else { CliError::Unavailable(text) }
    }
}

/// Where a secret is, for whoever reads it.
pub(super) fn secret(place: &Password, beside: &Path) -> SecretPlace {
    match place {
        Password::Credential(name) => SecretPlace::Credential(name.clone()),
        Password::File(path) => SecretPlace::File(beside.join(path)),
        Password::Env(name) => SecretPlace::Variable(name.clone()),
        Password::Wallet => SecretPlace::Wallet,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Live;
    use crate::config::diagnostic::SourceFile;
    use crate::config::service::decode;

    /// Of the target that each database is worked with.
    fn fingerprints(variables: [&str; 2]) -> Vec<u64> {
        let [one, other] = variables.map(|it| format!("username: U, password: {{env: {it}}}"));
        let text = format!(
            "version: 1\npolicies: p.yaml\ndatabases:\n  - {{name: one, connect: //h/s, {one}}}\n  \
             - {{name: other, connect: //h/t, {other}}}\n"
        );
        let (service, found) = decode(&SourceFile { name: "c.yaml".to_owned(), text });
        let service = service.unwrap_or_else(|| panic!("{found:?}"));
        let of = |database| Live::of(database, Path::new("c.yaml")).expect("it is live");
        service.databases.iter().map(|it| of(it).target(it).fingerprint).collect()
    }

    #[test]
    fn a_password_that_moves_makes_its_own_database_anew_and_no_other() {
        let (before, after) = (fingerprints(["A", "B"]), fingerprints(["A", "C"]));
        assert_eq!(before[0], after[0]);
        assert_ne!(before[1], after[1]);
    }
}

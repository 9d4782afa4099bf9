//! ALTER SESSION SET and ALTER SYSTEM SET.

use super::session::Act;
use crate::catalog::account::ContainerData;
use crate::conversation::Release;
use crate::ora::OraError;
use crate::sql::datetime::Zone;
use crate::sql::statement::Setting;

/// Session parameters that change nothing in this model, and that clients set when they log on.
const HARMLESS: [&str; 13] = [
    "COMMIT_LOGGING",
    "COMMIT_WAIT",
    "CURSOR_SHARING",
    "DDL_LOCK_TIMEOUT",
    "EDITION",
    "OPTIMIZER_MODE",
    "PARALLEL_FORCE_LOCAL",
    "PLSQL_CODE_TYPE",
    "PLSQL_DEBUG",
    "PLSQL_OPTIMIZE_LEVEL",
    "SQL_TRACE",
    "STATISTICS_LEVEL",
    "TIMED_STATISTICS",
];

/// Hidden parameters of the families that applications do set; any other is taken for one that does not exist.
fn hidden(name: &str) -> bool {
    const FAMILIES: [&str; 7] = [
        "_EXCLUDE_SEED_CDB_VIEW",
        "_OPTIM",
        "_FIX_CONTROL",
        "_ORACLE_SCRIPT",
        "_SERIAL_DIRECT_READ",
        "_PARALLEL",
        "_PX",
    ];
    FAMILIES.iter().any(|family| name.starts_with(family))
}

fn bad_option() -> OraError {
    OraError::new(2248, "invalid option for ALTER SESSION")
}

impl Act<'_> {
    /// ALTER SESSION SET of one parameter.
    pub(super) fn set_session(&mut self, name: &str, value: &str) -> Result<(), OraError> {
        match name {
            "CURRENT_SCHEMA" => self.set_schema(value),
            "CONTAINER" => self.set_container(value),
            "TIME_ZONE" => {
                self.session.zone = match value.to_uppercase().as_str() {
                    "LOCAL" | "DBTIMEZONE" => Zone::Offset(0),
                    _ => Zone::read(value)?,
                };
                Ok(())
            }
            _ if self.session.viewer.nls.contains_key(name) => {
                super::nls::set(&mut self.session.viewer.nls, name, value)
            }
            "ISOLATION_LEVEL" if value.eq_ignore_ascii_case("READ COMMITTED") => Ok(()),
            "ISOLATION_LEVEL" if value.eq_ignore_ascii_case("SERIALIZABLE") => {
                Err(OraError::new(3001, "unimplemented feature: SERIALIZABLE"))
            }
            _ if HARMLESS.contains(&name) || hidden(name) => Ok(()),
            _ => match self.state.books.parameters.get(name) {
                Some(parameter) if parameter.session => Ok(()),
                Some(_) => Err(OraError::new(
                    2096,
                    "specified initialization parameter is not modifiable with this option",
                )),
                None => Err(bad_option()),
            },
        }
    }

    fn set_schema(&mut self, schema: &str) -> Result<(), OraError> {
        if self.state.books.accounts.get(schema).is_none() {
            return Err(OraError::new(1435, "user does not exist"));
        }
        schema.clone_into(&mut self.session.viewer.schema);
        self.state.cluster.set_schema(self.session.key, schema);
        Ok(())
    }

    /// SET CONTAINER, for common accounts with the right to it.
    fn set_container(&mut self, name: &str) -> Result<(), OraError> {
        if self.state.cluster.release() < Release::R12_1 {
            return Err(bad_option());
        }
        let containers = self.state.cluster.containers();
        if self.state.cluster.spec().containers.is_empty() {
            let text = "operation only allowed in a container database";
            return Err(OraError::new(65090, text));
        }
        let found =
            containers.iter().find(|one| one.con_id > 0 && one.name.eq_ignore_ascii_case(name));
        let con_id = found.map(|one| one.con_id).ok_or_else(|| {
            OraError::new(65011, format!("Pluggable database {name} does not exist."))
        })?;
        let account = self.state.books.accounts.get(&self.session.login);
        let common = account.filter(|one| one.container.is_none());
        let own_data = common.map(|one| one.container_data);
        if common.is_none() || self.need("SET CONTAINER").is_err() {
            return Err(OraError::new(1031, "insufficient privileges"));
        }
        if self.state.cluster.in_transaction(self.session.key) {
            return Err(OraError::new(65023, "active transaction exists in container"));
        }
        let own_data = own_data.unwrap_or(ContainerData::Root);
        self.session.viewer.con_id = con_id;
        self.session.viewer.container_data =
            if con_id > 1 { ContainerData::Root } else { own_data };
        let services = &self.state.books.services;
        let service = services.iter().find(|one| one.con_id == con_id).map(|one| one.name.clone());
        let service = service.unwrap_or_else(|| name.to_ascii_uppercase());
        self.state.cluster.set_container(self.session.key, con_id, &service);
        Ok(())
    }

    /// ALTER SYSTEM SET. With SCOPE = SPFILE nothing changes before a restart, which is what V$PARAMETER shows.
    pub(super) fn set_system(
        &mut self,
        settings: &[Setting],
        scope: Option<&str>,
        sid: Option<&str>,
    ) -> Result<(), OraError> {
        let named = |wanted: &str| {
            let mut all = self.state.cluster.instances();
            all.find(|one| one.name.eq_ignore_ascii_case(wanted)).map(|one| one.id)
        };
        let instance = match sid {
            None | Some("*") => None,
            Some(wanted) => Some(
                named(wanted)
                    .ok_or_else(|| OraError::new(32010, "cannot find entry to delete in SPFILE"))?,
            ),
        };
        let at_once = !scope.is_some_and(|scope| scope.eq_ignore_ascii_case("SPFILE"));
        for setting in settings {
            let since = match setting.name.to_ascii_uppercase().as_str() {
                "MAX_IDLE_TIME" => Release::R12_2,
                "MAX_IDLE_BLOCKER_TIME" => Release::R19,
                _ => Release::R11_2,
            };
            if self.state.cluster.release() < since {
                return Err(OraError::new(2065, "illegal option for ALTER SYSTEM"));
            }
            let hidden = setting.name.starts_with('_');
            if hidden && self.state.books.parameters.get(&setting.name).is_none() {
                self.state.books.parameters.add(&setting.name, 2, "", true);
            }
            let parameter = self
                .state
                .books
                .parameters
                .get_mut(&setting.name)
                .ok_or_else(|| OraError::new(2065, "illegal option for ALTER SYSTEM"))?;
            if at_once && !parameter.system {
                return Err(OraError::new(
                    2095,
                    "specified initialization parameter cannot be modified",
                ));
            }
            check_value(parameter.kind, &setting.name, &setting.value)?;
            if at_once {
                let minutes = || setting.value.parse::<u32>().ok();
                match setting.name.to_ascii_uppercase().as_str() {
                    "MAX_IDLE_TIME" => self.state.cluster.set_idle_limits(minutes(), None),
                    "MAX_IDLE_BLOCKER_TIME" => self.state.cluster.set_idle_limits(None, minutes()),
                    _ => {}
                }
                parameter.changed = true;
                if let Some(id) = instance {
                    parameter.own.insert(id, setting.value.clone());
                } else {
                    parameter.own.clear();
                    parameter.value.clone_from(&setting.value);
                }
            }
        }
        Ok(())
    }
}

/// A value has to be of the parameter's type.
fn check_value(kind: u8, name: &str, value: &str) -> Result<(), OraError> {
    let good = match kind {
        1 => matches!(value.to_ascii_uppercase().as_str(), "TRUE" | "FALSE"),
        3 => {
            value.bytes().all(|byte| byte.is_ascii_digit() || b"KMG".contains(&byte))
                && !value.is_empty()
        }
        _ => true,
    };
    if good {
        Ok(())
    } else {
        Err(OraError::new(
            2017,
            format!("integer or Boolean value required for {}", name.to_ascii_lowercase()),
        ))
    }
}

//! Oracle Client libraries, through the crate `oracle` (ODPI-C). They are looked for at run time; without them logging
//! in says what to do.

use std::sync::Once;

use oracle::sql_type::{OracleType, ToSql};
use oracle::{Connection, Connector, Error, ErrorKind, InitParams};

use super::datum::{Bind, Datum, Gather, Kind, Rows, round_trips};
use super::error::DriverError;
use super::protocol::{Login, Release};

/// A session over Oracle Client libraries.
pub(super) struct OciLink(Connection);

/// Rows that are copied out of the client's own buffer at a time. The client sets aside the widest possible row for
/// each, so this is small; round trips depend on the prefetch alone.
const COPIED_AT_ONCE: u32 = 200;

/// Statements that are kept parsed: a connection runs a handful.
const STATEMENTS: u32 = 20;

/// Texts are bound with this length, unless they are longer: a length that changes from one execution to the next makes
/// the client declare all binds anew, and the server keep another cursor.
const TEXT_BYTES: u32 = 4_000;
const TEXT: OracleType = OracleType::Varchar2(TEXT_BYTES);

/// Cannot locate an Oracle Client library.
const NO_CLIENT: i32 = 1_047;

/// Connection was closed by ORA-….
const CLOSED: i32 = 1_080;

/// The client is older than what ODPI-C can work with.
const OLD_CLIENT: i32 = 1_050;

impl OciLink {
    pub(super) fn connect(login: &Login) -> Result<Self, DriverError> {
        let run = || -> Result<Connection, Error> {
            initialise(login)?;
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let mut connector =
                Connector::new(text(&login.username), text(&login.password), login.connect.clone());
            connector.stmt_cache_size(STATEMENTS);
            if login.password.is_none() {
                connector.external_auth(true);
            }
            let connection = connector.connect()?;
            connection.set_module(&login.module)?;
            connection.set_client_info(&login.client_info)?;
            Ok(connection)
        };
        run().map(Self).map_err(|error| failed(&error))
    }

    pub(super) fn release(&self) -> Result<Release, DriverError> {
        let (version, _) = self.0.server_version().map_err(|error| failed(&error))?;
        let number = |part: i32| u32::try_from(part).unwrap_or(0);
        Ok(Release::new(number(version.major()), number(version.minor())))
    }

    pub(super) fn query(
        &self,
        sql: &str,
        binds: &[Datum],
        kinds: &[Kind],
        prefetch: u32,
    ) -> Result<Rows, DriverError> {
        let run = || -> Result<Rows, Error> {
            let values: Vec<Box<dyn ToSql + '_>> = binds.iter().map(value).collect();
            let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
            let mut statement = self.0.statement(sql);
            statement.prefetch_rows(prefetch).fetch_array_size(COPIED_AT_ONCE.min(prefetch.max(1)));
            let mut statement = statement.build()?;
            let mut gather = Gather::new(kinds.len());
            let mut count = 0;
            for row in statement.query(&values)? {
                let row = row?;
                for (place, kind) in kinds.iter().enumerate() {
                    match kind {
                        Kind::Number => gather.number(row.get::<_, Option<i64>>(place)?),
                        Kind::Text => gather.text(row.get::<_, Option<String>>(place)?),
                    }
                }
                count += 1;
            }
            Ok(gather.finish(round_trips(count, prefetch)))
        };
        run().map_err(|error| failed(&error))
    }

    pub(super) fn call(&self, sql: &str, binds: &[Bind]) -> Result<Vec<Datum>, DriverError> {
        let run = || -> Result<Vec<Datum>, Error> {
            let values: Vec<Box<dyn ToSql + '_>> = binds.iter().map(bind).collect();
            let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
            let mut statement = self.0.statement(sql).build()?;
            statement.execute(&values)?;
            let mut outs = Vec::new();
            for (place, bind) in binds.iter().enumerate() {
                match bind {
                    Bind::In(_) => {}
                    Bind::OutNumber => {
                        outs.push(Datum::number(statement.bind_value(place + 1)?));
                    }
                    Bind::OutText(_) => {
                        let text: Option<String> = statement.bind_value(place + 1)?;
                        outs.push(text.map_or(Datum::Null, Datum::Text));
                    }
                }
            }
            Ok(outs)
        };
        run().map_err(|error| failed(&error))
    }

    pub(super) fn tag(&self, action: &str) -> Result<(), DriverError> {
        self.0.set_action(action).map_err(|error| failed(&error))
    }
}

/// Loads the client once. A connection process logs in once, so there is no second configuration to mind.
fn initialise(login: &Login) -> Result<(), Error> {
    static ONCE: Once = Once::new();
    let mut result = Ok(());
    ONCE.call_once(|| {
        result = load_client(login);
    });
    result
}

fn load_client(login: &Login) -> Result<(), Error> {
    let mut params = InitParams::new();
    params.default_driver_name("orawarden")?;
    if let Some(dir) = &login.config_dir {
        params.oracle_client_config_dir(dir.as_str())?;
    }
    params.init().map(drop)
}

fn bind(bind: &Bind) -> Box<dyn ToSql + '_> {
    match bind {
        Bind::In(datum) => value(datum),
        Bind::OutNumber => Box::new(OracleType::Int64),
        Bind::OutText(size) => Box::new(OracleType::Varchar2(*size)),
    }
}

fn value(datum: &Datum) -> Box<dyn ToSql + '_> {
    match datum {
        Datum::Null => Box::new(TEXT),
        Datum::Number(number) => Box::new(*number),
        Datum::Text(text) if text.len() <= TEXT_BYTES as usize => Box::new((text, &TEXT)),
        Datum::Text(text) => Box::new(text.clone()),
    }
}

fn failed(error: &Error) -> DriverError {
    if matches!(error.dpi_code(), Some(NO_CLIENT | OLD_CLIENT)) {
        return DriverError {
            code: None,
            text: format!(
                "Oracle Client libraries cannot be used here ({error}); install Oracle Instant Client and name its \
                 directory with `client_lib`, or say `driver: thin`, which needs none"
            ),
            lost: true,
        };
    }
    let code = error
        .db_error()
        .and_then(|error| u32::try_from(error.code()).ok())
        .filter(|code| *code > 0);
    // ODPI-C's own errors are about the client and the connection; the others are about statements and values.
    let lost = error.kind() == ErrorKind::DpiError;
    let text = error.to_string();
    if error.dpi_code() != Some(CLOSED) {
        return DriverError { code, text, lost };
    }
    // Behind its own line ODPI-C copies the server's without looking for its end, and with it whatever stands behind
    // that in memory.
    let text = text.lines().next().unwrap_or_default().to_owned();
    DriverError { code: code.or_else(|| number_in(&text)), text, lost }
}

/// The number of the error that closed a connection, which ODPI-C keeps in its text only.
fn number_in(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("ORA-")?;
    let end = rest.find(|it: char| !it.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

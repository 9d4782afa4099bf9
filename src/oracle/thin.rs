//! Oracle's driver without client libraries (crate `oracledb`, a beta).
//!
//! It can end the process: its connection is behind a mutex, and a panic while that is held poisons it; the same
//! unwinding then drops the `Statement`, whose `drop` takes the mutex and panics again, which aborts. Anything the
//! decoder does not expect from a server can be such a panic, and nothing in the same process can stop it. That is why
//! connections live in a process of their own.

use std::time::Duration;

use oracledb::{
    Config, Connection, DB_TYPE_NUMBER, DB_TYPE_VARCHAR, Error, ErrorKind, Row, ToDbValue,
};

use super::datum::{Bind, Datum, Gather, Kind, Rows, round_trips};
use super::error::DriverError;
use super::protocol::{Login, Release};

/// A session over the thin driver.
pub(super) struct ThinLink(Connection);

/// Statements that are kept parsed: a connection runs a handful.
const STATEMENTS: usize = 20;

impl ThinLink {
    pub(super) fn connect(login: &Login) -> Result<Self, DriverError> {
        let connect = || -> Result<Connection, Error> {
            let mut config = Config::default()
                .set_stmtcachesize(STATEMENTS)
                .set_transport_connect_timeout(Some(Duration::from_millis(login.connect_millis)))
                .set_program("orawarden")?;
            if let Some(dir) = &login.config_dir {
                config = config.set_config_dir(dir);
            }
            if let Some(wallet) = &login.wallet {
                config = config.set_wallet_location(wallet.clone());
            }
            if let (Some(username), Some(password)) = (&login.username, &login.password) {
                config = config.set_credentials(username, password);
            }
            let connection = oracledb::connect(config.set_connect_string(&login.connect)?)?;
            connection.set_module(&login.module)?;
            connection.set_client_info(&login.client_info)?;
            Ok(connection)
        };
        if login.password.is_none() {
            return Err(DriverError {
                code: None,
                text: "the thin driver cannot take the password from a wallet; use `driver: oci`, or name a \
                       credential, a file or a variable"
                    .to_owned(),
                lost: true,
            });
        }
        connect().map(Self).map_err(|error| failed(&error))
    }

    pub(super) fn release(&self) -> Result<Release, DriverError> {
        let version = self.0.version().map_err(|error| failed(&error))?;
        let number = |part: usize| u32::try_from(part).unwrap_or(0);
        Ok(Release::new(number(version.0), number(version.1)))
    }

    pub(super) fn query(
        &self,
        sql: &str,
        binds: &[Datum],
        kinds: &[Kind],
        prefetch: u32,
    ) -> Result<Rows, DriverError> {
        let run = || -> Result<Rows, Error> {
            let values: Vec<Box<dyn ToDbValue>> = binds.iter().map(value).collect();
            let values: Vec<&dyn ToDbValue> = values.iter().map(AsRef::as_ref).collect();
            let statement =
                self.0.statement(sql)?.prefetch_rows(prefetch).fetch_array_size(prefetch);
            let mut gather = Gather::new(kinds.len());
            let mut count = 0;
            for row in statement.build()?.query(&values)? {
                let row = row?;
                for (place, kind) in kinds.iter().enumerate() {
                    match kind {
                        Kind::Number => gather.number(row.get::<Option<i64>>(place)?),
                        Kind::Text => gather.text(row.get::<Option<String>>(place)?),
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
            let values: Vec<Box<dyn ToDbValue>> = binds.iter().map(bind).collect();
            let values: Vec<&dyn ToDbValue> = values.iter().map(AsRef::as_ref).collect();
            let mut done = self.0.execute(sql, &values)?;
            if !binds.iter().any(|bind| !matches!(bind, Bind::In(_))) {
                return Ok(Vec::new());
            }
            outs(&done.out_bind_data(), binds)
        };
        run().map_err(|error| failed(&error))
    }

    pub(super) fn tag(&self, action: &str) -> Result<(), DriverError> {
        self.0.set_action(action).map_err(|error| failed(&error))
    }
}

fn outs(row: &Row, binds: &[Bind]) -> Result<Vec<Datum>, Error> {
    let outs = binds.iter().filter(|bind| !matches!(bind, Bind::In(_)));
    outs.enumerate()
        .map(|(place, bind)| {
            Ok(match bind {
                Bind::OutNumber => Datum::number(row.get::<Option<i64>>(place)?),
                Bind::OutText(_) | Bind::In(_) => {
                    row.get::<Option<String>>(place)?.map_or(Datum::Null, Datum::Text)
                }
            })
        })
        .collect()
}

fn bind(bind: &Bind) -> Box<dyn ToDbValue> {
    match bind {
        Bind::In(datum) => value(datum),
        Bind::OutNumber => Box::new(DB_TYPE_NUMBER),
        Bind::OutText(_) => Box::new(DB_TYPE_VARCHAR),
    }
}

fn value(datum: &Datum) -> Box<dyn ToDbValue> {
    match datum {
        Datum::Null => Box::new(None::<String>),
        Datum::Number(number) => Box::new(*number),
        Datum::Text(text) => Box::new(text.clone()),
    }
}

fn failed(error: &Error) -> DriverError {
    let (code, lost) = match error.kind() {
        ErrorKind::DbError(error) => (u32::try_from(error.code()).ok(), false),
        ErrorKind::ListenerRefusedConnection(_, _, _, code) => (u32::try_from(*code).ok(), true),
        ErrorKind::InvalidServiceName(..) => (Some(12_514), true),
        ErrorKind::InvalidSid(..) => (Some(12_505), true),
        ErrorKind::TnsAliasNotFound(..) => (Some(12_154), true),
        ErrorKind::DeadConnection => (Some(3_113), true),
        ErrorKind::NotConnected => (Some(3_114), true),
        // The values are at fault, not the connection.
        ErrorKind::OutOfRange(_)
        | ErrorKind::UnsupportedConversion(..)
        | ErrorKind::InvalidColumnIndex(_)
        | ErrorKind::WrongNumPositionalBinds(..) => (None, false),
        _ => (None, true),
    };
    DriverError { code, text: error.to_string().trim_end().to_owned(), lost }
}

//! The driver `oci` over TCPS, with a wallet that opens by itself. The Oracle Client of 12.1 that is tried offers RSA
//! key exchange, or ECDHE without saying on which curves; the TLS of the simulated database takes neither, so `tcps.py`
//! stands in front of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use orawarden::oracle::connection::{Account, Connection, Settings};
use orawarden::oracle::protocol::DriverKind;

use crate::daemon::Guarded;
use crate::rig::{Rig, client_libraries};

const QUIET: &str = "{seed: 3, speed: 1, databases: [{like: quiet}]}";

fn is_there(program: &str, word: &str) -> bool {
    let tried =
        Command::new(program).arg(word).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = tried.is_ok_and(|it| it.success());
    if !there {
        writeln!(std::io::stderr(), "SKIPPED: no {program}").expect("somebody reads");
    }
    there
}

/// Who we are there, or why we are nobody.
fn logs_in(trust: &str) -> Result<String, String> {
    let rig = Rig::with(DriverKind::Oci, QUIET);
    let place = rig.path("").display().to_string();
    rig.write(
        "sqlnet.ora",
        &format!(
            "WALLET_LOCATION = (SOURCE = (METHOD = FILE) (METHOD_DATA = (DIRECTORY = {place})))
SSL_VERSION = 1.2
DIAG_ADR_ENABLED = OFF
LOG_DIRECTORY_CLIENT = {place}
"
        ),
    );
    let address = rig.address();
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/tcps.py")).arg(&place);
    command.arg(address.ip().to_string()).arg(address.port().to_string()).arg(trust);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut proxy = Guarded(child.expect("it can be started"));
    let mut port = String::new();
    let said = proxy.0.stdout.take().expect("it is a pipe");
    BufReader::new(said).read_line(&mut port).expect("it can be read");
    let port = port.trim();
    let connect = format!(
        "(DESCRIPTION=(ADDRESS=(PROTOCOL=tcps)(HOST=127.0.0.1)(PORT={port}))(CONNECT_DATA=(SERVICE_NAME=RACDB)))"
    );
    let settings =
        Settings { connect, config_dir: Some(place), ..(*rig.settings("RACDB")).clone() };
    let mut connection = Connection::new(Arc::new(settings), Account::default());
    let identity = connection.reach().map_err(|error| error.to_string())?;
    Ok(identity.username.clone())
}

#[test]
fn the_oci_driver_logs_in_over_tcps_to_a_server_that_its_wallet_trusts_and_to_no_other() {
    if client_libraries().is_none()
        || !is_there("python3", "--version")
        || !is_there("openssl", "version")
    {
        return;
    }
    assert_eq!(logs_in("trusted").as_deref(), Ok("ORAWARDEN"));
    let why = logs_in("foreign").expect_err("nobody vouches for it");
    assert!(why.contains("ORA-29024"), "{why}");
}

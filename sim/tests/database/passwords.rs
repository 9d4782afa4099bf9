//! Passwords that are changed, and the states of accounts that this ends.

use rac_sim::conversation::Database;
use rac_sim::ora::OraError;

use crate::support::database;

const ACCOUNTS: &str = "
databases:
  - like: quiet
    name: DOOR
    accounts:
      - {name: OLD, password: old, status: expired, grants: [CREATE SESSION]}
      - {name: LATE, password: late, status: grace, grants: [CREATE SESSION]}
      - {name: SHUT, password: shut, status: locked, grants: [CREATE SESSION]}
";

fn code<T>(result: Result<T, OraError>) -> u32 {
    result.map_or_else(|error| error.code, |_| 0)
}

#[test]
fn a_new_password_opens_an_expired_account() {
    let database = database(ACCOUNTS);
    assert_eq!(code(database.connect("OLD", "DOOR")), 28_001);
    assert_eq!(code(database.change_password("OLD", "")), 988);
    assert_eq!(code(database.change_password("OLD", "new")), 0);
    assert_eq!(database.password("OLD").as_deref(), Some("new"));
    let talk = database.connect("OLD", "DOOR").expect("it is open");
    assert_eq!(talk.warning(), None);
}

#[test]
fn an_account_in_its_grace_is_warned_until_it_has_a_new_password() {
    let database = database(ACCOUNTS);
    let talk = database.connect("LATE", "DOOR").expect("it may still come in");
    assert_eq!(talk.warning().map(|warning| warning.code), Some(28_002));
    assert_eq!(code(database.change_password("LATE", "new")), 0);
    assert_eq!(talk.warning(), None);
}

#[test]
fn a_new_password_opens_no_lock() {
    let database = database(ACCOUNTS);
    assert_eq!(code(database.change_password("SHUT", "new")), 28_000);
    assert_eq!(database.password("SHUT").as_deref(), Some("shut"));
    assert_eq!(code(database.change_password("NOBODY", "new")), 1_017);
}

//! Accounts, their profiles and what has been granted to them. It knows no sessions and no tables: the rest of the
//! database asks what somebody may do.

use std::collections::{BTreeMap, BTreeSet};

use crate::ora::OraError;

/// Whether an account lets anybody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccountStatus {
    /// It does.
    #[default]
    Open,
    /// ORA-28000.
    Locked,
    /// ORA-28000, after too many wrong passwords.
    LockedTimed,
    /// ORA-28001.
    Expired,
    /// The password has to be changed soon (ORA-28002 is a warning; the log-on succeeds).
    Grace,
}

impl AccountStatus {
    /// ACCOUNT_STATUS of DBA_USERS.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Locked => "LOCKED",
            Self::LockedTimed => "LOCKED(TIMED)",
            Self::Expired => "EXPIRED",
            Self::Grace => "EXPIRED(GRACE)",
        }
    }
}

/// Limits of a profile; `None` is UNLIMITED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// SESSIONS_PER_USER: ORA-02391.
    pub sessions_per_user: Option<u32>,
    /// IDLE_TIME in minutes: SNIPED, then ORA-02396.
    pub idle_minutes: Option<u32>,
    /// CONNECT_TIME in minutes: ORA-02399.
    pub connect_minutes: Option<u32>,
    /// FAILED_LOGIN_ATTEMPTS.
    pub failed_logins: Option<u32>,
}

impl Default for Profile {
    /// DEFAULT as it ships.
    fn default() -> Self {
        Self {
            sessions_per_user: None,
            idle_minutes: None,
            connect_minutes: None,
            failed_logins: Some(10),
        }
    }
}

/// Which rows of other containers an account of the root sees (facts, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContainerData {
    /// Only those of the root and of the whole database.
    #[default]
    Root,
    /// Those of every container.
    All,
}

/// One thing that is granted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// A role.
    Role(String),
    /// A system privilege: ALTER SYSTEM.
    System(String),
    /// A privilege on an object: SELECT on SYS.V_$SESSION.
    Object {
        /// SELECT, READ, INSERT, UPDATE, DELETE or EXECUTE.
        privilege: String,
        /// Who has the object.
        owner: String,
        /// Its name.
        name: String,
    },
}

/// System privileges that can be granted. Others are refused, so that a spelling mistake does not pass.
const SYSTEM_PRIVILEGES: [&str; 16] = [
    "ALTER DATABASE",
    "ALTER SESSION",
    "ALTER SYSTEM",
    "ANALYZE ANY",
    "CREATE PROCEDURE",
    "CREATE SESSION",
    "CREATE TABLE",
    "DELETE ANY TABLE",
    "EXECUTE ANY PROCEDURE",
    "INSERT ANY TABLE",
    "RESTRICTED SESSION",
    "SELECT ANY DICTIONARY",
    "SELECT ANY TABLE",
    "SET CONTAINER",
    "UNLIMITED TABLESPACE",
    "UPDATE ANY TABLE",
];

/// Roles that every database has.
const ROLES: [&str; 5] =
    ["CONNECT", "DBA", "EXECUTE_CATALOG_ROLE", "RESOURCE", "SELECT_CATALOG_ROLE"];

impl Grant {
    /// Reads what stands between GRANT and TO: `ALTER SYSTEM`, `SELECT ON SYS.V_$SESSION`, `DBA`. `roles` are those
    /// that the scenario adds.
    pub fn read(text: &str, roles: &BTreeSet<String>) -> Result<Self, String> {
        let text = text.trim().to_ascii_uppercase();
        if let Some((privilege, object)) = text.split_once(" ON ") {
            let (owner, name) = object.trim().split_once('.').unwrap_or(("SYS", object.trim()));
            if name.starts_with("V$") || name.starts_with("GV$") {
                return Err(format!("{text}: ORA-02030: can only select from fixed tables/views"));
            }
            let privilege = privilege.trim();
            return if ["SELECT", "READ", "INSERT", "UPDATE", "DELETE", "EXECUTE"]
                .contains(&privilege)
            {
                Ok(Self::Object {
                    privilege: privilege.to_owned(),
                    owner: owner.to_owned(),
                    name: name.to_owned(),
                })
            } else {
                Err(format!("{text}: no such object privilege here"))
            };
        }
        if ROLES.contains(&text.as_str()) || roles.contains(&text) {
            Ok(Self::Role(text))
        } else if SYSTEM_PRIVILEGES.contains(&text.as_str()) {
            Ok(Self::System(text))
        } else {
            Err(format!("{text}: neither a role nor a system privilege that is known here"))
        }
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Upper-case.
    pub name: String,
    /// Without one nobody can log in: a schema only.
    pub password: Option<String>,
    /// OPEN, LOCKED, …
    pub status: AccountStatus,
    /// USER#.
    pub user_id: u32,
    /// What was granted to it.
    pub grants: BTreeSet<Grant>,
    /// Its profile's name.
    pub profile: String,
    /// ORACLE_MAINTAINED.
    pub maintained: bool,
    /// The only container that it can log in to; `None`: a common account.
    pub container: Option<u32>,
    /// What it sees of others from the root.
    pub container_data: ContainerData,
    /// Wrong passwords since the last right one.
    pub failed: u32,
    /// When wrong passwords locked it, in microseconds since 1970.
    pub locked: Option<i64>,
}

impl Account {
    /// An open account that has only been granted CREATE SESSION.
    pub fn new(name: &str, password: &str, user_id: u32) -> Self {
        Self {
            name: name.to_owned(),
            password: Some(password.to_owned()),
            status: AccountStatus::Open,
            user_id,
            grants: BTreeSet::from([Grant::System("CREATE SESSION".to_owned())]),
            profile: "DEFAULT".to_owned(),
            maintained: false,
            container: None,
            container_data: ContainerData::Root,
            failed: 0,
            locked: None,
        }
    }
}

/// All accounts of a database.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    by_name: BTreeMap<String, Account>,
    profiles: BTreeMap<String, Profile>,
    roles: BTreeMap<String, BTreeSet<Grant>>,
}

impl Accounts {
    /// The accounts that Oracle brings along: SYS, SYSTEM and a few that are locked.
    pub fn maintained() -> Self {
        let mut accounts = Self::default();
        accounts.profiles.insert("DEFAULT".to_owned(), Profile::default());
        for (user_id, name) in [
            (0, "SYS"),
            (8, "AUDSYS"),
            (9, "SYSTEM"),
            (13, "OUTLN"),
            (21, "GSMADMIN_INTERNAL"),
            (49, "DBSNMP"),
            (50, "APPQOSSYS"),
            (64, "XDB"),
            (2_147_483_615, "SYSRAC"),
            (2_147_483_617, "SYSBACKUP"),
            (2_147_483_618, "SYSDG"),
            (2_147_483_619, "SYSKM"),
        ] {
            let mut account = Account::new(name, "", user_id);
            (account.maintained, account.password) = (true, None);
            account.container_data = ContainerData::All;
            if !["SYS", "SYSTEM", "DBSNMP"].contains(&name) {
                account.status = AccountStatus::Locked;
            }
            account.grants.insert(Grant::Role("DBA".to_owned()));
            accounts.add(account);
        }
        accounts
    }

    /// Adds an account, or replaces it.
    pub fn add(&mut self, account: Account) {
        self.by_name.insert(account.name.clone(), account);
    }

    /// Adds a profile, or replaces it.
    pub fn add_profile(&mut self, name: &str, profile: Profile) {
        self.profiles.insert(name.to_owned(), profile);
    }

    /// Adds a role, or replaces it.
    pub fn add_role(&mut self, name: &str, grants: BTreeSet<Grant>) {
        self.roles.insert(name.to_owned(), grants);
    }

    /// The names of the roles that were added.
    pub fn role_names(&self) -> BTreeSet<String> {
        self.roles.keys().cloned().collect()
    }

    /// An account.
    pub fn get(&self, name: &str) -> Option<&Account> {
        self.by_name.get(name)
    }

    /// An account, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Account> {
        self.by_name.get_mut(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.by_name.values()
    }

    /// All profiles, by name.
    pub fn profiles(&self) -> impl Iterator<Item = (&str, &Profile)> {
        self.profiles.iter().map(|(name, profile)| (name.as_str(), profile))
    }

    /// The profile that an account has; DEFAULT if it names one that is not there.
    pub fn profile_of(&self, account: &Account) -> Profile {
        self.profiles.get(&account.profile).copied().unwrap_or_default()
    }

    /// The first number that no account has, from 100 on.
    pub fn free_user_id(&self) -> u32 {
        let taken: BTreeSet<u32> = self.by_name.values().map(|account| account.user_id).collect();
        (100..u32::MAX)
            .find(|id| !taken.contains(id))
            .expect("there are more numbers than accounts")
    }

    /// What stops an account from logging in although the password was right.
    pub fn admit(&self, name: &str) -> Result<&Account, OraError> {
        let refused = || OraError::new(1017, "invalid username/password; logon denied");
        let account = self.by_name.get(name).ok_or_else(refused)?;
        match account.status {
            AccountStatus::Locked | AccountStatus::LockedTimed => {
                return Err(OraError::new(28000, "the account is locked"));
            }
            AccountStatus::Expired => return Err(OraError::new(28001, "the password has expired")),
            AccountStatus::Open | AccountStatus::Grace => {}
        }
        if !self.rights(account).has("CREATE SESSION") {
            let text = format!("user {name} lacks CREATE SESSION privilege; logon denied");
            return Err(OraError::new(1045, text));
        }
        Ok(account)
    }

    /// Gives an account a new password and opens it if it was only that it lacked. The error is ORA-28000, ORA-01017 or
    /// ORA-00988.
    pub fn change_password(&mut self, name: &str, password: &str) -> Result<(), OraError> {
        let refused = || OraError::new(1017, "invalid username/password; logon denied");
        let account = self.by_name.get_mut(name).ok_or_else(refused)?;
        if password.is_empty() {
            return Err(OraError::new(988, "missing or invalid password(s)"));
        }
        match account.status {
            AccountStatus::Locked | AccountStatus::LockedTimed => {
                return Err(OraError::new(28000, "The account is locked."));
            }
            AccountStatus::Open | AccountStatus::Expired | AccountStatus::Grace => {
                account.status = AccountStatus::Open;
            }
        }
        account.password = Some(password.to_owned());
        account.failed = 0;
        Ok(())
    }

    /// Counts a wrong password at a moment. The error is what the client gets.
    pub fn wrong_password(&mut self, name: &str, now: i64) -> OraError {
        let refused = OraError::new(1017, "invalid username/password; logon denied");
        let Some(limit) =
            self.by_name.get(name).map(|account| self.profile_of(account).failed_logins)
        else {
            return refused;
        };
        let Some(account) = self.by_name.get_mut(name) else { return refused };
        if matches!(account.status, AccountStatus::Locked | AccountStatus::LockedTimed) {
            return OraError::new(28000, "the account is locked");
        }
        account.failed += 1;
        if account.status == AccountStatus::Open
            && limit.is_some_and(|limit| account.failed >= limit)
        {
            account.status = AccountStatus::LockedTimed;
            account.locked = Some(now);
        }
        refused
    }

    /// What an account may do with its roles on.
    pub fn rights(&self, account: &Account) -> Rights {
        let mut rights =
            Rights { owner: account.name.clone(), all: account.name == "SYS", ..Rights::default() };
        self.collect(&account.grants, &mut rights);
        rights
    }

    /// What an account may do inside a definer-rights unit: roles are off there (facts, section 5.3).
    pub fn direct_rights(&self, account: &Account) -> Rights {
        let mut rights =
            Rights { owner: account.name.clone(), all: account.name == "SYS", ..Rights::default() };
        let direct = account.grants.iter().filter(|grant| !matches!(grant, Grant::Role(_)));
        self.collect(&direct.cloned().collect(), &mut rights);
        rights
    }

    /// Adds grants, and what roles hold in turn.
    fn collect(&self, grants: &BTreeSet<Grant>, rights: &mut Rights) {
        for grant in grants {
            match grant {
                Grant::System(privilege) => {
                    rights.system.insert(privilege.clone());
                }
                Grant::Object { privilege, owner, name } => {
                    rights.objects.insert((format!("{owner}.{name}"), privilege.clone()));
                }
                Grant::Role(role) => {
                    if rights.roles.insert(role.clone()) {
                        let held = self.roles.get(role).cloned().unwrap_or_else(|| built_in(role));
                        self.collect(&held, rights);
                    }
                }
            }
        }
    }
}

/// What a role holds that every database has.
fn built_in(role: &str) -> BTreeSet<Grant> {
    let system =
        |names: &[&str]| names.iter().map(|name| Grant::System((*name).to_owned())).collect();
    match role {
        "CONNECT" => system(&["CREATE SESSION", "SET CONTAINER"]),
        "RESOURCE" => system(&["CREATE PROCEDURE", "CREATE TABLE"]),
        "DBA" => {
            let mut held: BTreeSet<Grant> = system(&SYSTEM_PRIVILEGES);
            held.insert(Grant::Role("SELECT_CATALOG_ROLE".to_owned()));
            held.insert(Grant::Role("EXECUTE_CATALOG_ROLE".to_owned()));
            held
        }
        _ => BTreeSet::new(),
    }
}

/// What a session may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    owner: String,
    all: bool,
    /// System privileges.
    pub system: BTreeSet<String>,
    /// Roles.
    pub roles: BTreeSet<String>,
    objects: BTreeSet<(String, String)>,
}

/// How much of an object a session may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It may do what it asks for.
    Granted,
    /// It may do something else with the object: ORA-01031.
    Visible,
    /// There is no such object, as far as it is concerned: ORA-00942.
    Invisible,
}

impl Rights {
    /// Whether a system privilege is held.
    pub fn has(&self, privilege: &str) -> bool {
        self.all || self.system.contains(privilege)
    }

    /// Whether an object of SYS may be read; `name` as grants have it: V_$SESSION, DBA_USERS.
    pub fn reads_dictionary(&self, name: &str) -> Access {
        if self.has("SELECT ANY DICTIONARY") || self.roles.contains("SELECT_CATALOG_ROLE") {
            return Access::Granted;
        }
        self.granted("SYS", name, &["SELECT", "READ"])
    }

    /// Whether something may be done with a table: SELECT, INSERT, UPDATE, DELETE.
    pub fn table(&self, owner: &str, name: &str, privilege: &str) -> Access {
        if owner == self.owner || self.has(&format!("{privilege} ANY TABLE")) {
            return Access::Granted;
        }
        match privilege {
            "SELECT" => self.granted(owner, name, &["SELECT", "READ"]),
            _ => self.granted(owner, name, &[privilege]),
        }
    }

    /// Whether a package or procedure may be called. Oracle tells nobody that it is there (PLS-00201).
    pub fn executes(&self, owner: &str, name: &str) -> bool {
        let any = if owner == "SYS" {
            self.roles.contains("EXECUTE_CATALOG_ROLE")
        } else {
            self.system.contains("EXECUTE ANY PROCEDURE")
        };
        any || owner == self.owner || self.granted(owner, name, &["EXECUTE"]) == Access::Granted
    }

    fn granted(&self, owner: &str, name: &str, privileges: &[&str]) -> Access {
        let object = format!("{owner}.{name}");
        if self.all
            || privileges
                .iter()
                .any(|one| self.objects.contains(&(object.clone(), (*one).to_owned())))
        {
            Access::Granted
        } else if self.objects.iter().any(|(known, _)| *known == object) {
            Access::Visible
        } else {
            Access::Invisible
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(grants: &[&str]) -> (Accounts, Rights) {
        let mut accounts = Accounts::maintained();
        let mut account = Account::new("JOE", "pw", 100);
        let read = |text: &&str| Grant::read(text, &BTreeSet::new()).expect("a grant");
        account.grants = grants.iter().map(read).collect();
        accounts.add(account.clone());
        let rights = accounts.rights(&account);
        (accounts, rights)
    }

    #[test]
    fn grants_open_what_they_name() {
        for (grants, view, access) in [
            (&[][..], "V_$SESSION", Access::Invisible),
            (&["SELECT ON SYS.V_$SESSION"], "V_$SESSION", Access::Granted),
            (&["READ ON SYS.V_$SESSION"], "V_$SESSION", Access::Granted),
            (&["SELECT ON SYS.V_$SESSION"], "GV_$SESSION", Access::Invisible),
            (&["SELECT_CATALOG_ROLE"], "DBA_USERS", Access::Granted),
            (&["SELECT ANY DICTIONARY"], "GV_$SESSION", Access::Granted),
            (&["SELECT ANY TABLE"], "V_$SESSION", Access::Invisible),
            (&["DBA"], "V_$SESSION", Access::Granted),
        ] {
            assert_eq!(with(grants).1.reads_dictionary(view), access, "{grants:?} {view}");
        }
    }

    #[test]
    fn a_table_is_visible_to_whom_anything_is_granted() {
        let (_, rights) = with(&["INSERT ON APP.T"]);
        assert_eq!(rights.table("APP", "T", "INSERT"), Access::Granted);
        assert_eq!(rights.table("APP", "T", "SELECT"), Access::Visible);
        assert_eq!(rights.table("APP", "U", "SELECT"), Access::Invisible);
        assert_eq!(rights.table("JOE", "MINE", "DELETE"), Access::Granted);
    }

    #[test]
    fn packages_are_executable_by_grant_or_role_only() {
        assert!(!with(&["EXECUTE ANY PROCEDURE"]).1.executes("SYS", "DBMS_LOCK"));
        assert!(with(&["EXECUTE ON SYS.DBMS_LOCK"]).1.executes("SYS", "DBMS_LOCK"));
        assert!(with(&["DBA"]).1.executes("SYS", "DBMS_LOCK"));
    }

    #[test]
    fn roles_are_off_in_definer_rights_units() {
        let (accounts, rights) = with(&["DBA", "SELECT ON SYS.V_$SESSION"]);
        assert!(rights.has("ALTER SYSTEM"));
        let direct = accounts.direct_rights(accounts.get("JOE").expect("it was added"));
        assert!(!direct.has("ALTER SYSTEM"));
        assert_eq!(direct.reads_dictionary("V_$SESSION"), Access::Granted);
    }

    #[test]
    fn too_many_wrong_passwords_lock() {
        let (mut accounts, _) = with(&["CREATE SESSION"]);
        accounts.add_profile("DEFAULT", Profile { failed_logins: Some(2), ..Profile::default() });
        assert_eq!(accounts.wrong_password("JOE", 7).code, 1017);
        assert_eq!(accounts.admit("JOE").map(|account| account.locked), Ok(None));
        // The last one that is allowed locks, and from the next on the client is told.
        assert_eq!(accounts.wrong_password("JOE", 9).code, 1017);
        assert_eq!(accounts.get("JOE").and_then(|account| account.locked), Some(9));
        assert_eq!(accounts.admit("JOE").expect_err("locked").code, 28000);
        assert_eq!(accounts.wrong_password("JOE", 11).code, 28000);
        assert_eq!(accounts.wrong_password("NOBODY", 7).code, 1017);
    }

    #[test]
    fn admission_has_the_error_of_its_reason() {
        let (mut accounts, _) = with(&[]);
        assert_eq!(accounts.admit("JOE").expect_err("no right").code, 1045);
        accounts.get_mut("JOE").expect("it was added").status = AccountStatus::Expired;
        assert_eq!(accounts.admit("JOE").expect_err("expired").code, 28001);
        assert_eq!(accounts.admit("OUTLN").expect_err("locked").code, 28000);
        assert_eq!(accounts.admit("NOBODY").expect_err("unknown").code, 1017);
    }

    #[test]
    fn a_misspelt_grant_is_refused() {
        for text in ["ALTER SYSTM", "SELECT ON SYS.V$SESSION", "BREAK ON SYS.X"] {
            assert!(Grant::read(text, &BTreeSet::new()).is_err(), "{text}");
        }
    }
}

//! Statement texts and their SQL_ID, computed as Oracle computes it: the last 64 bits of the MD5 of the text and a NUL
//! byte, in base 32.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use md5::{Digest as _, Md5};

/// A SQL_ID: 13 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SqlId([u8; 13]);

impl SqlId {
    /// Of a text and Oracle's hash value of it.
    fn of(text: &str) -> (Self, u32) {
        let mut md5 = Md5::new();
        md5.update(text.as_bytes());
        md5.update([0]);
        let digest = md5.finalize();
        let word = |at: usize| {
            u32::from_le_bytes([digest[at], digest[at + 1], digest[at + 2], digest[at + 3]])
        };
        let mut rest = (u64::from(word(8)) << 32) | u64::from(word(12));
        let mut id = [b'0'; 13];
        for place in id.iter_mut().rev() {
            let digit = usize::try_from(rest % 32).expect("below 32");
            *place = b"0123456789abcdfghjkmnpqrstuvwxyz"[digit];
            rest /= 32;
        }
        (Self(id), word(12))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("letters and digits")
    }
}

impl fmt::Display for SqlId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SqlId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A statement that is or was in the shared pool.
#[derive(Debug, PartialEq, Eq)]
pub struct Statement {
    /// SQL_ID.
    pub sql_id: SqlId,
    /// HASH_VALUE.
    pub hash_value: u32,
    /// ADDRESS of the parent cursor.
    pub address: u64,
    /// COMMAND_TYPE: 3 for SELECT.
    pub command: u16,
    /// SQL_FULLTEXT.
    pub text: Arc<str>,
    /// PARSING_SCHEMA_NAME: of the session that ran it first.
    pub schema: Arc<str>,
}

impl Statement {
    /// Of a text, parsed by SYS.
    pub fn new(text: &str) -> Self {
        let (sql_id, hash_value) = SqlId::of(text);
        let address = 0x0000_0000_6000_0000 + u64::from(hash_value) * 8;
        let (command, text, schema) = (command(text), text.into(), "SYS".into());
        Self { sql_id, hash_value, address, command, text, schema }
    }

    /// OBJECT_ID of the package that a block calls first.
    pub fn package(&self) -> Option<u32> {
        const BLOCKS: [u16; 2] = [47, 170];
        if !BLOCKS.contains(&self.command) {
            return None;
        }
        let text = self.text.to_ascii_uppercase();
        let called = PACKAGES
            .iter()
            .filter_map(|(name, object)| Some((text.find(&format!("{name}."))?, *object)));
        called.min().map(|(_, object)| object)
    }
}

/// The packages that blocks call, with their OBJECT_ID.
pub const PACKAGES: [(&str, u32); 3] =
    [("DBMS_LOCK", 8_000), ("DBMS_SESSION", 8_001), ("DBMS_APPLICATION_INFO", 8_002)];

/// The command code of V$SQLCOMMAND, by the first word.
fn command(text: &str) -> u16 {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    match text[..end].to_ascii_uppercase().as_str() {
        "SELECT" | "WITH" => 3,
        "INSERT" => 2,
        "UPDATE" => 6,
        "DELETE" => 7,
        "BEGIN" | "DECLARE" => 47,
        "CALL" => 170,
        "MERGE" => 189,
        "COMMIT" => 44,
        "ROLLBACK" => 45,
        "ALTER"
            if text
                .get(end..)
                .is_some_and(|rest| rest.trim_start().to_ascii_uppercase().starts_with("SYS")) =>
        {
            49
        }
        "ALTER" => 42,
        "LOCK" => 26,
        "CREATE" => 1,
        _ => 0,
    }
}

/// How many statements stay known.
const STATEMENTS_MAX: usize = 20_000;
/// How many bytes of text they have together.
const TEXT_MAX: usize = 32 << 20;
/// How many statements that sessions still name are passed over for one that can leave.
const PASSED_OVER_MAX: usize = 16;

/// A statement, and when it was used last.
#[derive(Debug)]
struct Known {
    statement: Arc<Statement>,
    used: u64,
}

/// The shared pool: every statement by SQL_ID. Those that were not used for the longest time leave first; one that a
/// session runs or ran last stays.
#[derive(Debug, Default)]
pub(super) struct SharedPool {
    known: BTreeMap<SqlId, Known>,
    /// By last use.
    order: BTreeMap<u64, SqlId>,
    uses: u64,
    text: usize,
}

impl SharedPool {
    /// The statement of a text, made if it is new.
    pub(super) fn intern(&mut self, text: &str, schema: &Arc<str>) -> Arc<Statement> {
        let statement = Statement { schema: Arc::clone(schema), ..Statement::new(text) };
        let sql_id = statement.sql_id;
        if self.known.contains_key(&sql_id) {
            self.touch(sql_id);
        } else {
            self.make_room(text.len());
            self.text += text.len();
            self.uses += 1;
            self.order.insert(self.uses, sql_id);
            self.known.insert(sql_id, Known { statement: Arc::new(statement), used: self.uses });
        }
        Arc::clone(&self.known[&sql_id].statement)
    }

    /// It is the last that was used.
    fn touch(&mut self, sql_id: SqlId) {
        let Some(known) = self.known.get_mut(&sql_id) else { return };
        self.order.remove(&known.used);
        self.uses += 1;
        known.used = self.uses;
        self.order.insert(self.uses, sql_id);
    }

    fn make_room(&mut self, text: usize) {
        let mut passed_over = 0;
        while self.known.len() >= STATEMENTS_MAX || self.text + text > TEXT_MAX {
            let Some((_, sql_id)) = self.order.first_key_value() else { return };
            let sql_id = *sql_id;
            if Arc::strong_count(&self.known[&sql_id].statement) > 1 {
                passed_over += 1;
                if passed_over > PASSED_OVER_MAX {
                    return;
                }
                self.touch(sql_id);
                continue;
            }
            if let Some(gone) = self.known.remove(&sql_id) {
                self.order.remove(&gone.used);
                self.text -= gone.statement.text.len();
            }
        }
    }

    /// A statement, if it is known.
    pub(super) fn get(&self, sql_id: SqlId) -> Option<&Arc<Statement>> {
        self.known.get(&sql_id).map(|known| &known.statement)
    }

    /// All, by SQL_ID.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Statement>> {
        self.known.values().map(|known| &known.statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_ids_are_oracles_own() {
        // Both are published in many places.
        let dual = Statement::new("select * from dual");
        assert_eq!(
            (dual.sql_id.as_str(), dual.hash_value, dual.command),
            ("a5ks9fhw2v9s1", 942_515_969, 3)
        );
        assert_eq!(Statement::new("SELECT USER FROM DUAL").sql_id.as_str().len(), 13);
        assert_eq!(Statement::new("alter system kill session '1,2'").command, 49);
    }

    #[test]
    fn a_block_names_the_package_that_it_calls() {
        for (text, object) in [
            ("begin dbms_session.set_role('x'); dbms_lock.sleep(1); end;", Some(8_001)),
            ("begin null; end;", None),
            ("select 'dbms_lock.' from dual", None),
        ] {
            assert_eq!(Statement::new(text).package(), object, "{text}");
        }
    }

    fn knows(pool: &SharedPool, text: &str) -> bool {
        let sql_id = Statement::new(text).sql_id;
        pool.iter().any(|known| known.sql_id == sql_id)
    }

    #[test]
    fn the_pool_forgets_what_was_not_used_for_the_longest_time() {
        let mut pool = SharedPool::default();
        let running = pool.intern("select 'running' from dual", &"SYS".into());
        drop(pool.intern("select 'often' from dual", &"SYS".into()));
        drop(pool.intern("select 'once' from dual", &"SYS".into()));
        assert!(Arc::ptr_eq(&running, &pool.intern("select 'running' from dual", &"SYS".into())));
        for number in 0..STATEMENTS_MAX {
            if number % 1_000 == 0 {
                drop(pool.intern("select 'often' from dual", &"SYS".into()));
            }
            drop(pool.intern(&format!("select {number} from dual"), &"SYS".into()));
        }
        assert_eq!(pool.iter().count(), STATEMENTS_MAX);
        assert!(knows(&pool, "select 'running' from dual"));
        assert!(knows(&pool, "select 'often' from dual"));
        assert!(!knows(&pool, "select 'once' from dual"));
    }

    #[test]
    fn long_texts_leave_room_for_fewer() {
        let mut pool = SharedPool::default();
        let long = "x".repeat(TEXT_MAX / 4);
        for number in 0..10 {
            drop(pool.intern(&format!("select '{long}' || {number} from dual"), &"SYS".into()));
        }
        assert_eq!(pool.iter().count(), 3);
        assert!(knows(&pool, &format!("select '{long}' || 9 from dual")));
    }
}

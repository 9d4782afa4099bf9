//! Statement texts and their SQL_ID, computed as Oracle computes it: the last 64 bits of the MD5 of the text and a NUL
//! byte, in base 32.

use std::collections::{BTreeMap, VecDeque};
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
}

impl Statement {
    /// Of a text.
    pub fn new(text: &str) -> Self {
        let (sql_id, hash_value) = SqlId::of(text);
        let address = 0x0000_0000_6000_0000 + u64::from(hash_value) * 8;
        Self { sql_id, hash_value, address, command: command(text), text: text.into() }
    }
}

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

/// How many statements stay known. The oldest leave first; sessions that run them keep theirs.
const STATEMENTS_MAX: usize = 20_000;

/// The shared pool: every statement by SQL_ID.
#[derive(Debug, Default)]
pub(super) struct SharedPool {
    known: BTreeMap<SqlId, Arc<Statement>>,
    age: VecDeque<SqlId>,
}

impl SharedPool {
    /// The statement of a text, made if it is new.
    pub(super) fn intern(&mut self, text: &str) -> Arc<Statement> {
        let statement = Statement::new(text);
        if let Some(known) = self.known.get(&statement.sql_id) {
            return Arc::clone(known);
        }
        if self.age.len() == STATEMENTS_MAX
            && let Some(oldest) = self.age.pop_front()
        {
            self.known.remove(&oldest);
        }
        let statement = Arc::new(statement);
        self.age.push_back(statement.sql_id);
        self.known.insert(statement.sql_id, Arc::clone(&statement));
        statement
    }

    /// All, by SQL_ID.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Statement>> {
        self.known.values()
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
    fn the_pool_shares_and_forgets_the_oldest() {
        let mut pool = SharedPool::default();
        let first = pool.intern("select 0 from dual");
        assert!(Arc::ptr_eq(&first, &pool.intern("select 0 from dual")));
        for number in 1..=STATEMENTS_MAX {
            pool.intern(&format!("select {number} from dual"));
        }
        assert_eq!(pool.iter().count(), STATEMENTS_MAX);
        assert!(!pool.iter().any(|known| known.sql_id == first.sql_id));
    }
}

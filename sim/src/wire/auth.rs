//! The log-on: both sides prove that they know the password, and neither sends it in the clear (O5LOGON with the
//! verifier of 12c).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aes::Aes256;
use aes::cipher::block_padding::{NoPadding, Pkcs7};
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use sha2::{Digest, Sha512};

use super::codec::{Reader, Unreadable, Writer, hex};
use super::packet::Fault;
use crate::ora::OraError;

const KEY: usize = 32;
const BLOCK: usize = 16;
const SALT: usize = 16;
/// The iterations that derive a verifier, and those that join the halves of the session key.
const VERIFIER_ROUNDS: u32 = 4_096;
const SESSION_ROUNDS: u32 = 3;
/// The number of the 12c verifier.
const VERIFIER_TYPE: u32 = 0x4815;

/// A user's name is longer than this only in an attack.
const USER_BYTES_MAX: usize = 1_024;
const PAIRS_MAX: usize = 128;
/// Verifiers kept; more accounts than this derive theirs at each log-on.
const VERIFIERS_MAX: usize = 1_024;

/// One of the two messages of a log-on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// As typed.
    pub(super) user: String,
    mode: u32,
    pairs: BTreeMap<String, String>,
    /// Application contexts: namespace, name, value.
    contexts: Vec<[String; 3]>,
}

impl Message {
    /// Reads it behind the header of its function.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let has_user = reader.u8()? != 0;
        let length = reader.count(USER_BYTES_MAX)?;
        let mode = reader.ub4()?;
        reader.skip(1)?;
        let count = reader.count(PAIRS_MAX)?;
        reader.skip(2)?;
        let user = if has_user && length > 0 { reader.counted()? } else { Vec::new().into() };
        let user = String::from_utf8_lossy(&user).into_owned();
        let mut message = Self { user, mode, ..Self::default() };
        for _ in 0..count {
            let key = reader.long_text()?;
            let value = reader.long_text()?;
            reader.skip_ub(1)?;
            message.keep(key.trim_end_matches('\0'), value);
        }
        Ok(message)
    }

    /// A pair. Those of application contexts come again and again, three to a context.
    fn keep(&mut self, key: &str, value: String) {
        match (key, self.contexts.last_mut()) {
            ("AUTH_APPCTX_NSPACE", _) => {
                self.contexts.push([value, String::new(), String::new()]);
            }
            ("AUTH_APPCTX_ATTR", Some(context)) => context[1] = value,
            ("AUTH_APPCTX_VALUE", Some(context)) => context[2] = value,
            _ => drop(self.pairs.insert(key.to_owned(), value)),
        }
    }

    /// The application contexts of the session: namespace, name, value.
    pub(super) fn contexts(&self) -> &[[String; 3]] {
        &self.contexts
    }

    /// What a key says; empty without it.
    pub(super) fn get(&self, key: &str) -> &str {
        self.pairs.get(key).map_or("", String::as_str)
    }

    /// AS SYSDBA.
    pub(super) const fn sysdba(&self) -> bool {
        self.mode & 0x20 != 0
    }

    /// The account that is meant: upper-case unless it stands between double quotes.
    pub(super) fn account(&self) -> String {
        match self.user.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(quoted) => quoted.to_owned(),
            None => self.user.to_uppercase(),
        }
    }

    /// Why somebody who knows the password does not come in all the same. Silence would put the client into a session
    /// that is another than the one that it asked for.
    pub(super) fn refusal(&self) -> Option<OraError> {
        let edition = self.get("AUTH_ORA_EDITION");
        if !self.get("PROXY_CLIENT_NAME").is_empty() {
            return Some(OraError::new(28150, "proxy not authorized to connect as client"));
        }
        if !edition.is_empty() && !edition.eq_ignore_ascii_case("ORA$BASE") {
            return Some(OraError::new(38802, "edition does not exist"));
        }
        // Any other namespace would have to be created first, and no statement here creates one.
        let known = |context: &[String; 3]| context[0].eq_ignore_ascii_case("CLIENTCONTEXT");
        (!self.contexts.iter().all(known)).then(|| OraError::new(28267, "Invalid NameSpace Value"))
    }

    /// The time zone that the client sets for its session.
    pub(super) fn time_zone(&self) -> Option<String> {
        let text = self.get("AUTH_ALTER_SESSION");
        let (_, rest) = text.split_once("TIME_ZONE=").or_else(|| text.split_once("TIME_ZONE ="))?;
        rest.split('\'').nth(1).map(str::to_owned)
    }
}

/// What is stored of a password: enough to check that a client knows it.
#[derive(Clone)]
struct Verifier {
    salt: [u8; SALT],
    key: [u8; KEY],
}

impl Verifier {
    fn new(password: &str) -> Result<Self, Fault> {
        let salt = random()?;
        let mut derived = [0; 64];
        let salted = [&salt[..], b"AUTH_PBKDF2_SPEEDY_KEY"].concat();
        pbkdf2::pbkdf2_hmac::<Sha512>(password.as_bytes(), &salted, VERIFIER_ROUNDS, &mut derived);
        let hash = Sha512::new().chain_update(derived).chain_update(salt).finalize();
        let mut key = [0; KEY];
        key.copy_from_slice(&hash[..KEY]);
        Ok(Self { salt, key })
    }

    /// That of no password at all.
    fn impossible() -> Result<Self, Fault> {
        Ok(Self { salt: random()?, key: random()? })
    }
}

/// Verifiers by password, since deriving one takes long on purpose.
#[derive(Default)]
pub(super) struct Verifiers {
    known: Mutex<BTreeMap<String, Verifier>>,
}

impl Verifiers {
    fn get(&self, password: Option<&str>) -> Result<Verifier, Fault> {
        let Some(password) = password else {
            return Verifier::impossible();
        };
        let known = |verifiers: &Self| {
            let known = verifiers.known.lock().unwrap_or_else(PoisonError::into_inner);
            (known.get(password).cloned(), known.len())
        };
        if let (Some(verifier), _) = known(self) {
            return Ok(verifier);
        }
        let verifier = Verifier::new(password)?;
        if known(self).1 < VERIFIERS_MAX {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(password.to_owned(), verifier.clone());
        }
        Ok(verifier)
    }
}

/// The server's side of a log-on between its two messages.
pub(super) struct Challenge {
    verifier: Verifier,
    half: [u8; KEY],
    salt: [u8; SALT],
    password: Option<String>,
}

impl Challenge {
    /// For an account with this password, or for one that does not exist.
    pub(super) fn new(verifiers: &Verifiers, password: Option<String>) -> Result<Self, Fault> {
        let verifier = verifiers.get(password.as_deref())?;
        Ok(Self { verifier, half: random()?, salt: random()?, password })
    }

    /// The answer to the first message.
    pub(super) fn write(&self, to: &mut Writer) {
        let half = encrypt(&self.verifier.key, &self.half);
        let pairs = [
            ("AUTH_SESSKEY", hex(&half), 0),
            ("AUTH_VFR_DATA", hex(&self.verifier.salt), VERIFIER_TYPE),
            ("AUTH_PBKDF2_CSK_SALT", hex(&self.salt), 0),
            ("AUTH_PBKDF2_VGEN_COUNT", VERIFIER_ROUNDS.to_string(), 0),
            ("AUTH_PBKDF2_SDER_COUNT", SESSION_ROUNDS.to_string(), 0),
            ("AUTH_GLOBALLY_UNIQUE_DBID\0", hex(&self.verifier.salt), 0),
        ];
        write_pairs(to, &pairs);
    }

    /// What follows from the second message, if it proves that the client knows the password.
    pub(super) fn check(&self, message: &Message) -> Option<Proof> {
        let theirs = unhex(message.get("AUTH_SESSKEY"))?;
        let theirs = decrypt(&self.verifier.key, &theirs)?;
        let joined = hex(&[theirs.get(..KEY)?, &self.half].concat());
        let mut key = [0; KEY];
        pbkdf2::pbkdf2_hmac::<Sha512>(joined.as_bytes(), &self.salt, SESSION_ROUNDS, &mut key);
        let key = SessionKey(key);
        if self.password != Some(key.open(message.get("AUTH_PASSWORD"))?) {
            return None;
        }
        let text =
            [&random::<BLOCK>().ok()?[..], b"SERVER_TO_CLIENT", &[BLOCK_BYTE; BLOCK]].concat();
        let text = hex(&encrypt(&key.0, &text));
        Some(Proof { text, new_password: key.open(message.get("AUTH_NEWPASSWORD")), key })
    }
}

/// A log-on that succeeded.
pub(super) struct Proof {
    /// The server's own proof.
    pub(super) text: String,
    /// The password that the account is to have from now on.
    pub(super) new_password: Option<String>,
    pub(super) key: SessionKey,
}

/// What both sides encrypt passwords with from the log-on to the end of the session.
pub(super) struct SessionKey([u8; KEY]);

impl SessionKey {
    /// A password that was sent in hexadecimal; `None` if there is none or it cannot be read.
    pub(super) fn open(&self, sent: &str) -> Option<String> {
        let sent = unhex(sent)?;
        let plain = decryptor(&self.0).decrypt_padded_vec::<Pkcs7>(&sent).ok()?;
        // Random bytes stand before it.
        String::from_utf8(plain.get(BLOCK..)?.to_vec()).ok()
    }
}

/// The padding of a whole block.
const BLOCK_BYTE: u8 = 16;

/// Writes what a client is told in pairs of a key and a value, each with a number.
pub(super) fn write_pairs(to: &mut Writer, pairs: &[(&str, String, u32)]) {
    to.u8(8);
    to.ub(pairs.len() as u64);
    for (key, value, flags) in pairs {
        to.long_counted(key.as_bytes());
        to.long_counted(value.as_bytes());
        to.ub(*flags);
    }
}

fn decryptor(key: &[u8; KEY]) -> cbc::Decryptor<Aes256> {
    cbc::Decryptor::new(key.into(), &[0; BLOCK].into())
}

fn encrypt(key: &[u8; KEY], plain: &[u8]) -> Vec<u8> {
    let encryptor: cbc::Encryptor<Aes256> = cbc::Encryptor::new(key.into(), &[0; BLOCK].into());
    encryptor.encrypt_padded_vec::<NoPadding>(plain)
}

fn decrypt(key: &[u8; KEY], secret: &[u8]) -> Option<Vec<u8>> {
    decryptor(key).decrypt_padded_vec::<NoPadding>(secret).ok()
}

fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Fault::Protocol("the system has no random bytes"))?;
    Ok(bytes)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| if let [a, b] = pair { Some(digit(a)? << 4 | digit(b)?) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client that believes in `password` answers.
    fn answer(challenge: &Challenge, password: &str) -> Message {
        let mut verifier = Verifier { salt: challenge.verifier.salt, key: [0; KEY] };
        let salted = [&verifier.salt[..], b"AUTH_PBKDF2_SPEEDY_KEY"].concat();
        let mut derived = [0; 64];
        pbkdf2::pbkdf2_hmac::<Sha512>(password.as_bytes(), &salted, VERIFIER_ROUNDS, &mut derived);
        let hash = Sha512::new().chain_update(derived).chain_update(verifier.salt).finalize();
        verifier.key.copy_from_slice(&hash[..KEY]);
        let server = decrypt(&verifier.key, &encrypt(&challenge.verifier.key, &challenge.half));
        let theirs = [5; KEY];
        let joined = hex(&[&theirs[..], &server.expect("whole blocks")].concat());
        let mut key = [0; KEY];
        pbkdf2::pbkdf2_hmac::<Sha512>(joined.as_bytes(), &challenge.salt, SESSION_ROUNDS, &mut key);
        let encryptor: cbc::Encryptor<Aes256> =
            cbc::Encryptor::new(&key.into(), &[0; BLOCK].into());
        let secret =
            encryptor.encrypt_padded_vec::<Pkcs7>(&[&[9; BLOCK], password.as_bytes()].concat());
        let pairs = [
            ("AUTH_SESSKEY".to_owned(), hex(&encrypt(&verifier.key, &theirs))),
            ("AUTH_PASSWORD".to_owned(), hex(&secret)),
        ];
        Message { pairs: pairs.into(), ..Message::default() }
    }

    #[test]
    fn only_the_password_proves_itself() {
        let verifiers = Verifiers::default();
        let challenge = |password: Option<&str>| {
            Challenge::new(&verifiers, password.map(str::to_owned)).expect("random bytes")
        };
        let tiger = challenge(Some("tiger"));
        assert!(tiger.check(&answer(&tiger, "tiger")).is_some());
        assert!(tiger.check(&answer(&tiger, "Tiger")).is_none());
        assert!(tiger.check(&answer(&tiger, "")).is_none());
        assert!(tiger.check(&Message::default()).is_none());
        let nobody = challenge(None);
        assert!(nobody.check(&answer(&nobody, "tiger")).is_none());
    }

    #[test]
    fn a_new_password_is_sent_with_the_key_that_the_old_one_gave() {
        let verifiers = Verifiers::default();
        let challenge = Challenge::new(&verifiers, Some("tiger".to_owned())).expect("random bytes");
        let mut message = answer(&challenge, "tiger");
        let proof = challenge.check(&message).expect("proved");
        assert_eq!(proof.new_password, None);
        let secret = message.get("AUTH_PASSWORD").to_owned();
        message.pairs.insert("AUTH_NEWPASSWORD".to_owned(), secret.clone());
        let proof = challenge.check(&message).expect("proved");
        assert_eq!(proof.new_password.as_deref(), Some("tiger"));
        assert_eq!(proof.key.open(&secret).as_deref(), Some("tiger"));
        for wrong in ["", "00", "zz", &secret[..secret.len() - 2], &secret[..32]] {
            assert_eq!(proof.key.open(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_are_upper_case_unless_quoted() {
        let account = |user: &str| Message { user: user.into(), ..Message::default() }.account();
        assert_eq!(account("scott"), "SCOTT");
        assert_eq!(account("\"Scott\""), "Scott");
        assert_eq!(account("\""), "\"");
    }

    #[test]
    fn the_time_zone_is_what_the_client_sets() {
        let zone = |text: &str| {
            let pairs = [("AUTH_ALTER_SESSION".to_owned(), text.to_owned())];
            Message { pairs: pairs.into(), ..Message::default() }.time_zone()
        };
        assert_eq!(zone("ALTER SESSION SET TIME_ZONE='+02:00'").as_deref(), Some("+02:00"));
        let among_others = "ALTER SESSION SET NLS_SORT= 'BINARY' TIME_ZONE= '-05:30' NLS_COMP= 'X'";
        assert_eq!(zone(among_others).as_deref(), Some("-05:30"));
        assert_eq!(zone(""), None);
    }

    #[test]
    fn a_session_that_is_not_to_be_had_is_refused() {
        let refusal = |key: &str, value: &str| {
            let pairs = [(key.to_owned(), value.to_owned())];
            let message = Message { pairs: pairs.into(), ..Message::default() };
            message.refusal().map(|error| error.code)
        };
        assert_eq!(refusal("PROXY_CLIENT_NAME", "SCOTT"), Some(28150));
        assert_eq!(refusal("AUTH_ORA_EDITION", "NEXT"), Some(38802));
        assert_eq!(refusal("AUTH_ORA_EDITION", "ora$base"), None);
        assert_eq!(refusal("AUTH_PROGRAM_NM", "sqlplus"), None);
    }

    #[test]
    fn application_contexts_come_in_threes() {
        let mut message = Message::default();
        let pairs = [("CLIENTCONTEXT", "a", "1"), ("clientcontext", "b", "2")];
        for (namespace, name, value) in pairs {
            message.keep("AUTH_APPCTX_NSPACE", namespace.to_owned());
            message.keep("AUTH_APPCTX_ATTR", name.to_owned());
            message.keep("AUTH_APPCTX_VALUE", value.to_owned());
        }
        let shown: Vec<String> = message.contexts().iter().map(|one| one.join(".")).collect();
        assert_eq!(shown, ["CLIENTCONTEXT.a.1", "clientcontext.b.2"]);
        assert_eq!(message.refusal(), None);
        message.keep("AUTH_APPCTX_NSPACE", "PAYROLL".to_owned());
        assert_eq!(message.refusal().map(|error| error.code), Some(28267));
    }

    #[test]
    fn hex_reads_what_it_writes() {
        assert_eq!(hex(&[0, 255, 26]), "00FF1A");
        assert_eq!(unhex("00FF1a"), Some(vec![0, 255, 26]));
        assert_eq!((unhex("0"), unhex("0g")), (None, None));
    }
}

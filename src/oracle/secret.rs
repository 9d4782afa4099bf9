//! Where a password comes from. It is read when somebody logs in, so a new one needs no reload, and wiped after that.
//! No error here names more than the place.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Longer than any password that Oracle takes (1,024 bytes), and short enough for a file that is something else.
const PASSWORD_BYTES_MAX: u64 = 4_096;

/// The directory in which systemd puts a service's credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Where a password is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretPlace {
    /// A systemd credential of that name.
    Credential(String),
    /// A file that holds nothing else.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// The client's wallet knows it.
    Wallet,
}

impl SecretPlace {
    /// The password; `None` where the client's wallet knows it. A line end behind it does not count.
    pub fn read(&self) -> Result<Option<Zeroizing<String>>, String> {
        let secret = match self {
            Self::Credential(name) => {
                let directory = env::var_os(CREDENTIALS).ok_or_else(|| {
                    format!(
                        "the credential {name}: {CREDENTIALS} is not set; systemd sets it for the service only \
                         (LoadCredential=), so by hand set it to a directory with a file {name}, or use {{file: PATH}}"
                    )
                })?;
                file(&Path::new(&directory).join(name))
                    .map_err(|why| format!("the credential {name}: {why}"))?
            }
            Self::File(path) => {
                file(path).map_err(|why| format!("the password file {}: {why}", path.display()))?
            }
            Self::Variable(name) => Zeroizing::new(
                env::var(name)
                    .map_err(|_| format!("the password variable {name} is not set, or not text"))?,
            ),
            Self::Wallet => return Ok(None),
        };
        let password = secret.trim_end_matches(['\n', '\r']);
        if password.is_empty() {
            return Err("the password is empty".to_owned());
        }
        Ok(Some(Zeroizing::new(password.to_owned())))
    }

    /// The environment variable that holds it: connection processes must not have it.
    pub fn variable(&self) -> Option<OsString> {
        match self {
            Self::Variable(name) => Some(name.into()),
            Self::Credential(_) | Self::File(_) | Self::Wallet => None,
        }
    }
}

fn file(path: &Path) -> Result<Zeroizing<String>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let is_file = file.metadata().map_err(|error| error.to_string())?.is_file();
    if !is_file {
        return Err("not a regular file".to_owned());
    }
    let mut text = Zeroizing::new(String::new());
    let read = file.take(PASSWORD_BYTES_MAX + 1).read_to_string(&mut text);
    // The cause could quote what it could not read.
    read.map_err(|_| "cannot be read as text".to_owned())?;
    if text.len() as u64 > PASSWORD_BYTES_MAX {
        return Err("longer than any password".to_owned());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::SecretPlace;

    #[test]
    fn a_file_gives_its_text_without_the_line_end_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("password");
        let place = SecretPlace::File(path.clone());
        for (text, password) in
            [("t\u{e9}st ", Some("t\u{e9}st ")), ("a\r\n", Some("a")), ("\n", None), ("", None)]
        {
            fs::write(&path, text).expect("it can be written");
            let read = place.read().ok().flatten().map(|secret| secret.to_string());
            assert_eq!(read.as_deref(), password, "{text:?}");
        }
        fs::write(&path, "s3cret".repeat(1_000)).expect("it can be written");
        let why = place.read().expect_err("too long");
        assert!(!why.contains("s3cret"), "{why}");
        fs::write(&path, [0xff, b's', b'3']).expect("it can be written");
        assert!(place.read().expect_err("no text").ends_with("cannot be read as text"));
        let credential = SecretPlace::Credential("prod".to_owned());
        // Tests run outside a service.
        let why = credential.read().expect_err("systemd passed none");
        assert!(why.contains("so by hand set it to a directory"), "{why}");
        let nowhere = SecretPlace::File(folder.path().to_owned());
        assert!(nowhere.read().expect_err("a directory").ends_with("not a regular file"));
    }
}

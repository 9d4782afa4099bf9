//! What goes through the pipes between the daemon and a connection process: one request, one reply, each a length in
//! four bytes and so many bytes of `postcard`. Both ends are the same program, so there are no versions.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroize as _;

use super::datum::{Bind, Datum, Kind, Rows};
use super::error::DriverError;

/// A frame is never longer: far beyond a snapshot of 100,000 sessions, and far below what would harm the daemon.
pub const FRAME_BYTES_MAX: u32 = 512 << 20;

/// What the daemon asks of a connection process.
#[derive(Serialize, Deserialize)]
pub enum Request {
    /// Log in. The first, and only once.
    Connect(Box<Login>),
    /// Run a query and hand over all its rows.
    Query {
        /// The statement.
        sql: String,
        /// By place.
        binds: Vec<Datum>,
        /// What each column is read as.
        kinds: Vec<Kind>,
        /// How many rows are to come with the first answer.
        prefetch: u32,
    },
    /// Run a block or another statement without rows.
    Call {
        /// The statement.
        sql: String,
        /// By place.
        binds: Vec<Bind>,
    },
    /// Say who we are in V$SESSION from the next call on.
    Tag {
        /// ACTION.
        action: String,
    },
}

/// What a connection process answers.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// It is logged in to a server of this release: its first two numbers.
    Connected(Release),
    /// The rows.
    Rows(Rows),
    /// The values of the OUT binds, by place.
    Values(Vec<Datum>),
    /// Done.
    Done,
    /// It did not work.
    Failed(DriverError),
}

/// The first two numbers of a server's release: 12.1, 19.28.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Release {
    /// 11, 12, 18, 19, 21, 23.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl Release {
    /// So many points so many.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }
}

/// Which client does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DriverKind {
    /// Oracle Client libraries.
    Oci,
    /// Oracle's driver without libraries.
    Thin,
}

impl DriverKind {
    /// The word in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oci => "oci",
            Self::Thin => "thin",
        }
    }
}

/// How to log in. It has no `Debug`: a password stands in it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    /// Which client.
    pub driver: DriverKind,
    /// Easy Connect, a descriptor or an alias.
    pub connect: String,
    /// The account; `None` with the client's wallet.
    pub username: Option<String>,
    /// Its password; `None` with the client's wallet.
    pub password: Option<String>,
    /// Where tnsnames.ora and sqlnet.ora are, instead of TNS_ADMIN.
    pub config_dir: Option<String>,
    /// Where the wallet for TCPS is (thin; the client libraries have it in sqlnet.ora).
    pub wallet: Option<String>,
    /// How long connecting to one address may take, in milliseconds.
    pub connect_millis: u64,
    /// MODULE, which names our sessions.
    pub module: String,
    /// CLIENT_INFO.
    pub client_info: String,
}

impl Drop for Login {
    fn drop(&mut self) {
        self.password.zeroize();
    }
}

/// Writes a frame. What stood in the buffer is wiped: it may have been a password.
pub fn write<W: Write>(to: &mut W, message: &impl Serialize) -> io::Result<()> {
    let mut bytes = postcard::to_stdvec(message).map_err(io::Error::other)?;
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= FRAME_BYTES_MAX);
    let length = length.ok_or_else(|| io::Error::other("a message is too long"))?;
    let written = to
        .write_all(&length.to_le_bytes())
        .and_then(|()| to.write_all(&bytes))
        .and_then(|()| to.flush());
    bytes.zeroize();
    written
}

/// Reads a frame; `None` when the other end has closed.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    if let Err(error) = from.read_exact(&mut length) {
        return if error.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(error) };
    }
    let length = u32::from_le_bytes(length);
    if length > FRAME_BYTES_MAX {
        return Err(io::Error::other("a message is too long"));
    }
    // Grows as bytes come: a length alone reserves nothing.
    let mut bytes = Vec::new();
    from.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() != length as usize {
        return Ok(None);
    }
    let message = postcard::from_bytes(&bytes).map_err(io::Error::other);
    bytes.zeroize();
    message.map(Some)
}

#[cfg(test)]
mod tests {
    use super::{FRAME_BYTES_MAX, Reply, Request, read, write};
    use crate::oracle::datum::Datum;

    #[test]
    fn a_frame_reads_as_it_was_written_and_half_of_one_is_an_end() {
        let mut bytes = Vec::new();
        write(&mut bytes, &Reply::Values(vec![Datum::Number(-1), Datum::Null]))
            .expect("a vector takes all");
        let whole: Option<Reply> = read(&mut bytes.as_slice()).expect("it is whole");
        assert!(
            matches!(whole, Some(Reply::Values(values)) if values == [Datum::Number(-1), Datum::Null])
        );
        for cut in 0..bytes.len() {
            let half: Option<Reply> = read(&mut &bytes[..cut]).expect("an end is no error");
            assert!(half.is_none(), "{cut}");
        }
    }

    #[test]
    fn a_length_beyond_the_bound_and_bytes_that_are_no_message_are_errors() {
        let long = (FRAME_BYTES_MAX + 1).to_le_bytes();
        assert!(read::<Request>(&mut long.as_slice()).is_err());
        let mut wrong = 2_u32.to_le_bytes().to_vec();
        wrong.extend([0xff, 0xff]);
        assert!(read::<Request>(&mut wrong.as_slice()).is_err());
    }
}

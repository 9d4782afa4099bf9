//! Packets: cutting the stream into them, and wrapping answers in them. Every length is checked against a bound before
//! anything is kept.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

/// A socket, with TLS or without.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

/// Why a connection ends. Nothing is wrong with the server.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the client closed the connection")]
    Closed,
    #[error("the socket failed")]
    Socket(#[from] io::Error),
    #[error("the client was too slow")]
    Slow,
    #[error("the client broke the protocol: {0}")]
    Protocol(&'static str),
}

/// What a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Accept,
    Refuse,
    Data,
    Marker,
    /// All that a client may send and that means nothing here.
    Other(u8),
}

impl Kind {
    const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Connect,
            2 => Self::Accept,
            4 => Self::Refuse,
            6 => Self::Data,
            12 => Self::Marker,
            other => Self::Other(other),
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Connect => 1,
            Self::Accept => 2,
            Self::Refuse => 4,
            Self::Data => 6,
            Self::Marker => 12,
            Self::Other(code) => code,
        }
    }
}

/// What a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Break,
    Reset,
    Interrupt,
}

/// One packet, without its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) kind: Kind,
    pub(super) body: Vec<u8>,
}

impl Packet {
    /// The payload of a DATA packet, and whether it announces the end of the connection.
    pub(super) fn data(&self) -> Result<(&[u8], bool), Fault> {
        let Some((flags, payload)) = self.body.split_first_chunk::<2>() else {
            return Err(Fault::Protocol("a data packet without flags"));
        };
        Ok((payload, u16::from_be_bytes(*flags) & DATA_EOF != 0))
    }

    /// What a MARKER packet says.
    pub(super) fn marker(&self) -> Result<Marker, Fault> {
        match self.body.as_slice() {
            [_, _, 1] => Ok(Marker::Break),
            [_, _, 2] => Ok(Marker::Reset),
            [_, _, 3] => Ok(Marker::Interrupt),
            _ => Err(Fault::Protocol("an unknown marker")),
        }
    }
}

const HEADER: usize = 8;
const DATA_EOF: u16 = 0x0040;
const DATA_END_OF_RESPONSE: u16 = 0x2000;

/// The largest packet before the log-on has settled another size: a CONNECT with its data.
pub(super) const FIRST_PACKET_MAX: usize = 8_192;
/// How much is read from a socket at once.
const READ_BYTES: usize = 16 * 1_024;
/// How much is written to a socket at once.
const WRITE_BYTES: usize = 64 * 1_024;
/// An empty buffer larger than this is given back.
const KEPT_BYTES_MAX: usize = 64 * 1_024;

/// Takes one packet from the front of `input`, if all of it is there.
pub(super) fn split(input: &mut Vec<u8>, wide: bool, max: usize) -> Result<Option<Packet>, Fault> {
    let Some(header) = input.first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let [a, b, c, d, code, ..] = *header;
    let length =
        if wide { u32::from_be_bytes([a, b, c, d]) } else { u16::from_be_bytes([a, b]).into() };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if !(HEADER..=max).contains(&length) {
        return Err(Fault::Protocol("a packet of an impossible length"));
    }
    if input.len() < length {
        return Ok(None);
    }
    let body = input.drain(..length).skip(HEADER).collect();
    Ok(Some(Packet { kind: Kind::from_code(code), body }))
}

/// A socket that packets come from and go to.
pub(super) struct Wire {
    socket: Box<dyn Socket>,
    input: Vec<u8>,
    /// When the first byte came of what is not complete yet.
    begun: Option<Instant>,
    patience: Duration,
    wide: bool,
    sdu: usize,
    end_of_response: bool,
}

impl Wire {
    /// A fresh connection. `patience` is how long a client may pause within one request, or refuse to read an answer.
    pub(super) fn new(socket: Box<dyn Socket>, patience: Duration) -> Self {
        Self {
            socket,
            input: Vec::new(),
            begun: None,
            patience,
            wide: false,
            sdu: FIRST_PACKET_MAX,
            end_of_response: false,
        }
    }

    /// What ACCEPT settled: lengths of four bytes, and the size of packets.
    pub(super) fn accepted(&mut self, wide: bool, sdu: usize) {
        self.wide = wide;
        self.sdu = sdu;
    }

    /// From now on the last packet of an answer says that it is the last.
    pub(super) fn mark_end_of_response(&mut self) {
        self.end_of_response = true;
    }

    /// How much of an answer one packet holds.
    pub(super) const fn payload_max(&self) -> usize {
        self.sdu - HEADER - 2
    }

    /// True if bytes have come that nobody has looked at.
    pub(super) fn has_more(&self) -> bool {
        !self.input.is_empty()
    }

    /// The request is complete: the next byte begins another one.
    pub(super) fn settle(&mut self) {
        self.begun = self.has_more().then(Instant::now);
        if self.input.is_empty() && self.input.capacity() > KEPT_BYTES_MAX {
            self.input = Vec::new();
        }
    }

    /// The next packet. A cancelled call loses nothing.
    pub(super) async fn packet(&mut self) -> Result<Packet, Fault> {
        loop {
            let max = self.sdu.max(FIRST_PACKET_MAX);
            if let Some(packet) = split(&mut self.input, self.wide, max)? {
                return Ok(packet);
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Fault> {
        self.input.reserve(READ_BYTES);
        let read = self.socket.read_buf(&mut self.input);
        let count = match self.begun {
            None => read.await?,
            Some(begun) => tokio::time::timeout_at(begun + self.patience, read)
                .await
                .map_err(|_| Fault::Slow)??,
        };
        if count == 0 {
            return Err(Fault::Closed);
        }
        self.begun.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// Sends an answer in as many packets as it takes.
    pub(super) async fn send(&mut self, answer: &[u8]) -> Result<(), Fault> {
        let mut output = Vec::new();
        let room = self.payload_max();
        let mut rest = answer;
        loop {
            let (now, later) = rest.split_at(rest.len().min(room));
            rest = later;
            let last = rest.is_empty() && self.end_of_response;
            let flags = if last { DATA_END_OF_RESPONSE } else { 0 };
            self.frame(&mut output, Kind::Data, &[&flags.to_be_bytes(), now])?;
            if rest.is_empty() {
                return self.write(&output).await;
            }
            if output.len() >= WRITE_BYTES {
                self.write(&output).await?;
                output.clear();
            }
        }
    }

    /// Sends the beginning of a long answer, in whole packets, and takes it away from `answer`.
    pub(super) async fn send_some(&mut self, answer: &mut Vec<u8>) -> Result<(), Fault> {
        let room = self.payload_max();
        // Something stays: the last packet of an answer is never empty.
        let whole = answer.len().saturating_sub(1) / room * room;
        let mut output = Vec::with_capacity(whole + whole / room * (HEADER + 2));
        for payload in answer[..whole].chunks(room) {
            self.frame(&mut output, Kind::Data, &[&[0, 0], payload])?;
        }
        answer.drain(..whole);
        self.write(&output).await
    }

    /// Sends a packet that is not an answer.
    pub(super) async fn send_packet(&mut self, kind: Kind, body: &[u8]) -> Result<(), Fault> {
        let mut output = Vec::with_capacity(HEADER + body.len());
        self.frame(&mut output, kind, &[body])?;
        self.write(&output).await
    }

    /// Sends a marker.
    pub(super) async fn send_marker(&mut self, marker: Marker) -> Result<(), Fault> {
        let code = match marker {
            Marker::Break => 1,
            Marker::Reset => 2,
            Marker::Interrupt => 3,
        };
        self.send_packet(Kind::Marker, &[1, 0, code]).await
    }

    /// Tells the client that nothing more will come.
    pub(super) async fn send_end(&mut self) -> Result<(), Fault> {
        self.send_packet(Kind::Data, &DATA_EOF.to_be_bytes()).await
    }

    /// Closes the connection so that the client can still read what was sent: a socket that is dropped with something
    /// unread takes it away again.
    pub(super) async fn part(mut self) {
        /// How long a client may take to close its side, and how much it may send until then.
        const PARTING: Duration = Duration::from_secs(2);
        const PARTING_READS: usize = 64;
        let parting = async {
            self.socket.shutdown().await?;
            for _ in 0..PARTING_READS {
                self.input.clear();
                if self.socket.read_buf(&mut self.input).await? == 0 {
                    break;
                }
            }
            io::Result::Ok(())
        };
        // Either way there is nothing more to do for it.
        drop(tokio::time::timeout(PARTING, parting).await);
    }

    fn frame(&self, output: &mut Vec<u8>, kind: Kind, parts: &[&[u8]]) -> Result<(), Fault> {
        let length = HEADER + parts.iter().map(|part| part.len()).sum::<usize>();
        let too_long = |_| Fault::Protocol("a packet that is too long to send");
        if self.wide {
            output.extend(u32::try_from(length).map_err(too_long)?.to_be_bytes());
        } else {
            output.extend(u16::try_from(length).map_err(too_long)?.to_be_bytes());
            output.extend([0, 0]);
        }
        output.extend([kind.code(), 0, 0, 0]);
        for part in parts {
            output.extend_from_slice(part);
        }
        Ok(())
    }

    async fn write(&mut self, output: &[u8]) -> Result<(), Fault> {
        let write = async {
            self.socket.write_all(output).await?;
            self.socket.flush().await
        };
        Ok(tokio::time::timeout(self.patience, write).await.map_err(|_| Fault::Slow)??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_cut_at_their_length() {
        let mut input = vec![0, 11, 0, 0, 12, 0, 0, 0, 1, 0, 2, 99];
        let packet = split(&mut input, false, 100).expect("well formed").expect("complete");
        assert_eq!((packet.kind, packet.body.as_slice()), (Kind::Marker, &[1, 0, 2][..]));
        assert_eq!(packet.marker().expect("a marker"), Marker::Reset);
        assert_eq!(input, [99]);
        let mut wide = vec![0, 0, 0, 10, 6, 0, 0, 0, 0, 0x40];
        let packet = split(&mut wide, true, 100).expect("well formed").expect("complete");
        assert!(packet.data().expect("data").1);
    }

    #[test]
    fn impossible_lengths_are_refused_before_anything_is_kept() {
        for length in [0_u32, 7, 101, u32::MAX] {
            let mut input = length.to_be_bytes().to_vec();
            input.extend([6, 0, 0, 0]);
            assert!(split(&mut input, true, 100).is_err(), "{length}");
        }
        assert!(split(&mut vec![0, 0, 0, 9, 6, 0, 0], true, 100).expect("no fault yet").is_none());
    }
}

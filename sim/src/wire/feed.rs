//! Messages out of packets, and answers into them. A message has neither a length nor an end: it is read again from its
//! beginning whenever more of it has come.

use std::time::Duration;

use super::codec::{Reader, Unreadable, Writer};
use super::negotiate::Habits;
use super::packet::{Fault, Kind, Marker, Packet, Wire};
use super::reply;

/// What came from a client.
pub(super) enum Incoming<T> {
    Message(T),
    Marker(Marker),
    /// The client is about to close the connection.
    End,
}

/// An answer longer than this begins to be sent before it is complete.
const ANSWER_BYTES: usize = 64 * 1_024;

/// The end of what has come.
struct Tail {
    /// The last packet was as long as a packet can be.
    full: bool,
    /// Where the last message ends was not known, and its end may not have come yet.
    lost: bool,
}

/// A client's messages.
pub(super) struct Feed {
    pub(super) wire: Wire,
    /// What has come and was not read.
    buffer: Vec<u8>,
    /// The longest message.
    bytes_max: usize,
    /// Answers carry a byte that says that they end.
    marks_end: bool,
    /// Answers had better fit one packet.
    short_answers: bool,
    tail: Tail,
    /// What the next answer is to be known by, if by anything.
    token: u64,
}

/// A message that ends with a full packet is noticed so much later.
const MOMENT: Duration = Duration::from_millis(5);

impl Feed {
    /// Messages of at most so many bytes.
    pub(super) const fn new(wire: Wire, bytes_max: usize) -> Self {
        Self {
            wire,
            buffer: Vec::new(),
            bytes_max,
            marks_end: false,
            short_answers: false,
            tail: Tail { full: false, lost: false },
            token: 0,
        }
    }

    /// From now on messages may be longer.
    pub(super) const fn allow(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// From now on the end of each answer is marked.
    pub(super) fn mark_end_of_response(&mut self) {
        self.marks_end = true;
        self.wire.mark_end_of_response();
    }

    /// The next message. A cancelled call loses nothing.
    pub(super) async fn next<T>(
        &mut self,
        read: impl Fn(&mut Reader<'_>) -> Result<T, Unreadable>,
    ) -> Result<Incoming<T>, Fault> {
        // Where a long message is still to be read again from its beginning.
        let mut again_at = 0;
        loop {
            // While more is there already, reading what may be incomplete is wasted work. Behind a full packet more is
            // likely to come, so there it is only tried again when a quarter more is there, or after a moment.
            let waits = self.tail.full && self.buffer.len() < again_at;
            if !self.buffer.is_empty() && !self.wire.has_more() && !waits {
                if let Some(message) = self.read(&read)? {
                    return Ok(Incoming::Message(message));
                }
                again_at = self.buffer.len() + self.buffer.len() / 4;
            }
            let packet = if waits {
                let Ok(packet) = tokio::time::timeout(MOMENT, self.wire.packet()).await else {
                    again_at = 0;
                    continue;
                };
                packet?
            } else {
                self.wire.packet().await?
            };
            if packet.kind == Kind::Marker {
                return packet.marker().map(Incoming::Marker);
            }
            let lost = self.tail.lost;
            if self.keep(&packet)? {
                return Ok(Incoming::End);
            }
            if lost {
                self.lose();
            }
        }
    }

    fn read<T>(
        &mut self,
        read: impl Fn(&mut Reader<'_>) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Fault> {
        let new = if self.tail.full { Reader::new } else { Reader::new_whole };
        let mut reader = new(&self.buffer);
        match read(&mut reader) {
            Ok(message) => {
                let used = self.buffer.len() - reader.left();
                self.tail.lost = reader.is_lost() && self.tail.full;
                if used == self.buffer.len() {
                    self.forget();
                } else {
                    self.buffer.drain(..used);
                }
                Ok(Some(message))
            }
            Err(Unreadable::Short) => Ok(None),
            Err(Unreadable::Wrong(why)) => Err(Fault::Protocol(why)),
        }
    }

    /// Keeps the payload of a packet for later; true if the client is about to close the connection.
    pub(super) fn keep(&mut self, packet: &Packet) -> Result<bool, Fault> {
        if packet.kind != Kind::Data {
            return Err(Fault::Protocol("a packet of an unexpected kind"));
        }
        let (payload, end) = packet.data()?;
        if self.buffer.len() + payload.len() > self.bytes_max {
            return Err(Fault::Protocol("a request that is too long"));
        }
        self.buffer.extend_from_slice(payload);
        self.tail.full = payload.len() >= self.wire.payload_max();
        Ok(end)
    }

    /// Throws away what has come of a message whose end is not known. It goes on behind a packet that is full.
    fn lose(&mut self) {
        self.tail.lost = self.tail.full;
        self.forget();
    }

    /// Drops what has come and was not read.
    pub(super) fn forget(&mut self) {
        self.buffer = Vec::new();
        self.wire.settle();
    }

    /// Writes answers as the client likes to read them.
    pub(super) const fn adapt(&mut self, habits: Habits) {
        self.short_answers = habits.likes_short_answers;
    }

    /// True if a client had better fetch again than get one more row like the last. Where the end of an answer is
    /// marked, no client has any trouble with long ones.
    pub(super) const fn is_enough(&self, answer: usize, row: usize) -> bool {
        /// What may stand behind the rows.
        const END: usize = 64;
        self.short_answers && !self.marks_end && answer + row + END > self.wire.payload_max()
    }

    /// Sends what there is of a long answer, so that it need not be held whole.
    pub(super) async fn spill(&mut self, answer: &mut Writer) -> Result<(), Fault> {
        if answer.len() >= ANSWER_BYTES {
            self.name(answer);
            self.wire.send_some(answer.bytes_mut()).await?;
        }
        Ok(())
    }

    /// What the next answer is to be known by within a pipeline; 0 outside of one.
    pub(super) const fn answers(&mut self, token: u64) {
        self.token = token;
    }

    /// Puts in front of an answer what it is to be known by.
    fn name(&mut self, answer: &mut Writer) {
        let token = std::mem::take(&mut self.token);
        if token != 0 {
            let mut named = Writer::new();
            reply::write_token(&mut named, token);
            answer.bytes_mut().splice(..0, named.into_bytes());
        }
    }

    /// Sends an answer, or the rest of it.
    pub(super) async fn send(&mut self, mut answer: Writer) -> Result<(), Fault> {
        self.name(&mut answer);
        if self.marks_end {
            reply::write_end_of_response(&mut answer);
        }
        self.wire.send(&answer.into_bytes()).await
    }

    /// Answers a break: both sides are to say that they have thrown away what was under way.
    pub(super) async fn begin_reset(&mut self) -> Result<(), Fault> {
        self.forget();
        self.wire.send_marker(Marker::Break).await
    }

    /// The client says so. A cancelled call loses nothing.
    pub(super) async fn client_reset(&mut self) -> Result<(), Fault> {
        loop {
            let packet = self.wire.packet().await?;
            if packet.kind == Kind::Marker && packet.marker()? == Marker::Reset {
                return Ok(());
            }
        }
    }

    /// This side says so.
    pub(super) async fn end_reset(&mut self) -> Result<(), Fault> {
        self.wire.settle();
        self.wire.send_marker(Marker::Reset).await
    }
}

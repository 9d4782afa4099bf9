//! One connection, from CONNECT to the end of the log-on; what comes after it is the session's.

use std::net::SocketAddr;
use std::sync::Arc;

use super::Shared;
use super::auth::{self, Challenge, Message, SessionKey};
use super::codec::{Reader, Unreadable, Writer};
use super::connect::{self, Connect, Grant};
use super::feed::{Feed, Incoming};
use super::negotiate::{self, DataTypes, Habits, Profile};
use super::packet::{Fault, Kind, Socket, Wire};
use super::reply::{self, End};
use super::request::{self, Header, REQUEST_BYTES_MAX};
use super::session::{Door, Session};
use crate::conversation::{About, Conversation, Database, Destination, Identity};
use crate::ora::OraError;

/// The longest message of a log-on.
const LOG_ON_BYTES_MAX: usize = 64 * 1_024;

/// Serves one client until either side has enough. Whatever goes wrong is the client's own affair.
pub(super) async fn serve(socket: Box<dyn Socket>, peer: SocketAddr, shared: &Shared, room: bool) {
    let limits = shared.options.limits;
    let feed = Feed::new(Wire::new(socket, limits.request), LOG_ON_BYTES_MAX);
    let log_on = log_on(feed, peer, shared, room);
    if let Ok(Ok(Some(session))) = tokio::time::timeout(limits.log_on, log_on).await {
        session.run().await;
    }
}

/// From CONNECT to a session; `None` if the client was turned away.
async fn log_on(
    mut feed: Feed,
    peer: SocketAddr,
    shared: &Shared,
    room: bool,
) -> Result<Option<Session>, Fault> {
    let Some(target) = connect(&mut feed, shared, room).await? else {
        return Ok(None);
    };
    let fields = target.profile.fields;
    let mut log_on = LogOn { fields, target, challenge: None, shared, peer, thin: false };
    loop {
        let fields = log_on.fields;
        let Incoming::Message(step) = feed.next(|reader| Step::read(reader, fields)).await? else {
            return Ok(None);
        };
        if !matches!(step, Step::Protocol(_) | Step::DataTypes(_)) && log_on.target.marks_end {
            feed.mark_end_of_response();
        }
        if let Step::Protocol(habits) | Step::Fast(habits, ..) = step {
            feed.adapt(habits);
            log_on.thin = habits.thin;
        }
        let mut answer = Writer::new();
        match log_on.step(step, &mut answer)? {
            Turn::Next => feed.send(answer).await?,
            Turn::Away => {
                feed.send(answer).await?;
                feed.wire.part().await;
                return Ok(None);
            }
            Turn::In(conversation, key) => {
                feed.send(answer).await?;
                feed.allow(REQUEST_BYTES_MAX);
                let LogOn { target, fields, .. } = log_on;
                let door = Door { database: target.database, key, about: target.about };
                return Ok(Some(Session::new(feed, conversation, fields, door)));
            }
        }
    }
}

/// Where a client is connected to.
struct Target {
    database: Arc<dyn Database>,
    instance: u32,
    about: About,
    profile: Profile,
    service: String,
    marks_end: bool,
}

/// Answers CONNECT; `None` if it was refused.
async fn connect(feed: &mut Feed, shared: &Shared, room: bool) -> Result<Option<Target>, Fault> {
    /// No listener service has room for one more.
    const NO_ROOM: u32 = 12_516;
    /// No version of the protocol that both sides know.
    const NO_VERSION: u32 = 12_618;
    let (asked, descriptor) = read_connect(feed).await?;
    let wanted = connect::destination(&descriptor);
    let found =
        if room { resolve(shared, &wanted) } else { Err(OraError::new(NO_ROOM, "no room")) };
    let (database, instance) = match found {
        Ok(found) => found,
        Err(error) => return refuse(feed, error.code).await,
    };
    let about = database.about(instance);
    let profile = Profile::of(about.release);
    let Some(grant) = Grant::new(&asked, profile) else {
        return refuse(feed, NO_VERSION).await;
    };
    feed.wire.send_packet(Kind::Accept, &grant.accept()).await?;
    let sdu = usize::try_from(grant.sdu).unwrap_or(usize::MAX);
    feed.wire.accepted(grant.version >= connect::VERSION_WIDE, sdu);
    feed.forget();
    let service = wanted.service.or(wanted.sid).unwrap_or_default();
    let marks_end = negotiate::marks_end_of_response(grant.flags);
    Ok(Some(Target { database, instance, about, profile, service, marks_end }))
}

async fn refuse<T>(feed: &mut Feed, code: u32) -> Result<Option<T>, Fault> {
    feed.wire.send_packet(Kind::Refuse, &connect::refuse(code)).await?;
    Ok(None)
}

/// The CONNECT packet and its descriptor, which comes in a packet of its own if it is long.
async fn read_connect(feed: &mut Feed) -> Result<(Connect, String), Fault> {
    let packet = feed.wire.packet().await?;
    if packet.kind != Kind::Connect {
        return Err(Fault::Protocol("a first packet that is no CONNECT"));
    }
    let asked =
        connect::read(&packet.body).map_err(|_| Fault::Protocol("an unreadable CONNECT"))?;
    let length = match &asked.descriptor {
        Ok(descriptor) => {
            let descriptor = descriptor.clone();
            return Ok((asked, descriptor));
        }
        Err(length) => *length,
    };
    let mut descriptor = Vec::new();
    while descriptor.len() < length {
        let packet = feed.wire.packet().await?;
        descriptor.extend_from_slice(packet.data()?.0);
    }
    Ok((asked, String::from_utf8_lossy(&descriptor).into_owned()))
}

/// The first database that knows the way, or else the most telling error.
fn resolve(shared: &Shared, wanted: &Destination) -> Result<(Arc<dyn Database>, u32), OraError> {
    /// The service or the SID is not known, which one database may say while another one knows it.
    const NOT_KNOWN: [u32; 2] = [12_514, 12_505];
    if wanted.service.is_none() && wanted.sid.is_none() {
        let text = "TNS:listener was not given the SERVICE_NAME in CONNECT_DATA";
        return Err(OraError::new(12_504, text));
    }
    let mut worst = OraError::new(12_514, "listener does not know of the service");
    for (index, database) in shared.databases.iter().enumerate() {
        match database.resolve(wanted) {
            Ok(instance) => return Ok((Arc::clone(database), instance)),
            Err(error) if index == 0 || !NOT_KNOWN.contains(&error.code) => worst = error,
            Err(_) => {}
        }
    }
    Err(worst)
}

/// A message of the log-on.
enum Step {
    Protocol(Habits),
    DataTypes(DataTypes),
    Fast(Habits, DataTypes, u8, Message),
    First(u8, Message),
    Second(u8, Message),
}

impl Step {
    fn read(reader: &mut Reader<'_>, fields: u8) -> Result<Self, Unreadable> {
        const PROTOCOL: u8 = 1;
        const DATA_TYPES: u8 = 2;
        const FAST: u8 = 34;
        /// What a function within a fast log-on looks like.
        const FAST_FIELDS: u8 = 13;
        match reader.u8()? {
            PROTOCOL => negotiate::read_protocol(reader).map(Self::Protocol),
            DATA_TYPES => negotiate::read_data_types(reader).map(Self::DataTypes),
            FAST => {
                let (habits, types) = negotiate::read_fast(reader)?;
                match (reader.u8()?, Self::read_function(reader, FAST_FIELDS)?) {
                    (request::FUNCTION, Self::First(sequence, message)) => {
                        Ok(Self::Fast(habits, types, sequence, message))
                    }
                    _ => Err(Unreadable::Wrong("a fast log-on without a log-on")),
                }
            }
            request::FUNCTION => Self::read_function(reader, fields),
            _ => Err(Unreadable::Wrong("something else than a log-on")),
        }
    }

    fn read_function(reader: &mut Reader<'_>, fields: u8) -> Result<Self, Unreadable> {
        const FIRST: u8 = 118;
        const SECOND: u8 = 115;
        let Header { code, sequence, .. } = request::read_header(reader, fields)?;
        match code {
            FIRST => Ok(Self::First(sequence, Message::read(reader)?)),
            SECOND => Ok(Self::Second(sequence, Message::read(reader)?)),
            _ => Err(Unreadable::Wrong("a call before the log-on")),
        }
    }
}

/// Reads one message of a log-on, for nothing but to see that reading it does no harm.
pub(super) fn read_any(bytes: &[u8], fields: u8) {
    drop(Step::read(&mut Reader::new(bytes), fields));
}

/// Where a log-on goes from here.
enum Turn {
    Next,
    Away,
    In(Box<dyn Conversation>, SessionKey),
}

/// A log-on under way.
struct LogOn<'a> {
    target: Target,
    /// The version of the fields of messages: what both sides know.
    fields: u8,
    challenge: Option<(Challenge, Message)>,
    shared: &'a Shared,
    peer: SocketAddr,
    /// The client reads warnings.
    thin: bool,
}

impl LogOn<'_> {
    fn step(&mut self, step: Step, answer: &mut Writer) -> Result<Turn, Fault> {
        match step {
            Step::Protocol(_) => negotiate::write_protocol(answer, self.target.profile.fields),
            Step::DataTypes(types) => self.agree(&types, answer),
            Step::Fast(_, types, sequence, message) => {
                negotiate::write_protocol(answer, self.target.profile.fields);
                self.agree(&types, answer);
                self.challenge(sequence, message, answer)?;
            }
            Step::First(sequence, message) => self.challenge(sequence, message, answer)?,
            Step::Second(sequence, message) => return self.verify(sequence, &message, answer),
        }
        Ok(Turn::Next)
    }

    fn agree(&mut self, types: &DataTypes, answer: &mut Writer) {
        self.fields = self.target.profile.fields.min(types.fields);
        negotiate::write_data_types(answer, types);
    }

    const fn end(&self, sequence: u8) -> End {
        let row_id = [0; 4];
        let (cursor, kind, rows, in_transaction) = (0, 0, 0, false);
        End { fields: self.fields, sequence, cursor, kind, row_id, rows, in_transaction }
    }

    fn challenge(
        &mut self,
        sequence: u8,
        message: Message,
        answer: &mut Writer,
    ) -> Result<(), Fault> {
        let password = self.target.database.password(&message.account());
        let challenge = Challenge::new(&self.shared.verifiers, password)?;
        challenge.write(answer);
        self.end(sequence).write_success(answer);
        self.challenge = Some((challenge, message));
        Ok(())
    }

    fn verify(
        &mut self,
        sequence: u8,
        second: &Message,
        answer: &mut Writer,
    ) -> Result<Turn, Fault> {
        let Some((challenge, first)) = self.challenge.take() else {
            return Err(Fault::Protocol("an answer without a question"));
        };
        let database = &self.target.database;
        let proof =
            challenge.check(second).ok_or_else(|| database.wrong_password(&first.account()));
        let logged_on = proof.and_then(|proof| {
            if let Some(error) = second.refusal() {
                return Err(error);
            }
            if let Some(password) = &proof.new_password {
                database.change_password(&first.account(), password)?;
            }
            let identity = self.identity(&first, second);
            let conversation = database.log_on(self.target.instance, identity)?;
            Ok((proof, conversation))
        });
        match logged_on {
            Ok((proof, conversation)) => {
                let session = conversation.session();
                let most = conversation.open_cursors();
                let pairs = about_pairs(&self.target, self.fields, proof.text, session, most);
                auth::write_pairs(answer, &pairs);
                if let Some(warning) = conversation.warning().filter(|_| self.thin) {
                    reply::write_warning(answer, &warning);
                }
                self.end(sequence).write_success(answer);
                Ok(Turn::In(conversation, proof.key))
            }
            Err(error) => {
                self.end(sequence).write_error(answer, &error);
                Ok(Turn::Away)
            }
        }
    }

    fn identity(&self, first: &Message, second: &Message) -> Identity {
        let either = |key| if first.get(key).is_empty() { second.get(key) } else { first.get(key) };
        Identity {
            user: first.account(),
            sysdba: first.sysdba() || second.sysdba(),
            program: either("AUTH_PROGRAM_NM").to_owned(),
            machine: either("AUTH_MACHINE").to_owned(),
            osuser: either("AUTH_SID").to_owned(),
            terminal: either("AUTH_TERMINAL").to_owned(),
            process: either("AUTH_PID").to_owned(),
            driver: second.get("SESSION_CLIENT_DRIVER_NAME").trim().to_owned(),
            port: self.peer.port(),
            service: self.target.service.clone(),
            time_zone: second.time_zone(),
            contexts: second.contexts().to_vec(),
        }
    }
}

/// What a client is told once it is in.
fn about_pairs(
    target: &Target,
    fields: u8,
    proof: String,
    session: (u32, u32),
    open_cursors: u16,
) -> Vec<(&'static str, String, u32)> {
    const IDENTIFIER_BYTES: u8 = 128;
    const IDENTIFIER_BYTES_OLD: u8 = 30;
    const FIELDS_WITH_LONG_IDENTIFIERS: u8 = 8;
    let About { version, database, unique_name, domain, instance, inst_id, host, .. } =
        &target.about;
    let long = target.profile.fields >= FIELDS_WITH_LONG_IDENTIFIERS;
    let identifier = if long { IDENTIFIER_BYTES } else { IDENTIFIER_BYTES_OLD };
    let pairs = [
        ("AUTH_VERSION_NO", version_number(*version, fields).to_string()),
        ("AUTH_SVR_RESPONSE", proof),
        ("AUTH_SESSION_ID", session.0.to_string()),
        ("AUTH_SERIAL_NUM", session.1.to_string()),
        ("AUTH_MAX_OPEN_CURSORS", open_cursors.to_string()),
        ("AUTH_MAX_IDEN_LENGTH", identifier.to_string()),
        ("AUTH_SC_SERVICE_NAME", target.service.to_lowercase()),
        ("AUTH_INSTANCENAME", instance.clone()),
        ("AUTH_SC_INSTANCE_NAME", instance.clone()),
        ("AUTH_SC_DBUNIQUE_NAME", unique_name.clone()),
        ("AUTH_DBNAME", database.clone()),
        ("AUTH_SC_DB_DOMAIN", domain.clone()),
        ("AUTH_SC_SERVER_HOST", host.clone()),
        ("AUTH_INSTANCE_NO", inst_id.to_string()),
        ("AUTH_NLS_LXLAN", "AMERICAN".to_owned()),
        ("AUTH_NLS_LXCTERRITORY", "AMERICA".to_owned()),
        ("AUTH_NLS_LXCNUMERICS", ".,".to_owned()),
        ("AUTH_NLS_LXCDATEFM", "DD-MON-RR".to_owned()),
        ("AUTH_NLS_LXCDATELANG", "AMERICAN".to_owned()),
        ("AUTH_NLS_LXCSORT", "BINARY".to_owned()),
    ];
    pairs.into_iter().map(|(key, value)| (key, value, 0)).collect()
}

/// The release as one number, which had another layout before 18c; then the second part had four bits only.
pub(super) fn version_number(version: [u8; 5], fields: u8) -> u32 {
    const FIELDS_WITH_NEW_LAYOUT: u8 = 11;
    const FOUR_BITS: u32 = 15;
    let [release, update, revision, increment, last] = version.map(u32::from);
    if fields >= FIELDS_WITH_NEW_LAYOUT {
        release << 24 | update << 16 | revision << 12 | increment << 4 | last
    } else {
        let update = if update > FOUR_BITS { 0 } else { update };
        release << 24 | update << 20 | revision << 12 | increment << 8 | last
    }
}

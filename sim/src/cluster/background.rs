//! The instance's own sessions: background processes with their real names and waits (realdata, section 2.5).

use std::sync::Arc;

use super::birth::Birth;
use super::event::EventId;
use super::session::{Call, CallKind, Client, Marks, Role, Server, SessionType};
use super::wait::Doing;
use super::{Cluster, Micros, SECOND};
use crate::conversation::Release;

/// A background: its name, what it waits for and how long one round of that takes.
type Background = (&'static str, EventId, Micros);

/// Every release has these.
const ALWAYS: &[Background] = &[
    ("PMON", EventId::PmonTimer, 3 * SECOND),
    ("PSP0", EventId::IpcMessage, 3 * SECOND),
    ("VKTM", EventId::VktmIdle, 0),
    ("GEN0", EventId::IpcMessage, 3 * SECOND),
    ("DIAG", EventId::DiagIdle, SECOND),
    ("DBRM", EventId::IpcMessage, 3 * SECOND),
    ("DIA0", EventId::DiagIdle, SECOND),
    ("MMAN", EventId::IpcMessage, 3 * SECOND),
    ("DBW0", EventId::IpcMessage, 3 * SECOND),
    ("DBW1", EventId::IpcMessage, 3 * SECOND),
    ("LGWR", EventId::IpcMessage, 3 * SECOND),
    ("CKPT", EventId::IpcMessage, 3 * SECOND),
    ("SMON", EventId::SmonTimer, 300 * SECOND),
    ("RECO", EventId::IpcMessage, 1_800 * SECOND),
    ("MMON", EventId::IpcMessage, 3 * SECOND),
    ("MMNL", EventId::IpcMessage, SECOND),
    ("SMCO", EventId::IpcMessage, 300 * SECOND),
    ("W000", EventId::SpaceManagerSlave, 5 * SECOND),
    ("W001", EventId::SpaceManagerSlave, 5 * SECOND),
    ("CJQ0", EventId::IpcMessage, 5 * SECOND),
    ("Q001", EventId::AqSlave, 28 * SECOND),
    ("Q002", EventId::AqTime, 0),
    ("ARC0", EventId::IpcMessage, 60 * SECOND),
    ("ARC1", EventId::IpcMessage, 60 * SECOND),
    ("ARC2", EventId::IpcMessage, 60 * SECOND),
    ("ARC3", EventId::IpcMessage, 60 * SECOND),
];

/// Instances of a cluster have these besides.
const CLUSTERED: &[Background] = &[
    ("PING", EventId::PingIdle, 5 * SECOND),
    ("ACMS", EventId::IpcMessage, 3 * SECOND),
    ("LMON", EventId::IpcMessage, 3 * SECOND),
    ("LMD0", EventId::GesRemote, SECOND),
    ("LMS0", EventId::GcsRemote, SECOND),
    ("LMS1", EventId::GcsRemote, SECOND),
    ("LMS2", EventId::GcsRemote, SECOND),
    ("LMS3", EventId::GcsRemote, SECOND),
    ("LMHB", EventId::IpcMessage, 3 * SECOND),
    ("RMS0", EventId::IpcMessage, 3 * SECOND),
    ("LCK0", EventId::IpcMessage, 3 * SECOND),
    ("RSMN", EventId::IpcMessage, 3 * SECOND),
    ("GCR0", EventId::IpcMessage, 3 * SECOND),
    ("GCR1", EventId::ClassSlave, 0),
    ("ASMB", EventId::AsmTimer, 5 * SECOND),
    ("RBAL", EventId::IpcMessage, 3 * SECOND),
    ("O000", EventId::ClassSlave, 0),
    ("O001", EventId::ClassSlave, 0),
    ("RVWR", EventId::IpcMessage, 3 * SECOND),
    ("XDMG", EventId::IpcMessage, 3 * SECOND),
    ("XDWK", EventId::ClassSlave, 0),
    ("EMNC", EventId::IpcMessage, 5 * SECOND),
    ("E000", EventId::ClassSlave, 0),
    ("E001", EventId::ClassSlave, 0),
    ("E002", EventId::ClassSlave, 0),
];

/// 11.2 and 12.1 have this.
const OLD: &[Background] =
    &[("QMNC", EventId::AqCoordinator, 28 * SECOND), ("VKRM", EventId::IpcMessage, 3 * SECOND)];

/// Since 12.2.
const NEW: &[Background] = &[
    ("CLMN", EventId::PmonTimer, 3 * SECOND),
    ("PMAN", EventId::PmanTimer, 0),
    ("SVCB", EventId::IpcMessage, 3 * SECOND),
    ("SCMN", EventId::WatchdogIdle, 0),
    ("GEN1", EventId::IpcMessage, 3 * SECOND),
    ("OFSD", EventId::OfsIdle, 0),
    ("LREG", EventId::IpcMessage, 3 * SECOND),
    ("LG00", EventId::LgwrGroupIdle, 0),
    ("LG01", EventId::LgwrGroupIdle, 0),
    ("PXMN", EventId::IpcMessage, 3 * SECOND),
    ("TMON", EventId::HeartbeatIdle, 15 * SECOND),
    ("TT00", EventId::HeartbeatIdle, 15 * SECOND),
    ("TT01", EventId::HeartbeatIdle, 15 * SECOND),
    ("TT02", EventId::HeartbeatIdle, 15 * SECOND),
    ("AQPC", EventId::AqpcIdle, 30 * SECOND),
    ("W002", EventId::SpaceManagerSlave, 5 * SECOND),
    ("W003", EventId::SpaceManagerSlave, 5 * SECOND),
    ("M000", EventId::ClassSlave, 0),
    ("M001", EventId::ClassSlave, 0),
    ("M002", EventId::ClassSlave, 0),
    ("QM02", EventId::AqSlave, 28 * SECOND),
    ("Q003", EventId::AqSlave, 28 * SECOND),
];

impl Cluster {
    /// The background processes of an instance, on the model's release.
    pub(super) fn start_backgrounds(&mut self, inst_id: u32, at: Micros) {
        let modern = self.release() >= Release::R12_2;
        let clustered = if self.spec.instances.len() > 1 { CLUSTERED } else { &[] };
        let generation = if modern { NEW } else { OLD };
        for background in ALWAYS.iter().chain(clustered).chain(generation) {
            self.start_background(inst_id, at, *background);
        }
    }

    fn start_background(&mut self, inst_id: u32, at: Micros, (name, event, round): Background) {
        let Some(instance) = self.instance(inst_id) else { return };
        let host = Arc::clone(&instance.host);
        let program: Arc<str> = format!("oracle@{host} ({name})").into();
        let client = Client {
            osuser: "oracle".into(),
            process: "".into(),
            machine: host,
            port: 0,
            terminal: "UNKNOWN".into(),
            program,
            driver: "".into(),
            service: "SYS$BACKGROUND".into(),
        };
        let birth = Birth {
            user: None,
            session_type: SessionType::Background,
            connected: Server::Dedicated,
            client: Arc::new(client),
            marks: Marks::default(),
            con_id: 0,
            role: Role::Nobody,
            process_name: Some(name.into()),
            starting: true,
            logon: at,
            audsid: None,
        };
        let Ok(key) = self.spawn(inst_id, birth) else { return };
        if name == "LGWR" {
            self.home(key).log_writer = Some(key);
        }
        let session = self.session_mut(key).expect("it was just made");
        let doing = Doing::Wait { event, since: at, round };
        session.call = Some(Call {
            kind: CallKind::Bare,
            began: at,
            doing,
            seed: u64::from(key.sid),
            expected: None,
        });
    }
}

//! An instance: its session slots, its processes and its state. Slots are given out as Oracle does it: what was freed
//! last is used first, and SERIAL# rises (facts, section 1.1).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Micros;
use super::rng::Rng;
use super::session::{Session, SessionKey};
use super::transaction::Transaction;

/// STATUS of V$INSTANCE, and what lies between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceState {
    /// Not there: ORA-01034.
    Down,
    /// STARTED or MOUNTED: ORA-01033.
    Starting,
    /// OPEN
    Open,
    /// OPEN, SHUTDOWN_PENDING: ORA-01089.
    Stopping,
}

/// A server process: a row of V$PROCESS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// PID.
    pub pid: u32,
    /// ADDR.
    pub addr: u64,
    /// SPID.
    pub spid: u32,
    /// SERIAL#.
    pub serial: u32,
    /// PNAME; only named processes have one.
    pub name: Option<Arc<str>>,
    /// BACKGROUND is 1.
    pub background: bool,
    /// PROGRAM.
    pub program: Arc<str>,
    /// PGA_USED_MEM.
    pub pga_used: u64,
    /// The session that it serves.
    pub session: Option<SessionKey>,
}

/// A slot of the session array.
#[derive(Debug, Default)]
struct Slot {
    serial: u32,
    session: Option<Box<Session>>,
}

/// What is wrong with an instance; each until a moment of the model's clock.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble {
    pub(super) hung: Option<Micros>,
    pub(super) hidden: Option<Micros>,
    pub(super) stuck: Option<Micros>,
    pub(super) slow: Option<(Micros, Micros)>,
    pub(super) errors: Vec<u32>,
    pub(super) log_on_errors: Vec<u32>,
    pub(super) taken: Option<(Micros, u32)>,
}

/// What PMON still has to do for a dead process or a killed session: a row of V$DEAD_CLEANUP (facts, section 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadCleanup {
    /// TYPE: `DEAD PROCESS` or `KILLED SESSION`.
    pub cleanup_type: &'static str,
    /// PADDR.
    pub paddr: u64,
    /// SADDR.
    pub saddr: u64,
    /// STATE.
    pub state: &'static str,
    /// DEAD_TIME in seconds.
    pub dead_time: u64,
    /// CLEANUP_ATTEMPTS.
    pub attempts: u64,
    /// NUM_BLOCKED.
    pub blocked: u64,
    /// CON_ID.
    pub con_id: u32,
}

/// A row of V$RESOURCE_LIMIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceLimit {
    /// RESOURCE_NAME.
    pub name: &'static str,
    /// CURRENT_UTILIZATION.
    pub current: u64,
    /// MAX_UTILIZATION.
    pub max: u64,
    /// INITIAL_ALLOCATION and LIMIT_VALUE; `None` is UNLIMITED.
    pub limit: Option<u64>,
}

/// A count with its peak.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gauge {
    pub(super) now: u32,
    pub(super) peak: u32,
}

impl Gauge {
    pub(super) fn rise(&mut self) {
        self.now += 1;
        self.peak = self.peak.max(self.now);
    }

    pub(super) fn fall(&mut self) {
        self.now -= 1;
    }
}

/// An instance.
#[derive(Debug)]
pub struct Instance {
    /// INSTANCE_NUMBER.
    pub id: u32,
    /// INSTANCE_NAME.
    pub name: Arc<str>,
    /// HOST_NAME.
    pub host: Arc<str>,
    /// Its state.
    pub state: InstanceState,
    /// STARTUP_TIME, on its own clock.
    pub startup: Micros,
    /// ALTER SYSTEM ENABLE RESTRICTED SESSION: LOGINS is RESTRICTED.
    pub restricted: bool,
    /// How far its clock is ahead of the model's.
    pub skew: Micros,
    slots: Vec<Slot>,
    free_slots: Vec<u32>,
    processes: Vec<Option<Process>>,
    free_pids: Vec<u32>,
    /// How often each PID was used.
    process_serials: Vec<u32>,
    pub(super) transactions: BTreeMap<u64, Transaction>,
    pub(super) trouble: Trouble,
    pub(super) sessions_used: Gauge,
    pub(super) processes_used: Gauge,
    pub(super) transactions_used: Gauge,
    pub(super) slaves_used: Gauge,
    /// How many sessions began since it was started.
    pub(super) logons: u64,
    /// How many calls the sessions made that are gone.
    pub(super) calls_before: u64,
    pub(super) next_spid: u32,
    pub(super) next_transaction: u64,
    pub(super) next_execution: u32,
    slave_numbers: BTreeSet<u32>,
    /// The session of LGWR.
    pub(super) log_writer: Option<SessionKey>,
}

impl Instance {
    /// An instance that is down.
    pub(super) fn new(
        id: u32,
        name: &str,
        host: &str,
        sessions: u32,
        processes: u32,
        rng: &mut Rng,
    ) -> Self {
        // SIDs are spread over somewhat more than the limit.
        let slots = sessions + sessions / 4 + 8;
        let mut instance = Self {
            id,
            name: name.into(),
            host: host.into(),
            state: InstanceState::Down,
            startup: 0,
            skew: 0,
            slots: Vec::new(),
            free_slots: Vec::new(),
            processes: Vec::new(),
            free_pids: Vec::new(),
            process_serials: vec![0; processes as usize + 2],
            transactions: BTreeMap::new(),
            trouble: Trouble::default(),
            sessions_used: Gauge::default(),
            logons: 0,
            calls_before: 0,
            processes_used: Gauge::default(),
            transactions_used: Gauge::default(),
            slaves_used: Gauge::default(),
            next_spid: 3_000 + u32::try_from(rng.below(20_000)).expect("small"),
            next_transaction: 1,
            next_execution: 0,
            slave_numbers: BTreeSet::new(),
            log_writer: None,
            restricted: false,
        };
        instance.slots.resize_with(slots as usize + 1, Slot::default);
        instance.reset(rng);
        instance
    }

    /// Empties the instance, as a restart does: SIDs and serials begin anew.
    pub(super) fn reset(&mut self, rng: &mut Rng) {
        let slots = self.slots.len();
        for slot in &mut self.slots {
            *slot = Slot::default();
        }
        self.free_slots = (1..u32::try_from(slots).expect("few slots")).collect();
        for place in (1..self.free_slots.len()).rev() {
            self.free_slots.swap(place, rng.index(place + 1));
        }
        // PID 1 is the pseudo process; nobody gets it.
        let pids = u32::try_from(self.process_serials.len()).expect("few processes");
        self.processes = vec![None; pids as usize];
        self.free_pids = (2..pids).rev().collect();
        self.process_serials.fill(0);
        self.transactions.clear();
        self.slave_numbers.clear();
        self.sessions_used = Gauge::default();
        self.logons = 0;
        self.calls_before = 0;
        self.processes_used = Gauge::default();
        self.transactions_used = Gauge::default();
        self.slaves_used = Gauge::default();
    }

    /// How many sessions began since it was started.
    pub const fn logons(&self) -> u64 {
        self.logons
    }

    /// How many calls its sessions made since it was started, those that are gone among them.
    pub fn calls(&self) -> u64 {
        self.calls_before + self.sessions().map(|session| session.calls).sum::<u64>()
    }

    /// What the instance's clock shows when the model's shows `now`.
    pub const fn clock(&self, now: Micros) -> Micros {
        now + self.skew
    }

    /// Its sessions, by SID.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.slots.iter().filter_map(|slot| slot.session.as_deref())
    }

    /// The session in a slot.
    pub fn session(&self, sid: u32) -> Option<&Session> {
        self.slots.get(sid as usize)?.session.as_deref()
    }

    pub(super) fn session_mut(&mut self, sid: u32) -> Option<&mut Session> {
        self.slots.get_mut(sid as usize)?.session.as_deref_mut()
    }

    /// Its processes, by PID.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter().flatten()
    }

    /// Its transactions, by age.
    pub fn transactions(&self) -> impl Iterator<Item = &Transaction> {
        self.transactions.values()
    }

    /// Takes the slot that was freed last. What starts with the instance has serial 1.
    pub(super) fn take_slot(&mut self, rng: &mut Rng, starting: bool) -> Option<SessionKey> {
        let sid = self.free_slots.pop()?;
        let slot = &mut self.slots[sid as usize];
        slot.serial = match (slot.serial, starting) {
            (0, false) => 1 + u32::try_from(rng.below(60_000)).expect("small"),
            (0, true) | (65_535, _) => 1,
            (serial, _) => serial + 1,
        };
        Some(SessionKey { inst_id: self.id, sid, serial: slot.serial })
    }

    /// Puts a session into its slot.
    pub(super) fn seat(&mut self, session: Session) {
        self.sessions_used.rise();
        self.logons += 1;
        let sid = session.key.sid as usize;
        self.slots[sid].session = Some(Box::new(session));
    }

    /// Takes a session out; its slot is the next to be used.
    pub(super) fn unseat(&mut self, key: SessionKey) -> Option<Session> {
        let slot = self.slots.get_mut(key.sid as usize)?;
        if slot.session.as_ref()?.key != key {
            return None;
        }
        let session = slot.session.take()?;
        self.free_slots.push(key.sid);
        self.sessions_used.fall();
        self.calls_before += session.calls;
        Some(*session)
    }

    /// Makes a process.
    pub(super) fn start_process(
        &mut self,
        name: Option<Arc<str>>,
        background: bool,
        program: Arc<str>,
    ) -> Option<u32> {
        let pid = self.free_pids.pop()?;
        let serial = &mut self.process_serials[pid as usize];
        *serial += 1;
        self.next_spid = 3_000 + (self.next_spid - 3_000 + 7) % 4_000_000;
        let (serial, spid) = (*serial, self.next_spid);
        let addr = self.process_addr(pid);
        let pga_used = 1_200_000 + u64::from(spid % 97) * 65_536;
        self.processes_used.rise();
        self.processes[pid as usize] = Some(Process {
            pid,
            addr,
            spid,
            serial,
            name,
            background,
            program,
            pga_used,
            session: None,
        });
        Some(pid)
    }

    /// Ends a process.
    pub(super) fn end_process(&mut self, pid: u32) -> Option<Process> {
        let process = self.processes.get_mut(pid as usize)?.take()?;
        self.free_pids.push(pid);
        self.processes_used.fall();
        Some(process)
    }

    /// The process of a killed session is gone, but counts until its client was told (facts, section 2.5).
    pub(super) fn end_process_of_ghost(&mut self, pid: u32) {
        if self.end_process(pid).is_some() {
            self.processes_used.rise();
        }
    }

    /// The lowest number that no slave here has.
    pub(super) fn take_slave_number(&mut self) -> u32 {
        let mut number = 0;
        while self.slave_numbers.contains(&number) {
            number += 1;
        }
        self.slave_numbers.insert(number);
        number
    }

    pub(super) fn free_slave_number(&mut self, number: u32) {
        self.slave_numbers.remove(&number);
    }

    pub(super) fn process_mut(&mut self, pid: u32) -> Option<&mut Process> {
        self.processes.get_mut(pid as usize)?.as_mut()
    }

    /// ADDR of a PID.
    pub(super) fn process_addr(&self, pid: u32) -> u64 {
        0x0000_0000_7100_0000 + u64::from(self.id) * 0x1000_0000_0000 + u64::from(pid) * 0x1_0a8
    }

    /// SADDR of a SID.
    pub(super) fn session_addr(&self, sid: u32) -> u64 {
        0x0000_0000_7800_0000 + u64::from(self.id) * 0x1000_0000_0000 + u64::from(sid) * 0x2_c80
    }
}

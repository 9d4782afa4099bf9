//! The wait events that the model uses: names, classes and what P1 to P3 mean. EVENT# is the place in the list, so it
//! is stable within one build and means nothing beyond.

/// A wait class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitClass {
    /// 0
    Other,
    /// 1
    Application,
    /// 2
    Configuration,
    /// 3
    Administrative,
    /// 4
    Concurrency,
    /// 5
    Commit,
    /// 6
    Idle,
    /// 7
    Network,
    /// 8
    UserIo,
    /// 9
    SystemIo,
    /// 10
    Scheduler,
    /// 11
    Cluster,
}

impl WaitClass {
    /// WAIT_CLASS#, WAIT_CLASS_ID and WAIT_CLASS.
    pub const fn columns(self) -> (u32, u32, &'static str) {
        match self {
            Self::Other => (0, 1_893_977_003, "Other"),
            Self::Application => (1, 4_217_450_380, "Application"),
            Self::Configuration => (2, 3_290_255_840, "Configuration"),
            Self::Administrative => (3, 4_166_625_743, "Administrative"),
            Self::Concurrency => (4, 3_875_070_507, "Concurrency"),
            Self::Commit => (5, 3_386_400_367, "Commit"),
            Self::Idle => (6, 2_723_168_908, "Idle"),
            Self::Network => (7, 2_000_153_315, "Network"),
            Self::UserIo => (8, 1_740_759_767, "User I/O"),
            Self::SystemIo => (9, 4_108_307_767, "System I/O"),
            Self::Scheduler => (10, 2_396_326_234, "Scheduler"),
            Self::Cluster => (11, 3_871_361_733, "Cluster"),
        }
    }
}

/// A wait event.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// EVENT.
    pub name: &'static str,
    /// WAIT_CLASS and its numbers.
    pub class: WaitClass,
    /// P1TEXT, P2TEXT, P3TEXT.
    pub texts: [&'static str; 3],
}

macro_rules! events {
    ($($id:ident $class:ident $name:literal $p1:literal $p2:literal $p3:literal)*) => {
        /// An event by name. The number is EVENT#.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the names are Oracle's")]
        pub enum EventId { $($id),* }

        impl EventId {
            /// All, by EVENT#.
            pub const ALL: &[Self] = &[$(Self::$id),*];

            /// What V$EVENT_NAME says.
            pub const fn event(self) -> &'static Event {
                &EVENTS[self as usize]
            }
        }

        static EVENTS: &[Event] = &[
            $(Event { name: $name, class: WaitClass::$class, texts: [$p1, $p2, $p3] }),*
        ];
    };
}

events! {
    MessageFromClient Idle "SQL*Net message from client" "driver id" "#bytes" ""
    MessageToClient Network "SQL*Net message to client" "driver id" "#bytes" ""
    MoreDataFromClient Network "SQL*Net more data from client" "driver id" "#bytes" ""
    MessageFromDblink Network "SQL*Net message from dblink" "driver id" "#bytes" ""
    RowLock Application "enq: TX - row lock contention" "name|mode" "usn<<16 | slot" "sequence"
    UserLock Application "enq: UL - contention" "name|mode" "id" "0"
    TableLock Application "enq: TM - contention" "name|mode" "object #" "table/partition"
    IndexLock Concurrency "enq: TX - index contention" "name|mode" "usn<<16 | slot" "sequence"
    LockTimer Idle "PL/SQL lock timer" "duration" "" ""
    SequentialRead UserIo "db file sequential read" "file#" "block#" "blocks"
    ScatteredRead UserIo "db file scattered read" "file#" "block#" "blocks"
    DirectRead UserIo "direct path read" "file number" "first dba" "block cnt"
    DirectReadTemp UserIo "direct path read temp" "file number" "first dba" "block cnt"
    DirectWriteTemp UserIo "direct path write temp" "file number" "first dba" "block cnt"
    LogFileSync Commit "log file sync" "buffer#" "sync scn" ""
    CrBlock Cluster "gc cr block 2-way" "file#" "block#" "class#"
    CurrentBlock Cluster "gc current block 2-way" "file#" "block#" "id#"
    BufferBusyAcquire Cluster "gc buffer busy acquire" "file#" "block#" "class#"
    BufferBusy Concurrency "buffer busy waits" "file#" "block#" "class#"
    LibraryCacheLock Concurrency "library cache lock" "handle address" "lock address" "100*mode+namespace"
    MutexX Concurrency "library cache: mutex X" "idn" "value" "where"
    PinS Concurrency "cursor: pin S" "idn" "value" "where"
    CacheBuffersChains Concurrency "latch: cache buffers chains" "address" "number" "tries"
    LogBufferSpace Configuration "log buffer space" "" "" ""
    LogFileSwitch Configuration "log file switch (archiving needed)" "" "" ""
    LatchFree Other "latch free" "address" "number" "tries"
    ReliableMessage Other "reliable message" "channel context" "channel handle" "broadcast message"
    ResmgrCpu Scheduler "resmgr:cpu quantum" "location" "consumer group id" ""
    RmanIo SystemIo "RMAN backup & recovery I/O" "count" "intr" "timeout"
    ControlFileWrite SystemIo "control file parallel write" "files" "block#" "requests"
    ControlFileRead SystemIo "control file sequential read" "file#" "block#" "blocks"
    LogFileWrite SystemIo "log file parallel write" "files" "blocks" "requests"
    DbFileWrite SystemIo "db file parallel write" "requests" "interrupt" "timeout"
    PxExecuteReply Idle "PX Deq: Execute Reply" "sleeptime/senderid" "passes" ""
    PxExecutionMsg Idle "PX Deq: Execution Msg" "sleeptime/senderid" "passes" ""
    PxSendBlocked Idle "PX Deq Credit: send blkd" "sleeptime/senderid" "passes" "qref"
    JobqSlave Idle "jobq slave wait" "" "" ""
    ClassSlave Idle "class slave wait" "slave id" "" ""
    SpaceManagerSlave Idle "Space Manager: slave idle wait" "Slave ID" "" ""
    AqWaiting Idle "Streams AQ: waiting for messages in the queue" "queue id" "process#" "wait time"
    AqCoordinator Idle "Streams AQ: qmn coordinator idle wait" "" "" ""
    AqSlave Idle "Streams AQ: qmn slave idle wait" "" "" ""
    AqTime Idle "Streams AQ: waiting for time management or cleanup tasks" "" "" ""
    PipeGet Idle "pipe get" "handle address" "buffer length" "timeout"
    IpcMessage Idle "rdbms ipc message" "timeout" "" ""
    PmonTimer Idle "pmon timer" "duration" "" ""
    SmonTimer Idle "smon timer" "sleep time" "failed" ""
    PmanTimer Idle "pman timer" "" "" ""
    VktmIdle Idle "VKTM Logical Idle Wait" "" "" ""
    DiagIdle Idle "DIAG idle wait" "component" "where" "wait time(millisec)"
    GcsRemote Idle "gcs remote message" "waittime" "poll" "event"
    GesRemote Idle "ges remote message" "waittime" "loop" "p3"
    PingIdle Idle "PING" "" "" ""
    AsmTimer Idle "ASM background timer" "" "" ""
    LgwrGroupIdle Idle "LGWR worker group idle" "" "" ""
    AqpcIdle Idle "AQPC idle" "" "" ""
    OfsIdle Idle "OFS idle" "" "" ""
    HeartbeatIdle Idle "heartbeat redo informer" "" "" ""
    WatchdogIdle Idle "watchdog main loop" "" "" ""
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_distinct_and_numbers_are_places() {
        let names: BTreeSet<_> = EventId::ALL.iter().map(|id| id.event().name).collect();
        assert_eq!(names.len(), EventId::ALL.len());
        assert_eq!(EventId::RowLock.event().name, "enq: TX - row lock contention");
        assert_eq!(WaitClass::Idle.columns().1, 2_723_168_908);
    }
}

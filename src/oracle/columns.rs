//! Where each column of a snapshot comes from: an expression, the view behind it, and how that is joined to GV$SESSION.
//! Facts, sections 1.1 to 1.3, 1.10, 1.11 and 3.
//!
//! Texts are templates. `[gv]` is `gv$`, or `v$` where a connection looks at its own instance only; `[on x]` is
//! `x.inst_id = s.inst_id AND `, or nothing; `[inst]` is `inst_id, `, or nothing.

use super::protocol::Release;
use crate::engine::session::{Column, NumberColumn, TextColumn};

/// Percent of a limit, in thousandths; NULL where there is none.
macro_rules! usage {
    ($what:literal) => {
        concat!(
            "CASE WHEN l.",
            $what,
            "_limit = 'UNLIMITED' THEN NULL ELSE ROUND(l.",
            $what,
            " * 100000 / NULLIF(TO_NUMBER(l.",
            $what,
            "_limit), 0)) END"
        )
    };
}

/// The running jobs, of one container or of all.
macro_rules! jobs {
    ($view:literal) => {
        concat!(
            "LEFT JOIN (SELECT running_instance, session_id, MAX(job_name) job_name FROM ",
            $view,
            " GROUP BY running_instance, session_id) j ON j.running_instance = s.inst_id AND j.session_id = s.sid"
        )
    };
}

/// A view that is joined when one of its columns is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Join {
    /// GV$PROCESS.
    Process,
    /// GV$TRANSACTION, summed over a session's transactions.
    Transaction,
    /// GV$PX_SESSION.
    PxSession,
    /// GV$PX_PROCESS.
    PxProcess,
    /// DBA_USERS, or CDB_USERS in the root.
    Users,
    /// GV$SQL.
    Sql,
    /// GV$TEMPSEG_USAGE, summed.
    TempUsage,
    /// GV$SESSTAT, three statistics of it.
    Statistics,
    /// GV$RESOURCE_LIMIT.
    ResourceLimit,
    /// V$CONTAINERS.
    Containers,
    /// GV$INSTANCE.
    Instance,
    /// DBA_SCHEDULER_RUNNING_JOBS.
    Jobs,
    /// DBA_DATAPUMP_SESSIONS.
    DataPump,
    /// GV$GOLDENGATE_CAPTURE.
    GoldenGate,
}

impl Join {
    /// All, in the order in which they are joined.
    pub const ALL: [Self; 14] = [
        Self::Process,
        Self::Transaction,
        Self::PxSession,
        Self::PxProcess,
        Self::Users,
        Self::Sql,
        Self::TempUsage,
        Self::Statistics,
        Self::ResourceLimit,
        Self::Containers,
        Self::Instance,
        Self::Jobs,
        Self::DataPump,
        Self::GoldenGate,
    ];

    /// The views that must be readable for it, as they are granted.
    pub const fn views(self) -> &'static [&'static str] {
        match self {
            Self::Process => &["GV_$PROCESS"],
            Self::Transaction => &["GV_$TRANSACTION"],
            Self::PxSession => &["GV_$PX_SESSION"],
            Self::PxProcess => &["GV_$PX_PROCESS"],
            Self::Users => &["DBA_USERS"],
            Self::Sql => &["GV_$SQL"],
            Self::TempUsage => &["GV_$TEMPSEG_USAGE", "V_$PARAMETER"],
            Self::Statistics => &["GV_$SESSTAT", "V_$STATNAME"],
            Self::ResourceLimit => &["GV_$RESOURCE_LIMIT"],
            Self::Containers => &["V_$CONTAINERS"],
            Self::Instance => &["GV_$INSTANCE"],
            Self::Jobs => &["DBA_SCHEDULER_RUNNING_JOBS"],
            Self::DataPump => &["DBA_DATAPUMP_SESSIONS"],
            Self::GoldenGate => &["GV_$GOLDENGATE_CAPTURE"],
        }
    }

    /// The first release that has it.
    pub const fn since(self) -> Release {
        match self {
            Self::Containers => Release::new(12, 1),
            _ => Release::new(11, 2),
        }
    }

    /// The template of the join; `in_root` asks for what holds for every container.
    pub const fn template(self, in_root: bool) -> &'static str {
        match self {
            Self::Process => "LEFT JOIN [gv]process p ON [on p]p.addr = s.paddr",
            Self::Transaction => TRANSACTION,
            Self::PxSession => {
                "LEFT JOIN [gv]px_session x ON [on x]x.sid = s.sid AND x.serial# = s.serial#"
            }
            Self::PxProcess => {
                "LEFT JOIN [gv]px_process g ON [on g]g.sid = s.sid AND g.serial# = s.serial#"
            }
            Self::Users if in_root => {
                "LEFT JOIN cdb_users u ON u.con_id = s.con_id AND u.username = s.username"
            }
            Self::Users => "LEFT JOIN dba_users u ON u.username = s.username",
            Self::Sql => SQL,
            Self::TempUsage => TEMP_USAGE,
            Self::Statistics => STATISTICS,
            Self::ResourceLimit => RESOURCE_LIMIT,
            Self::Containers => "LEFT JOIN v$containers c ON c.con_id = s.con_id",
            Self::Instance => "LEFT JOIN [gv]instance i ON [on i]1 = 1",
            Self::Jobs if in_root => jobs!("cdb_scheduler_running_jobs"),
            Self::Jobs => jobs!("dba_scheduler_running_jobs"),
            Self::DataPump => DATA_PUMP,
            Self::GoldenGate => {
                "LEFT JOIN [gv]goldengate_capture e ON [on e]e.sid = s.sid AND e.serial# = s.serial#"
            }
        }
    }
}

/// A session can have several: autonomous ones, branches.
const TRANSACTION: &str = "LEFT JOIN (SELECT [inst]ses_addr, SUM(used_urec) used_urec, SUM(used_ublk) used_ublk, \
     MIN(start_date) start_date FROM [gv]transaction GROUP BY [inst]ses_addr) t ON [on t]t.ses_addr = s.saddr";

const SQL: &str = "LEFT JOIN [gv]sql q ON [on q]q.sql_id = s.sql_id AND q.child_number = s.sql_child_number \
     AND q.address = s.sql_address";

/// Temporary tablespaces have the database's own block size.
const TEMP_USAGE: &str = "LEFT JOIN (SELECT [inst]session_addr, session_num, SUM(blocks) blocks \
     FROM [gv]tempseg_usage GROUP BY [inst]session_addr, session_num) m \
     ON [on m]m.session_addr = s.saddr AND m.session_num = s.serial#";

const STATISTICS: &str = "LEFT JOIN (SELECT [inst]v.sid, \
     MAX(CASE WHEN n.name = 'CPU used by this session' THEN v.value END) cpu, \
     MAX(CASE WHEN n.name = 'session logical reads' THEN v.value END) gets, \
     MAX(CASE WHEN n.name = 'physical reads' THEN v.value END) reads \
     FROM [gv]sesstat v JOIN v$statname n ON n.statistic# = v.statistic# \
     WHERE n.name IN ('CPU used by this session', 'session logical reads', 'physical reads') \
     GROUP BY [inst]v.sid) a ON [on a]a.sid = s.sid";

const RESOURCE_LIMIT: &str = "LEFT JOIN (SELECT [inst]\
     MAX(CASE WHEN resource_name = 'sessions' THEN current_utilization END) sessions, \
     MAX(CASE WHEN resource_name = 'sessions' THEN TRIM(limit_value) END) sessions_limit, \
     MAX(CASE WHEN resource_name = 'processes' THEN current_utilization END) processes, \
     MAX(CASE WHEN resource_name = 'processes' THEN TRIM(limit_value) END) processes_limit \
     FROM [gv]resource_limit WHERE resource_name IN ('sessions', 'processes') [group]) l ON [on l]1 = 1";

const DATA_PUMP: &str = "LEFT JOIN (SELECT instance_id, saddr, MAX(session_type) session_type \
     FROM dba_datapump_sessions GROUP BY instance_id, saddr) d ON d.instance_id = s.inst_id AND d.saddr = s.saddr";

/// Where a column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The expression's template.
    pub expression: &'static str,
    /// The view that it needs besides GV$SESSION.
    pub join: Option<Join>,
    /// The first release that has it.
    pub since: Release,
}

const R11_2: Release = Release::new(11, 2);
const R12_1: Release = Release::new(12, 1);

#[expect(clippy::unnecessary_wraps, reason = "one of the two kinds of entry of the tables below")]
const fn own(expression: &'static str) -> Option<Origin> {
    Some(Origin { expression, join: None, since: R11_2 })
}

#[expect(clippy::unnecessary_wraps, reason = "the other kind")]
const fn joined(join: Join, expression: &'static str) -> Option<Origin> {
    Some(Origin { expression, join: Some(join), since: join.since() })
}

/// Where `column` comes from; `None` for what no view of a live database tells.
pub const fn origin(column: Column) -> Option<Origin> {
    match column {
        Column::Text(column) => text(column),
        Column::Number(column) => number(column),
    }
}

const fn text(column: TextColumn) -> Option<Origin> {
    match column {
        TextColumn::Username => own("s.username"),
        TextColumn::Osuser => own("s.osuser"),
        TextColumn::Machine => own("s.machine"),
        TextColumn::Program => own("s.program"),
        TextColumn::Module => own("s.module"),
        TextColumn::Action => own("s.action"),
        TextColumn::ClientInfo => own("s.client_info"),
        TextColumn::ClientIdentifier => own("s.client_identifier"),
        TextColumn::ServiceName => own("s.service_name"),
        TextColumn::Schemaname => own("s.schemaname"),
        TextColumn::Terminal => own("s.terminal"),
        TextColumn::Process => own("s.process"),
        TextColumn::Server => own("s.server"),
        TextColumn::Status => own("s.status"),
        TextColumn::Type => own("s.type"),
        TextColumn::Event => own("s.event"),
        TextColumn::WaitClass => own("s.wait_class"),
        TextColumn::State => own("s.state"),
        TextColumn::ResourceConsumerGroup => own("s.resource_consumer_group"),
        TextColumn::SqlId => own("s.sql_id"),
        TextColumn::PrevSqlId => own("s.prev_sql_id"),
        TextColumn::BlockingSessionStatus => own("s.blocking_session_status"),
        TextColumn::Taddr => own("s.taddr"),
        TextColumn::FailoverType => own("s.failover_type"),
        // 0 is "not recorded".
        TextColumn::Command => own("TO_CHAR(NULLIF(s.command, 0))"),
        TextColumn::ContainerName => joined(Join::Containers, "c.name"),
        TextColumn::InstanceName => joined(Join::Instance, "i.instance_name"),
        TextColumn::SqlText => joined(Join::Sql, "q.sql_text"),
        // Up to 20 digits, which is more than a number of ours holds.
        TextColumn::ForceMatchingSignature => {
            joined(Join::Sql, "TO_CHAR(q.force_matching_signature)")
        }
        TextColumn::Pname => joined(Join::Process, "p.pname"),
        TextColumn::Background => joined(Join::Process, "p.background"),
        TextColumn::OracleMaintained => Some(Origin {
            expression: "u.oracle_maintained",
            join: Some(Join::Users),
            since: R12_1,
        }),
        TextColumn::IsGv => {
            Some(Origin { expression: "g.is_gv", join: Some(Join::PxProcess), since: R12_1 })
        }
        TextColumn::JobName => joined(Join::Jobs, "j.job_name"),
        TextColumn::SessionType => joined(Join::DataPump, "d.session_type"),
        TextColumn::ExtractName => joined(Join::GoldenGate, "e.extract_name"),
        // No documented view ties a branch to a session (facts, section 3).
        TextColumn::Branchid => None,
    }
}

const fn number(column: NumberColumn) -> Option<Origin> {
    match column {
        NumberColumn::LogonTime => own("s.logon_time"),
        NumberColumn::LastCallEt => own("s.last_call_et"),
        NumberColumn::SqlExecStart => own("s.sql_exec_start"),
        NumberColumn::SqlExecId => own("s.sql_exec_id"),
        NumberColumn::SqlChildNumber => own("s.sql_child_number"),
        NumberColumn::WaitTimeMicro => own("s.wait_time_micro"),
        NumberColumn::SecondsInWait => own("s.seconds_in_wait"),
        NumberColumn::BlockingInstance => own("s.blocking_instance"),
        NumberColumn::BlockingSession => own("s.blocking_session"),
        NumberColumn::Audsid => own("s.audsid"),
        NumberColumn::Port => own("s.port"),
        NumberColumn::Ownerid => own("s.ownerid"),
        NumberColumn::UserNumber => own("s.user#"),
        NumberColumn::ConId => Some(Origin { expression: "s.con_id", join: None, since: R12_1 }),
        NumberColumn::PlanHashValue => joined(Join::Sql, "q.plan_hash_value"),
        NumberColumn::UsedUrec => joined(Join::Transaction, "t.used_urec"),
        NumberColumn::UsedUblk => joined(Join::Transaction, "t.used_ublk"),
        NumberColumn::StartDate => joined(Join::Transaction, "t.start_date"),
        NumberColumn::Qcsid => joined(Join::PxSession, "x.qcsid"),
        NumberColumn::QcinstId => joined(Join::PxSession, "x.qcinst_id"),
        NumberColumn::TempMb => joined(
            Join::TempUsage,
            "ROUND(m.blocks * (SELECT TO_NUMBER(value) FROM v$parameter WHERE name = 'db_block_size') \
             * 1000 / 1048576)",
        ),
        NumberColumn::PgaMb => joined(Join::Process, "ROUND(p.pga_alloc_mem * 1000 / 1048576)"),
        // Hundredths of a second there, thousandths here.
        NumberColumn::CpuSeconds => joined(Join::Statistics, "a.cpu * 10"),
        NumberColumn::LogicalReads => joined(Join::Statistics, "a.gets"),
        NumberColumn::PhysicalReads => joined(Join::Statistics, "a.reads"),
        NumberColumn::SessionUsage => joined(Join::ResourceLimit, usage!("sessions")),
        NumberColumn::ProcessUsage => joined(Join::ResourceLimit, usage!("processes")),
    }
}

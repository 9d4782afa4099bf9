//! What the log can tell. The list is closed: each kind has its word (`event` in JSON), its MESSAGE_ID in the journal,
//! its level, its message and its keys, and `say!` writes lines of a kind with exactly its keys: others do not compile.
//! `docs/logs.md` and the journal's catalog describe the same list; a test holds the three together.

use tracing::{Level, Metadata};

/// The target of every line of ours. Other crates have their own.
pub(crate) const TARGET: &str = "orawarden";

macro_rules! keys {
    ($($variant:ident = $name:literal, $form:ident, $doc:literal;)*) => {
        /// A key of lines.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Key { $(#[doc = $doc] $variant,)* }

        impl Key {
            /// All of them, in the order of the page.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Of what form its values are.
            pub const fn form(self) -> Form {
                match self { $(Self::$variant => Form::$form,)* }
            }

            /// What it means.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

/// Of what form a key's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A string.
    Text,
    /// A whole number from zero, or below it where the page says so.
    Number,
    /// `true` or `false`.
    Flag,
}

keys! {
    Rule = "rule", Text, "the rule's name";
    Owner = "owner", Text, "whom to ask about the rule, as its policy says; not there where it does not";
    Runbook = "runbook", Text, "where to read on about the rule, likewise";
    Database = "database", Text, "the database's name in the configuration";
    Tick = "tick", Text, "names one tick of one database and no other, over restarts too; the audit has the same";
    InstId = "inst_id", Number, "INST_ID of the session";
    Sid = "sid", Number, "SID";
    Serial = "serial", Number, "SERIAL#";
    Username = "username", Text, "USERNAME; not there where it is NULL";
    Action = "action", Text, "what was to be done: `kill immediate`, `report`";
    Outcome = "outcome", Text, "what became of it, as in the audit";
    Because = "because", Text,
        "why, as a word: the kind of a refusal or failure, or why a session stays or a rule stands still";
    Mode = "mode", Text, "the rule's mode: `enforce`, `dry-run`";
    DryRun = "dry_run", Flag,
        "nobody was to be ended: for the rule's mode, the command line, a capture, or for want of an audit";
    Reasons = "reasons", Text,
        "what made the rule match: field, observed value and, in parentheses, the test; joined by `; `";
    Detail = "detail", Text, "why, or what, in a sentence for people";
    Finding = "finding", Text, "what a later look says of a session that was ended, as in the audit";
    Seconds = "seconds", Number,
        "seconds between the act and that look, by the database's clock; not there where that is not known";
    UndoFrom = "undo_from", Number, "undo records when the rollback was first seen";
    Undo = "undo", Number, "undo records now";
    Sessions = "sessions", Number, "sessions seen";
    Ended = "ended", Number, "sessions ended, or being ended by the server";
    WouldEnd = "would_end", Number, "sessions that a dry run would have ended";
    Reported = "reported", Number, "sessions that rules only report";
    GoneOrChanged = "gone_or_changed", Number,
        "sessions left alone because they were gone, or no longer what was judged";
    Trouble = "trouble", Number, "ends that were refused or failed, or whose outcome is not known";
    Spared = "spared", Number, "sessions that matched a rule and stay";
    Halted = "halted", Number, "rules that stood still";
    Missed = "missed", Number, "due times that went by without a tick";
    DurationMs = "duration_ms", Number, "milliseconds from the first look to the last outcome";
    Rules = "rules", Number, "rules in force";
    Databases = "databases", Number, "databases that are watched";
    AllDryRun = "all_dry_run", Flag, "nobody is ended, whatever the rules say";
    Running = "running", Text, "databases where a tick still runs";
    Hanging = "hanging", Number, "loads that were left behind and have not come back";
    Cause = "cause", Text, "what went wrong, with its causes";
    Lost = "lost", Number, "lines since the start that were not written";
    Diagnostics = "diagnostics", Text, "what `orawarden check` says of the policies";
    Capture = "capture", Text, "path of the capture";
    Address = "address", Text, "address and port";
    Hook = "hook", Text, "the name of a hook of `notify`";
    ExitStatus = "exit_status", Number, "the exit code of the process";
    Told = "told", Text, "what a hook is told of: a word of its `events`";
}

macro_rules! kinds {
    ($($variant:ident = $word:literal, $id:literal, $level:ident, $message:literal, $keys:expr;)*) => {
        /// A kind of line.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $(#[doc = $message] $variant,)* }

        impl Kind {
            /// All of them, in the order of the page.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its word: `event` in JSON. It stays what it is, as does the id.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Its MESSAGE_ID.
            pub const fn id(self) -> u128 {
                match self { $(Self::$variant => $id,)* }
            }

            /// Its level.
            pub const fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)* }
            }

            /// Its message, which may change.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// Its keys, in their order. A key without a value is not there.
            pub const fn keys(self) -> &'static [Key] {
                match self { $(Self::$variant => $keys,)* }
            }
        }
    };
}

/// What lines about one end say.
const DECISION: &[Key] = &[
    Key::Rule,
    Key::Owner,
    Key::Runbook,
    Key::Database,
    Key::Tick,
    Key::InstId,
    Key::Sid,
    Key::Serial,
    Key::Username,
    Key::Action,
    Key::Outcome,
    Key::Because,
    Key::Mode,
    Key::DryRun,
    Key::Reasons,
];

/// What lines about a session that was ended before say.
const VERIFIED: &[Key] = &[
    Key::Rule,
    Key::Database,
    Key::Tick,
    Key::InstId,
    Key::Sid,
    Key::Serial,
    Key::Username,
    Key::Action,
    Key::Outcome,
    Key::Finding,
    Key::Seconds,
    Key::UndoFrom,
    Key::Undo,
];

/// What a tick comes to.
const SUMMARY: &[Key] = &[
    Key::Database,
    Key::Tick,
    Key::Sessions,
    Key::Ended,
    Key::WouldEnd,
    Key::Reported,
    Key::GoneOrChanged,
    Key::Trouble,
    Key::Spared,
    Key::Halted,
    Key::Missed,
    Key::DurationMs,
];

/// What is in force.
const IN_FORCE: &[Key] = &[Key::Rules, Key::Databases, Key::AllDryRun];

kinds! {
    Watching = "watching", 0xb2a0_5424_cf40_4524_a039_44a9_6203_7926, INFO, "watching", IN_FORCE;
    Tick = "tick", 0xb1d4_d15a_daf7_43f7_94a1_d8c5_e231_265e, INFO, "tick",
        SUMMARY;
    Ended = "ended", 0xd1f9_abe9_34ee_44aa_a576_bba0_e6f2_7a84, INFO, "ended", DECISION;
    Ending = "ending", 0x64bc_d5dc_2068_4dfd_b2ce_ae3a_094e_5835, INFO, "ending", DECISION;
    WouldEnd = "would-end", 0x2528_f117_99db_4f65_8f1f_5343_30d1_293e, INFO, "would end", DECISION;
    Reported = "reported", 0xe0cb_d5ce_0610_414d_869c_e466_0c47_7aa7, INFO, "reported", DECISION;
    AlreadyGone = "already-gone", 0x04f8_22cf_3b5b_4da5_87bf_cb18_677f_29dd, INFO, "already gone", DECISION;
    Changed = "changed", 0x460f_aaed_6e9d_46bc_adc8_fa95_3a11_9f21, INFO, "not ended: it changed", DECISION;
    Refused = "refused", 0x83e6_b805_c881_4a97_9f8e_f684_37a3_dd57, WARN, "not ended: refused", DECISION;
    Failed = "failed", 0x0f8f_3267_942b_47cc_9331_817a_60a0_86cb, WARN, "not ended: failed", DECISION;
    Unknown = "unknown", 0xd11b_24cf_02e7_455b_baa3_3e57_5b27_4f02, WARN, "may be ended: no answer came in time",
        DECISION;
    Verified = "verified", 0x7de4_619c_f8e7_434d_8c80_cc5f_8553_3ce9, INFO, "verified", VERIFIED;
    NotVerified = "not-verified", 0x0caf_d2ab_cacd_49c0_85fd_bbd5_b08c_e0c2, DEBUG, "not verified yet", VERIFIED;
    Interrupted = "interrupted", 0x9ddf_7b0c_9c45_4ac3_90b6_72c0_8147_49ac, WARN,
        "an earlier run ended before it knew what came of this: unknown, and looked at again",
        &[Key::Rule, Key::Database, Key::InstId, Key::Sid, Key::Serial, Key::Action];
    Spared = "spared", 0xe9bb_7fe6_011a_4a63_bbe3_3fb3_ec8b_f272, DEBUG, "spared",
        &[Key::Rule, Key::Database, Key::Tick, Key::InstId, Key::Sid, Key::Serial, Key::Because, Key::Detail];
    Halted = "halted", 0x7e01_a847_1c8d_43c5_a88f_da29_39c8_f526, WARN, "halted",
        &[Key::Rule, Key::Database, Key::Tick, Key::Because, Key::Detail];
    Asleep = "asleep", 0xf4be_7fb0_27df_4f67_a338_7fb5_0c2e_124b, DEBUG, "asleep",
        &[Key::Rule, Key::Database, Key::Tick, Key::Because, Key::Detail];
    BreakerOpened = "breaker-opened", 0xbeba_6e96_969c_4b5f_ae20_8c8a_fbfe_686a, WARN,
        "breaker open: the rule is back to a dry run", &[Key::Rule, Key::Database, Key::Tick, Key::Detail];
    BreakerClosed = "breaker-closed", 0xbd12_899f_43b8_4eae_91a6_a059_9957_9d10, WARN,
        "breaker closed: the rule enforces again", &[Key::Rule, Key::Database, Key::Tick];
    Missed = "missed", 0x6fb0_b7ad_04e2_4d42_99dd_81be_4033_b7b4, WARN, "due times were missed",
        &[Key::Rule, Key::Database, Key::Tick, Key::Missed];
    Overlap = "overlap", 0x2329_6cda_037f_49a7_a4d7_ce97_374f_b0ab, WARN,
        "a tick still runs, so due times are missed", &[Key::Database];
    Warning = "warning", 0x406d_e015_ff8c_4aca_b70d_2411_7086_f57a, WARN, "warning",
        &[Key::Database, Key::Tick, Key::Detail];
    NotTried = "not-tried", 0x8bdb_2c68_f173_4f67_ae50_e683_a263_9725, WARN,
        "what is left of this tick's ends is not tried", &[Key::Database, Key::Tick, Key::Detail];
    AuditFailed = "audit-failed", 0xbea4_a21d_2e8d_4cef_a49b_f851_c16f_1768, ERROR, "nobody is ended: no audit",
        &[Key::Database, Key::Cause];
    AuditWorks = "audit-works", 0x3080_2171_7a93_4489_b8df_fd47_43de_88e5, INFO, "the audit can be written again",
        &[Key::Database];
    Follows = "follows", 0x21bb_e20f_223a_48e6_af2a_2994_c818_0087, INFO,
        "another daemon leads: enforcing rules end nobody here", &[Key::Database, Key::Detail];
    Leads = "leads", 0xf512_d231_0aea_4e3b_b8a2_2387_ab9d_fa0c, INFO,
        "it leads again: enforcing rules may end sessions", &[Key::Database, Key::Detail];
    HeldBack = "held-back", 0x40e3_950e_f6f9_4ecc_901f_beb4_ac80_52ca, INFO,
        "rules are held back", &[Key::Database, Key::Detail];
    NotHeldBack = "not-held-back", 0x5c6f_c9c6_0c06_423d_8e17_71b1_8e31_d039, INFO,
        "rules are no longer held back", &[Key::Database, Key::Detail];
    CouldNotLook = "could-not-look", 0xdd04_21ad_f5ba_4a63_9a34_72b5_dfbf_e3fb, WARN, "could not look",
        &[Key::Database, Key::Cause];
    MayNotLook = "may-not-look", 0x256b_4938_5f24_4767_9b5d_aea0_dd1b_a25c, ERROR, "could not look",
        &[Key::Database, Key::Cause];
    Loading = "loading", 0xa335_789c_47e9_4494_85d7_19e9_3b88_f9e3, DEBUG, "loading", &[];
    Reloaded = "reloaded", 0x08f4_af3a_039a_47e8_8644_ea3c_d1fb_0f05, INFO, "reloaded", IN_FORCE;
    NotReloaded = "not-reloaded", 0x44e5_8c38_9244_4b66_bbfa_7f77_9d51_f44d, ERROR,
        "not reloaded: what was in force stays", &[Key::Rules, Key::Databases, Key::Hanging, Key::Cause];
    ReloadQueued = "reload-queued", 0x8f58_d87b_7bc9_4b04_a1e0_8b1a_f241_82ab, INFO,
        "a load is under way; the files are read once more after it", &[];
    ReloadIgnored = "reload-ignored", 0x67c8_5d62_1625_4649_9daf_b7ae_de30_f2e6, INFO,
        "not reloaded: the daemon is about to leave", &[];
    LoadUnused = "load-unused", 0x5a06_61c7_38b9_4de8_b74a_e32d_793d_22cc, INFO,
        "a load that was left behind has ended, unused", &[Key::Hanging];
    PolicyWarnings = "policy-warnings", 0x35df_4f90_c095_4edd_9866_6939_2425_696a, WARN,
        "the policies load with warnings", &[Key::Diagnostics];
    CaptureWarning = "capture-warning", 0xb454_fbd2_e58d_4d12_aa15_bc42_2ea2_53d4, WARN,
        "the capture loads with a warning", &[Key::Capture, Key::Detail];
    LogFormatStays = "log-format-stays", 0xe197_975b_a34e_4c3c_a780_2e20_e012_6762, WARN,
        "log.format was changed, which takes a restart; the log goes on as it was", &[];
    HttpListens = "http-listens", 0x2aa2_6a0a_a368_4043_b7ad_ccbf_bf3a_b005, INFO,
        "http listens: metrics, health and the status page", &[Key::Address];
    HttpStays = "http-stays", 0x2ac2_8cd6_a0b4_452b_ad47_da89_ea6c_39f0, WARN,
        "http.listen was changed, which takes a restart; it is served as it was", &[];
    NotifySent = "notify-sent", 0x8e8c_e72b_dd79_4878_ba5e_9020_b9d0_d3e9, INFO,
        "told", &[Key::Hook, Key::Told];
    NotifyFailed = "notify-failed", 0xe561_d025_fe76_4f76_806e_1214_f6b4_8c78, WARN,
        "could not tell", &[Key::Hook, Key::Told, Key::Cause];
    NotifyDropped = "notify-dropped", 0xbebb_6278_cbef_4922_b46c_6e42_2604_cf14, WARN,
        "a message found no room: its hook is too slow", &[Key::Hook];
    NotifyUnfinished = "notify-unfinished", 0x9d48_8952_f63a_4376_954b_fcc9_490b_f9f8, WARN,
        "left before everything was told", &[Key::Hook];
    LinesLost = "lines-lost", 0x8814_002c_6d51_4794_929b_6fe3_2a9a_7cbf, WARN,
        "lines of the log were lost since the start: nobody took them in time", &[Key::Lost];
    Stopping = "stopping", 0x65a3_2063_16dc_4fd3_a3fd_8d54_4802_7189, INFO, "stopping when running ticks are done",
        &[Key::Running];
    LeftBehind = "left-behind", 0x0253_6350_c7e0_48fe_a449_64de_256f_136e, WARN,
        "left without waiting for ticks any longer", &[Key::Running];
    LeftAtOnce = "left-at-once", 0x2dd1_d482_9470_4266_9b2f_94c9_307a_a627, WARN, "left at once, as told",
        &[Key::Running];
    Bug = "bug", 0x7db2_0dbc_e916_4bb1_8038_47b0_8b7f_4904, ERROR, "a bug: nobody is ended any more", &[Key::Cause];
    Left = "left", 0x73ee_e1c6_d8e5_4ebb_a102_1ee4_c9cc_e8ab, INFO, "left", &[];
    LeftWithError = "left-with-error", 0x7104_8a5b_19e9_4133_a324_36a9_6743_5677, ERROR, "left with an error",
        &[Key::ExitStatus, Key::Cause];
}

impl Kind {
    /// The kind of a line of ours; none for lines of other crates.
    pub(super) fn of(metadata: &Metadata<'_>) -> Option<Self> {
        let is_ours = metadata.target() == TARGET;
        Self::ALL.iter().copied().find(|kind| is_ours && kind.word() == metadata.name())
    }

    /// Whether these are its keys. Asked by the compiler.
    pub(crate) const fn has_keys(self, names: &[&str]) -> bool {
        let keys = self.keys();
        let mut at = 0;
        while at < keys.len() && at < names.len() {
            if !is_same(keys[at].name().as_bytes(), names[at].as_bytes()) {
                return false;
            }
            at += 1;
        }
        keys.len() == names.len()
    }
}

/// `==`, which a constant may not use.
const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    one.len() == other.len()
}

/// Writes a line of a kind, with all of its keys in their order: `say!(AuditFailed, database = name, cause = why)`.
macro_rules! say {
    ($kind:ident $(, $key:ident = $value:expr)* $(,)?) => {{
        const KIND: $crate::observe::log::kind::Kind = $crate::observe::log::kind::Kind::$kind;
        const _: () = assert!(KIND.has_keys(&[$(stringify!($key)),*]), "these are not the kind's keys");
        ::tracing::event!(
            name: KIND.word(),
            target: $crate::observe::log::kind::TARGET,
            KIND.level(),
            { $($key = $value,)* },
            "{}",
            KIND.message()
        )
    }};
}
pub(crate) use say;

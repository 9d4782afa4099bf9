//! Exit codes: named, documented, and mapped from every error.

use std::io;
use std::process::ExitCode;

/// For `--help`.
pub(super) const HELP: &str = "Exit codes: 0 fine; 1 a test failed, `plan --exit-code` found someone, \
`kill` left someone, or `doctor` found a failure; 2 usage; \
3 warnings under --deny-warnings; 65 bad capture; 69 database unavailable; 70 a bug; 74 the audit file or the output \
cannot be written; 77 a missing privilege; 78 bad policy or configuration";

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum ExitStatus {
    /// Nothing to say.
    Fine = 0,
    /// A test failed, `plan --exit-code` found someone, `kill` left someone, or `doctor` found a failure.
    Found = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Warnings under `--deny-warnings`.
    Warnings = 3,
    /// A capture has rows that cannot be read, or cannot be read at all (`EX_DATAERR`).
    BadCapture = 65,
    /// A database cannot be looked at, or was not looked at to the end (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// A bug (`EX_SOFTWARE`).
    Bug = 70,
    /// The audit file or the output cannot be written (`EX_IOERR`).
    Output = 74,
    /// A privilege is missing (`EX_NOPERM`).
    Forbidden = 77,
    /// A policy, a test file or a configuration is wrong (`EX_CONFIG`).
    BadPolicy = 78,
}

impl ExitStatus {
    /// Every code, ascending.
    pub(super) const ALL: [Self; 10] = [
        Self::Fine,
        Self::Found,
        Self::Usage,
        Self::Warnings,
        Self::BadCapture,
        Self::Unavailable,
        Self::Bug,
        Self::Output,
        Self::Forbidden,
        Self::BadPolicy,
    ];

    /// What it means.
    pub(super) const fn doc(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Found => {
                "a test failed, `plan --exit-code` found someone, `kill` left someone, or `doctor` found a failure"
            }
            Self::Usage => "the command line is wrong",
            Self::Warnings => "warnings under `--deny-warnings`",
            Self::BadCapture => "a capture has rows that cannot be read, or cannot be read at all",
            Self::Unavailable => {
                "a database cannot be looked at, or `run --once` left before its tick was done"
            }
            Self::Bug => "a bug",
            Self::Output => "the audit file or the output cannot be written",
            Self::Forbidden => "a privilege is missing in the database",
            Self::BadPolicy => "a policy, a test file or a configuration is wrong",
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// Why a verb could not do its work. Diagnostics of files are printed where they are found; their error only carries
/// the exit code.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// What was typed makes no sense together.
    #[error("{0}")]
    Usage(String),
    /// Diagnostics were printed.
    #[error("{0}")]
    BadPolicy(String),
    /// A capture cannot be used.
    #[error("{}", path.display())]
    Capture {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: crate::capture::CaptureError,
    },
    /// The audit file cannot be written.
    #[error("{0}")]
    Audit(String),
    /// Standard output cannot be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
    /// A database cannot be looked at.
    #[error("{0}")]
    Unavailable(String),
    /// A privilege is missing.
    #[error("{0}")]
    Forbidden(String),
    /// The daemon could not start or go on.
    #[error("{0}")]
    Runtime(String),
}

impl CliError {
    pub(super) fn status(&self) -> ExitStatus {
        match self {
            Self::Usage(_) => ExitStatus::Usage,
            Self::BadPolicy(_) => ExitStatus::BadPolicy,
            Self::Capture { .. } => ExitStatus::BadCapture,
            // Whoever closed the pipe had enough.
            Self::Output(source) if source.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Fine,
            Self::Audit(_) | Self::Output(_) => ExitStatus::Output,
            Self::Unavailable(_) => ExitStatus::Unavailable,
            Self::Forbidden(_) => ExitStatus::Forbidden,
            Self::Runtime(_) => ExitStatus::Bug,
        }
    }
}

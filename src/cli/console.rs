//! Where verbs write: results to standard output, everything about them to standard error.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use super::exit::{CliError, ExitStatus};

/// Whether to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The two streams of a verb.
pub(super) struct Console {
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    /// Colours on standard error, where diagnostics go.
    pub(super) color: bool,
}

impl Console {
    /// The process's own streams.
    pub(super) fn of_process(choice: ColorChoice) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty());
        let color = match choice {
            ColorChoice::Auto => wanted && io::stderr().is_terminal(),
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        let out = Box::new(BufWriter::new(io::stdout().lock()));
        Self { out, err: Box::new(io::stderr()), color }
    }

    /// The result.
    pub(super) fn out(&mut self) -> &mut dyn Write {
        &mut self.out
    }

    /// One line beside the result. A reader that went away does not stop the work.
    pub(super) fn note(&mut self, text: &str) {
        self.note_raw(&format!("{text}\n"));
    }

    /// Text beside the result, as it is.
    pub(super) fn note_raw(&mut self, text: &str) {
        if self.err.write_all(text.as_bytes()).is_err() {
            self.err = Box::new(io::sink());
        }
    }

    /// Why the verb failed.
    pub(super) fn error(&mut self, error: &CliError) {
        if !matches!(error, CliError::Output(source) if source.kind() == io::ErrorKind::BrokenPipe)
        {
            self.note(&format!("error: {error}"));
        }
    }

    /// Writes what is buffered. A closed pipe is the reader's choice and no error.
    pub(super) fn flush(&mut self, status: ExitStatus) -> ExitStatus {
        match self.out.flush() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitStatus::Output,
            _ => status,
        }
    }
}

//! Where verbs write: results to standard output, everything about them to standard error.

use std::io::{self, BufRead as _, BufWriter, IsTerminal as _, Read as _, Write};

use super::exit::{CliError, ExitStatus};
use crate::engine::text::{printable, with_causes};

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

/// Longer than any answer that is understood.
const ANSWER_BYTES_MAX: u64 = 64;

/// Whether somebody sits there who can be asked.
pub(super) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
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

    /// One line beside the result, without control characters: it may name what a client wrote. A reader that went away
    /// does not stop the work.
    pub(super) fn note(&mut self, text: &str) {
        self.note_raw(&format!("{}\n", printable(text)));
    }

    /// Text beside the result, as it is.
    pub(super) fn note_raw(&mut self, text: &str) {
        if self.err.write_all(text.as_bytes()).is_err() {
            self.err = Box::new(io::sink());
        }
    }

    /// Asks whoever sits at the terminal, after everything else was written. Only `yes` is a yes.
    pub(super) fn confirms(&mut self, question: &str) -> Result<bool, CliError> {
        self.out.flush()?;
        self.note_raw(&printable(question));
        let mut answer = String::new();
        io::stdin().lock().take(ANSWER_BYTES_MAX).read_line(&mut answer)?;
        Ok(answer.trim().eq_ignore_ascii_case("yes"))
    }

    /// Why the verb failed, with all its causes.
    pub(super) fn error(&mut self, error: &CliError) {
        if let CliError::Output(source) = error {
            // What is buffered cannot be written either, and would only be complained about again.
            self.out = Box::new(io::sink());
            if source.kind() == io::ErrorKind::BrokenPipe {
                return;
            }
        }
        self.note(&format!("error: {}", with_causes(error)));
    }

    /// Writes what is buffered. A closed pipe is the reader's choice and no error.
    pub(super) fn flush(&mut self, status: ExitStatus) -> ExitStatus {
        match self.out.flush() {
            Ok(()) => status,
            Err(source) => {
                let error = CliError::Output(source);
                self.error(&error);
                error.status()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;
    use crate::capture::CaptureError;

    /// What was written, for whoever holds the other half.
    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A disk that is full, a pipe that is closed.
    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn console(out: impl Write + 'static) -> (Console, Shared) {
        let err = Shared::default();
        let out = Box::new(BufWriter::new(out));
        (Console { out, err: Box::new(err.clone()), color: false }, err)
    }

    fn said(err: &Shared) -> String {
        String::from_utf8(err.0.borrow().clone()).expect("notes are text")
    }

    #[test]
    fn output_that_cannot_be_written_is_said_once() {
        for size in [10, 100_000] {
            let (mut console, err) = console(Failing(io::ErrorKind::StorageFull));
            let written = console.out().write_all(&vec![b'x'; size]).map_err(CliError::Output);
            let status = written.map_or_else(
                |error| {
                    console.error(&error);
                    error.status()
                },
                |()| ExitStatus::Fine,
            );
            assert_eq!(console.flush(status), ExitStatus::Output);
            assert_eq!(said(&err).matches("error: cannot write the output").count(), 1);
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error_however_much_was_written() {
        let (mut console, err) = console(Failing(io::ErrorKind::BrokenPipe));
        console.out().write_all(b"x").expect("it is buffered");
        assert_eq!(console.flush(ExitStatus::Fine), ExitStatus::Fine);
        let error = CliError::Output(io::ErrorKind::BrokenPipe.into());
        console.error(&error);
        assert_eq!(error.status(), ExitStatus::Fine);
        assert_eq!(said(&err), "");
    }

    #[test]
    fn errors_are_said_with_their_causes_and_without_control_characters() {
        let (mut console, err) = console(io::sink());
        let source = CaptureError::Read(io::Error::other("it is \u{1b}[2J gone"));
        console.error(&CliError::Capture { path: "x.csv".into(), source });
        assert_eq!(
            said(&err),
            "error: x.csv: the capture cannot be read: it is \u{fffd}[2J gone\n"
        );
    }
}

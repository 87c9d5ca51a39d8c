//! The kinds of blocks of code.

/// What a block of code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A program in a language that is run by an interpreter or compiler.
    Program(&'static str),
    /// A session with the Python interpreter: prompts, input and output.
    PythonSession,
    /// A session with a shell: prompts, input and output.
    ShellSession,
    /// The way to an error, printed by a program.
    Traceback,
    /// What a tool collected about a machine.
    Environment,
    /// A change to files.
    Diff,
    /// What a program printed.
    Output,
    /// Data or configuration.
    Data,
    /// Something unnamed that looks like nothing known.
    Unknown,
}

impl Kind {
    /// Returns the language, or what else it is.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Program(language) => language,
            Self::PythonSession => "python",
            Self::ShellSession => "sh",
            Self::Traceback => "traceback",
            Self::Environment => "environment",
            Self::Diff => "diff",
            Self::Output => "output",
            Self::Data => "data",
            Self::Unknown => "unknown",
        }
    }
}

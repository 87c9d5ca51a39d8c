//! What can go wrong with a prompt.

use crate::contract::{
    Code, Coded,
    details::{self, Details},
    validation,
};

/// Why there is no prompt.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// No template of that name is built in or lies in the folder of templates.
    #[error("there is no template {name}")]
    Unknown {
        /// The name.
        name: String,
        /// The templates there are.
        known: Vec<String>,
    },
    /// The template's file cannot be read.
    #[error("the template {path} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// The error of the system.
        reason: String,
    },
    /// The template does not parse, or fails when it is filled in.
    #[error("the template {template} fails at line {line}: {reason}")]
    Template {
        /// The template's name or path.
        template: String,
        /// The line, from 1; 0 where it is not known.
        line: usize,
        /// The error of the template engine.
        reason: String,
    },
    /// The template uses names that are not defined.
    #[error("the template {template} uses {}, which is not defined", names.join(", "))]
    Undefined {
        /// The template's name or path.
        template: String,
        /// The names.
        names: Vec<String>,
    },
    /// The prompt is too large even with everything left out that may be.
    #[error("the prompt has {bytes} bytes, more than {max_bytes}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The largest size.
        max_bytes: usize,
    },
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } => Code::TemplateUnknown,
            Self::Unreadable { .. } | Self::Template { .. } | Self::Undefined { .. } => {
                Code::TemplateInvalid
            }
            Self::TooLarge { .. } => Code::PromptTooLarge,
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Unknown { known, .. } => format!("Use one of these: {}.", known.join(", ")),
            Self::Unreadable { path, .. } => {
                format!("Make {path} a readable file in UTF-8, or remove it.")
            }
            Self::Template { template, line, .. } => {
                format!("Correct line {line} of {template}.")
            }
            Self::Undefined { template, names } => format!(
                "Remove {} from {template}; it may use {}.",
                names.join(", "),
                super::template::NAMES.join(", ")
            ),
            Self::TooLarge { .. } => "Shorten the message, or raise `max_bytes`.".to_owned(),
        }
    }

    fn details(&self) -> Details {
        let size = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        match self {
            Self::Unknown { name, known } => details::Unknown::new("template", name)
                .nearest(validation::nearest(name, known.iter().map(String::as_str)))
                .known(known.iter())
                .into(),
            Self::Unreadable { path, reason } => details::File::new(path, reason).into(),
            Self::Template { template, .. } | Self::Undefined { template, .. } => {
                details::File::new(template, self.to_string()).into()
            }
            Self::TooLarge { bytes, max_bytes } => {
                details::Size::new(size(*bytes), size(*max_bytes)).into()
            }
        }
    }
}

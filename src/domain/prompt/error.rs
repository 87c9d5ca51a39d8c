//! What can go wrong with a prompt.

use crate::contract::{
    Code, Coded,
    details::{self, Details},
};

/// Why there is no prompt.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The template does not parse, or fails when it is filled in.
    #[error("the template {template} fails at line {line}: {reason}")]
    Template {
        /// The template's name or path.
        template: String,
        /// The line, from 1; 0 where it is not known.
        line: usize,
        /// What the template engine said.
        reason: String,
    },
    /// The template asks for something that is not there.
    #[error("the template {template} asks for {}, which there is not", names.join(", "))]
    Undefined {
        /// The template's name or path.
        template: String,
        /// What it asks for.
        names: Vec<String>,
    },
    /// The prompt is too large even with all that may be dropped left out.
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
            Self::Template { .. } | Self::Undefined { .. } => Code::TemplateInvalid,
            Self::TooLarge { .. } => Code::PromptTooLarge,
        }
    }

    fn remediation(&self) -> String {
        match self {
            Self::Template { template, line, .. } => {
                format!("Mend line {line} of {template}.")
            }
            Self::Undefined { template, names } => format!(
                "Take {} out of {template}; it may use {}.",
                names.join(", "),
                super::render::NAMES.join(", ")
            ),
            Self::TooLarge { .. } => "Shorten the message, or raise `max_bytes`.".to_owned(),
        }
    }

    fn details(&self) -> Details {
        let size = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        match self {
            Self::Template { template, .. } | Self::Undefined { template, .. } => details::File {
                path: template.clone(),
                reason: self.to_string(),
            }
            .into(),
            Self::TooLarge { bytes, max_bytes } => details::Size {
                bytes: size(*bytes),
                max_bytes: size(*max_bytes),
            }
            .into(),
        }
    }
}

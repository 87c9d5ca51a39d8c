//! Keeping secrets out of everything that is written.
//!
//! What is a secret is known from the names of variables ([`is_telling`]), from the configuration, from what the forge's
//! client keeps, and by the shape of well-known tokens and of addresses that carry a login. Libraries know the shapes
//! alone; they neither learn values nor know which words of an answer are legwork's own.
//!
//! What holds:
//!
//! - Every free text is masked: messages, titles, logs, what a caller or a host sent.
//! - No word that the schema of an answer fixes is masked, and no name of a declared field: an answer fits its schema
//!   and its ids can be used, whatever the secrets are. Who has such a secret is warned once.
//! - An answer without a secret is neither parsed nor compared with a schema: looking for one is a search over its bytes.

mod leak;
mod names;
mod redactor;
mod shapes;

pub(crate) use leak::Leaks;
pub(crate) use names::is_telling;
pub(crate) use redactor::Redactor;

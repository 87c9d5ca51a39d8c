//! Attestations: what was verified of a diff, as a signed statement that anybody can check without legwork.
//!
//! A statement is an in-toto Statement v1 in canonical JSON (RFC 8785), signed by an SSH key of the person who vouches for
//! the verification. Everything in it is bound by digest. `docs/proof.md` describes its form, and checks one with
//! `ssh-keygen` and `git` alone; what is checked here is checked in the same way.

mod bundle;
mod check;
mod commit;
mod error;
mod fetch;
mod make;
mod ssh_keygen;
mod ssh_signature;
mod statement;

pub(crate) use check::{CheckRequest, Part, SignatureState, check};
pub(crate) use commit::{Noted, Proof, annotate, proof_of, with_trailer};
pub(crate) use error::Error;
pub(crate) use fetch::{FetchRequest, Fetched, fetch};
pub(crate) use ssh_signature::NAMESPACE;
pub(crate) use statement::Statement;

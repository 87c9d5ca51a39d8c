//! What came of a write.

/// Whether a write changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written<T> {
    /// It changed something.
    Changed(T),
    /// It found everything as it is to be.
    Unchanged(T),
}

//! Rows that are passed over.

use crate::system::store::Rows;

/// Returns what was read, and logs the rows that were passed over; `check-store` and the lists name them.
pub(super) fn set_aside<T>(rows: Rows<T>) -> Vec<T> {
    for damage in &rows.damaged {
        tracing::warn!(%damage, "set aside");
    }
    rows.read
}

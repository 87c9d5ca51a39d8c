//! How a worker calls primitives: through the one door, which stands above this floor.

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::contract::Envelope;

/// Calls primitives as a surface does.
pub(crate) trait Caller: Send + Sync {
    /// Calls one, and returns its envelope, whatever happens. Dropping the future breaks the call off.
    fn call(&self, primitive: &str, input: Value) -> BoxFuture<'static, Envelope>;
}

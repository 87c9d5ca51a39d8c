//! The one trait a service implements.

/// A service whose options are read.
pub(super) trait Serve {
    /// Serves until there is nothing more to come, and returns the exit status.
    fn serve(self: Box<Self>, runtime: &tokio::runtime::Runtime) -> u8;
}

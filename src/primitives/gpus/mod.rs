//! GPUs: who holds which, and until when.

pub(crate) mod list_gpus;
pub(crate) mod release_gpus;
pub(crate) mod reserve_gpus;
pub(crate) mod set_gpu_pool;

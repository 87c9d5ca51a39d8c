//! The adapters: one file each, and its name in this list.

super::adapter::adapters![claude, codex, command];

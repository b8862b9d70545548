//! Nothing: the dependencies of this crate are its content.
//!
//! See `Cargo.toml` beside it, and `docs/adr/0012-one-build-for-train-and-test.md`.

//! One set of features of Burn for every crate of the workspace; there is no code here, only
//! dependencies.
//!
//! See `Cargo.toml` beside it, and `docs/adr/0012-one-build-for-train-and-test.md`.

//! The core in a browser: a page opens models, samples them and trains toys, without a server.
//!
//! [`Desk`] answers requests, as flow-serve does over HTTP and by the same flow-api; its one
//! addition is a [`Training`] that the page moves on between two frames. `border.rs` is what
//! JavaScript calls: five functions without a pointer from outside, `page/worker.js` on the other
//! side. It is compiled for WebAssembly by `cargo xtask web`; on other machines this is a library
//! like any other, which is how it is tested.

pub mod border;
mod desk;
#[cfg(target_arch = "wasm32")]
mod entropy;
mod training;

pub use desk::Desk;
pub use training::Training;

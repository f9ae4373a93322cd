//! What a component may do. Pure: no I/O, no async, no wasm.
//!
//! Today this is the empty policy, under which nothing outside the sandbox is reachable, and the
//! finite [`Limits`] that hold for every call. Whoever refuses an effect says so with a [`Denial`].
//! A rule that could not be enforced must never come to exist in this crate.

mod denial;
mod limits;
mod quantity;

pub use denial::{Denial, Effect};
pub use limits::{LimitError, Limits, Setting};
pub use quantity::{Bytes, QuantityError, Span};

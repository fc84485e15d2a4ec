//! Finding a Python interpreter and reading a target off it.
//!
//! Only for a target that is not declared: whoever declares Python and platform needs none.

mod cache;
mod error;
mod find;
mod installed;
mod query;
#[cfg(all(test, unix))]
mod tests;

pub use error::InterpreterError;
pub use find::{Environment, Search, find};
pub use query::{Interpreter, TIMEOUT, query};

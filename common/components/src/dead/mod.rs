//! Dead letters: where events go that a store never takes, so that those behind them are not held up.

mod files;
mod lines;
mod news;

pub use files::{bury, with_reasons};
pub use lines::{DeadLetters, letter, line};
pub use news::News;

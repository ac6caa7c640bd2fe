//! All that a simulation replaces: the clock, chance, files, sockets with TLS and zlib around them, key stores.
//!
//! Nothing here knows of events' way through an agent: `flow` and the components build on it.

pub mod build;
pub mod caught;
pub mod clock;
pub mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod kerberos;
pub mod net;
pub mod random;
pub mod ration;
pub mod ready;
pub mod told;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod within;

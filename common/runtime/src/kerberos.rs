//! Logins by Kerberos to servers on other hosts (SASL's GSSAPI): what gives the tokens that are said. Who has the connection carries
//! them.

use std::{fmt, net::IpAddr, pin::Pin};

/// What comes of it in time, or why nothing does, in an operator's words. Whoever waits no longer drops it.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// Logs in.
pub trait Kerberos: fmt::Debug + Send + Sync {
    /// Whether it can at all.
    ///
    /// # Errors
    /// What there is not here, and where it was looked for.
    fn look(&self) -> Result<(), String>;

    /// Logs a user in, and is then ready to speak with the server.
    fn log_in<'a>(&'a self, wish: &'a Wish) -> Pending<'a, Box<dyn Exchange>>;
}

/// A user who is logged in, before one server.
pub trait Exchange: Send {
    /// Who is shown to whom, in a message: two names.
    fn who(&self) -> &str;

    /// What to say to the server, which has said `said`; nothing at first.
    fn answer<'a>(&'a mut self, said: &'a [u8]) -> Pending<'a, Answer>;
}

/// A step of the client's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// For the server.
    pub token: Vec<u8>,
    /// Whether nothing is to be said after it: the server has shown who it is, and has only to agree.
    pub is_last: bool,
}

/// Who is to log in, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The JAAS file, as Java is told where it is.
    pub file: String,
    /// Its section.
    pub section: String,
    /// The first part of the server's principal.
    pub service: String,
    /// The server, as it was asked for.
    pub host: String,
    /// The server that answers.
    pub address: IpAddr,
    /// Whether its host is the one that DNS has for the address.
    pub canonicalize: bool,
    /// The server's principal, if it is given as a whole: `SERVICE/HOST`, and a realm or none.
    pub principal: Option<String>,
    /// Whether traces are asked for.
    pub traces: bool,
}

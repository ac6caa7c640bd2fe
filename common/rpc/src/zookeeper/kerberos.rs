//! A login by Kerberos: tokens that somebody else makes, carried to a server and back.
//!
//! Source: ZooKeeper 3.4 to 3.9, `ZooKeeperSaslClient` and `ZooKeeperServer.processSasl`, with this difference: a login that fails ends
//! the connection, whatever a server would still do without one.

use super::{Client, Failed, Trouble};
use runtime::{
    clock::{self, Duration, Instant},
    kerberos::{Kerberos, Pending, Wish},
};
use std::{net::IpAddr, pin::pin, sync::Arc};
use tokio::time::timeout_at;
use wire::zookeeper::code;

/// Who logs in, and what gives the tokens.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) giver: Arc<dyn Kerberos>,
    /// As Java is told where it is.
    pub(super) file: String,
    pub(super) section: String,
    pub(super) server: Server,
    /// Whether traces are asked for.
    pub(super) traces: bool,
    /// Where it is written, in a message.
    pub(super) place: String,
}

/// As whom the server is asked for.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// `zookeeper.sasl.client.username`
    pub(super) service: String,
    /// `zookeeper.sasl.client.canonicalize.hostname`
    pub(super) canonicalize: bool,
    /// `zookeeper.server.principal`, instead of both.
    pub(super) principal: Option<String>,
}

impl Ticket {
    fn wish(&self, host: &str, address: IpAddr) -> Wish {
        let Server { service, canonicalize, principal } = self.server.clone();
        let (file, section) = (self.file.clone(), self.section.clone());
        let (host, traces) = (host.to_owned(), self.traces);
        Wish { file, section, service, host, address, canonicalize, principal, traces }
    }

    fn failed(&self, why: &str) -> String {
        format!("the login by Kerberos of {} has not succeeded: {why}", self.place)
    }
}

impl Client {
    /// Logs in, or says why not.
    pub(super) async fn log_in_by_kerberos(&mut self, ticket: &Ticket) -> Result<(), Failed> {
        let until = clock::now() + LOGGED_IN_WITHIN;
        let wish = ticket.wish(&self.host, self.address);
        let mut exchange = match self.meanwhile(ticket, ticket.giver.log_in(&wish), until).await? {
            Ok(exchange) => exchange,
            // No other server was asked for it either.
            Err(why) => return Err(Failed::Everywhere(ticket.failed(&why))),
        };
        let mut said = Vec::new();
        for step in 0..MOST_STEPS {
            let answer = self.meanwhile(ticket, exchange.answer(&said), until).await?;
            let answer = answer.map_err(|why| Trouble::Login(ticket.failed(&why)))?;
            match self.say(&answer.token).await {
                Ok(_agreed) if answer.is_last => return Ok(()),
                Ok(nothing) if step == 0 && nothing.is_empty() => return Err(offers_none(ticket).into()),
                Ok(token) => said = token,
                Err(trouble) => return Err(refused(trouble, ticket, exchange.who()).into()),
            }
        }
        let endless = format!("the server asks on and on, {MOST_STEPS} times until now");
        Err(Trouble::Login(ticket.failed(&endless)).into())
    }

    /// What comes of `work`, while the session is kept alive. A KDC that is silent is so for all servers.
    async fn meanwhile<T>(
        &mut self,
        ticket: &Ticket,
        work: Pending<'_, T>,
        until: Instant,
    ) -> Result<Result<T, String>, Failed> {
        let mut work = pin!(timeout_at(until, work));
        loop {
            tokio::select! { biased;
                done = &mut work => return done.map_err(|_| Failed::Everywhere(ticket.failed(&late()))),
                frame = self.frame() => {
                    let frame = frame.map_err(Failed::from)?;
                    self.take_note(&frame)?;
                }
            }
        }
    }
}

fn late() -> String {
    format!(
        "Java has no answer within {} s: mostly a KDC of krb5.conf is silent, for which Java waits three times its `kdc_timeout` \
         (30 s unless it is set)",
        LOGGED_IN_WITHIN.as_secs()
    )
}

fn offers_none(ticket: &Ticket) -> Trouble {
    Trouble::Login(format!(
        "it offers no login by Kerberos, and {} has one: its JAAS file needs Krb5LoginModule in the section `Server`; or switch the \
         login off with -Dzookeeper.sasl.client=false",
        ticket.place
    ))
}

/// A server's no, in words.
fn refused(trouble: Trouble, ticket: &Ticket, who: &str) -> Trouble {
    match trouble {
        Trouble::Refused(code::UNIMPLEMENTED) => offers_none(ticket),
        // One that serves nobody without a login says the latter.
        Trouble::Refused(code::AUTH_FAILED | code::LOGIN_REQUIRED) => Trouble::Login(format!(
            "it does not accept the login by Kerberos of {}, {who}: its log says why; look whether the section `Server` of its JAAS file has \
             Krb5LoginModule with that principal, whether its keytab has the key that the KDC has now, and at both clocks",
            ticket.place
        )),
        // A server of 3.4 says no more than that.
        Trouble::Lost(why) => Trouble::Lost(format!(
            "{why} during the login: that is how ZooKeeper 3.4 says that it does not accept {}, {who}",
            ticket.place
        )),
        other => other,
    }
}

/// Java asks a KDC three times, for 30 s each, before it asks the next one.
pub(super) const LOGGED_IN_WITHIN: Duration = Duration::from_secs(100);
/// Two are needed, and three where the server is asked to show itself first.
const MOST_STEPS: usize = 8;

#[cfg(test)]
pub(super) mod tests;

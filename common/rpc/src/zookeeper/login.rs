//! Who logs in, by DIGEST-MD5 or by Kerberos, once a server has begun a session.

use super::{CONNECTED_WITHIN, Client, Failed, Trouble, digest::Digest, kerberos::Ticket, malformed};
use tokio::time::timeout;
use wire::zookeeper::{Answer, Request};

/// The login of a section of a JAAS file.
#[derive(Debug, Clone)]
pub(super) enum Login {
    /// By a password.
    Digest(Digest),
    /// By Kerberos.
    Kerberos(Ticket),
}

impl Client {
    /// Logs in, or says why not.
    pub(super) async fn log_in(&mut self, login: &Login) -> Result<(), Failed> {
        match login {
            Login::Digest(digest) => {
                let asked = timeout(CONNECTED_WITHIN, self.log_in_by_digest(digest)).await;
                Ok(asked.unwrap_or_else(|_| Err(Trouble::late(CONNECTED_WITHIN)))?)
            }
            Login::Kerberos(ticket) => self.log_in_by_kerberos(ticket).await,
        }
    }

    /// A step of a login: what the server says to it.
    pub(super) async fn say(&mut self, token: &[u8]) -> Result<Vec<u8>, Trouble> {
        let frame = self.call(&Request::Login { token }).await?;
        let token = Answer::new(&frame).and_then(|answer| answer.token()).map_err(malformed)?;
        Ok(token.to_vec())
    }
}

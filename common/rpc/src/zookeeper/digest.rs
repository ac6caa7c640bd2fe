//! A login by DIGEST-MD5: a user and a password.
//!
//! Source: ZooKeeper 3.4 to 3.9, `ZooKeeperSaslClient`, `ZooKeeperServer.processSasl`, with this difference: a login that fails ends the
//! connection, whatever a server would still do without one.

use super::{Client, Trouble};
use plan::Secret;
use runtime::random::Unique;
use std::fmt;
use wire::zookeeper::{Response, code};

/// A user and a password.
#[derive(Debug, Clone)]
pub(super) struct Digest {
    pub(super) user: String,
    pub(super) password: Secret,
    /// Where they are written, in a message.
    pub(super) place: String,
}

/// ``the user `bob` of section `Client` in FILE``
impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the user {} of {}", plan::quoted(&self.user), self.place)
    }
}

impl Client {
    /// Logs in, or says why not.
    pub(super) async fn log_in_by_digest(&mut self, login: &Digest) -> Result<(), Trouble> {
        let challenge = match self.say(b"").await {
            Ok(challenge) if !challenge.is_empty() => challenge,
            Ok(_) | Err(Trouble::Refused(code::AUTH_FAILED | code::UNIMPLEMENTED)) => {
                return Err(Trouble::Login(format!(
                    "it offers no login by DIGEST-MD5, and {login} has one: its JAAS file needs DigestLoginModule in the section \
                     `Server`; or switch the login off with -Dzookeeper.sasl.client=false"
                )));
            }
            Err(trouble) => return Err(trouble),
        };
        let nonce = Unique::from_system().draw();
        let response =
            Response::new(&challenge, &login.user, login.password.reveal(), nonce).map_err(|why| {
                Trouble::Login(format!("its login cannot be answered: {why}; {login} is not logged in"))
            })?;
        match self.say(&response.token).await {
            Ok(proof) if response.is_proved_by(&proof) => Ok(()),
            Ok(proof) if !proof.is_empty() => Err(Trouble::Login(format!(
                "it accepts {login} and does not know the password itself: it is not the server that it is to be; look who serves there"
            ))),
            // A server of 3.4 says no more than that.
            Err(Trouble::Lost(why)) => Err(Trouble::Lost(format!(
                "{why} during the login: that is how ZooKeeper 3.4 says that it does not accept {login}, or its password"
            ))),
            Ok(_) | Err(Trouble::Refused(code::AUTH_FAILED)) => Err(Trouble::Login(format!(
                "it does not accept {login}, or its password: compare them with `user_NAME=\"PASSWORD\"` in the section `Server` \
                 of its JAAS file"
            ))),
            Err(trouble) => Err(trouble),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Ensemble, login::Login, stand_in::*};
    use super::*;

    const CHALLENGE: &[u8] = br#"realm="zk-sasl-md5",nonce="n",charset=utf-8,algorithm=md5-sess"#;

    fn with(token: &[u8]) -> Vec<u8> {
        [&(token.len() as u32).to_be_bytes()[..], token].concat()
    }

    /// What comes of a login when the server answers with these codes and rests.
    async fn logged_in(answers: &[(i32, Vec<u8>)]) -> Result<(), Trouble> {
        let (listener, ensemble) = listen().await;
        let login = Digest {
            user: "bob".to_owned(),
            password: Secret::new("hunter2"),
            place: "section `Client` in /a.jaas".to_owned(),
        };
        let ensemble: Ensemble = ensemble.log_in(Login::Digest(login));
        assert!(!format!("{ensemble:?}").contains("hunter2"), "{ensemble:?}");
        let server = async {
            let mut stream = greet(&listener, 60_000).await;
            for (code, rest) in answers {
                let said = asked(&mut stream).await;
                assert_eq!(said[4..8], 102i32.to_be_bytes());
                assert!(!String::from_utf8_lossy(&said).contains("hunter2"));
                say(&mut stream, &[&head(&said, *code)[..], rest].concat()).await;
            }
        };
        let ((), made) = tokio::join!(server, Client::connect(&ensemble));
        made.map(drop)
    }

    #[tokio::test]
    async fn a_login_that_does_not_succeed_is_told_with_what_to_do_and_without_the_password() {
        let challenge = (0, with(CHALLENGE));
        for (answers, told) in [
            (vec![(0, with(b""))], "it offers no login by DIGEST-MD5"),
            (vec![(0, b"\xff\xff\xff\xff".to_vec())], "it offers no login by DIGEST-MD5"),
            (vec![(code::AUTH_FAILED, Vec::new())], "it offers no login by DIGEST-MD5"),
            (vec![(0, with(b"nonce"))], "it is no challenge of DIGEST-MD5"),
            (
                vec![challenge.clone(), (code::AUTH_FAILED, Vec::new())],
                "it does not accept the user `bob` of section `Client` in /a.jaas",
            ),
            (vec![challenge.clone(), (0, with(b""))], "it does not accept the user `bob`"),
            (vec![challenge.clone(), (0, with(b"rspauth=00"))], "does not know the password itself"),
        ] {
            let trouble = logged_in(&answers).await.unwrap_err();
            let said = trouble.to_string();
            assert!(matches!(trouble, Trouble::Login(_)) && said.contains(told), "{said}");
            assert!(!said.contains("hunter2") && !said.contains('\n'), "{said}");
        }
        let gone = logged_in(&[challenge]).await.unwrap_err();
        assert!(matches!(&gone, Trouble::Lost(why) if why.contains("3.4")), "{gone}");
        let gone = logged_in(&[(code::LOGIN_REQUIRED, Vec::new())]).await.unwrap_err();
        assert!(gone.to_string().contains("serves only clients that log in"), "{gone}");
    }
}

//! With somebody who gives any tokens.

use super::super::{Client, Ensemble, login::Login, stand_in::*};
use super::*;
use runtime::{
    kerberos::{Answer, Exchange},
    within::Within,
};
use std::{collections::VecDeque, sync::Mutex};

/// Gives what it was told to.
#[derive(Debug)]
pub(in super::super) struct Giver {
    missing: Option<&'static str>,
    /// Once it is logged in; `None`: it never is.
    steps: Option<Vec<Step>>,
    wishes: Mutex<Vec<Wish>>,
}

#[derive(Debug, Clone)]
enum Step {
    /// A token for an expected word of the server's, and whether it is the last one.
    Say(&'static [u8], &'static [u8], bool),
    Fail(&'static str),
    Hang,
}

impl Giver {
    pub(in super::super) fn new() -> Giver {
        Giver { missing: None, steps: None, wishes: Mutex::default() }
    }

    pub(in super::super) fn missing(why: &'static str) -> Giver {
        Giver { missing: Some(why), ..Giver::new() }
    }

    fn with(steps: &[Step]) -> Giver {
        Giver { steps: Some(steps.to_vec()), ..Giver::new() }
    }
}

impl Kerberos for Giver {
    fn look(&self) -> Result<(), String> {
        self.missing.map_or(Ok(()), |why| Err(why.to_owned()))
    }

    fn log_in<'a>(&'a self, wish: &'a Wish) -> Pending<'a, Box<dyn Exchange>> {
        Box::pin(async move {
            self.look()?;
            self.wishes.lock().unwrap().push(wish.clone());
            match &self.steps {
                Some(steps) => Ok(Box::new(Steps(steps.clone().into())) as Box<dyn Exchange>),
                None => std::future::pending().await,
            }
        })
    }
}

struct Steps(VecDeque<Step>);

impl Exchange for Steps {
    fn who(&self) -> &str {
        "`me` with `zookeeper/h`"
    }

    fn answer<'a>(&'a mut self, said: &'a [u8]) -> Pending<'a, Answer> {
        Box::pin(async move {
            match self.0.pop_front().unwrap() {
                Step::Say(expected, token, is_last) => {
                    assert_eq!(said, expected);
                    Ok(Answer { token: token.to_vec(), is_last })
                }
                Step::Fail(why) => Err(why.to_owned()),
                Step::Hang => std::future::pending().await,
            }
        })
    }
}

fn reached_by(ensemble: Ensemble, giver: Arc<Giver>) -> Ensemble {
    let server = Server { service: "zk".to_owned(), canonicalize: true, principal: None };
    let (file, section) = ("/a.jaas".to_owned(), "Client".to_owned());
    let place = "section `Client` in /a.jaas".to_owned();
    ensemble.log_in(Login::Kerberos(Ticket { giver, file, section, server, traces: false, place }))
}

fn with(token: &[u8]) -> (i32, Vec<u8>) {
    (0, [&(token.len() as u32).to_be_bytes()[..], token].concat())
}

/// What comes of a login when the server answers with these codes and rests, and then goes or stays.
async fn logged_in(steps: &[Step], answers: &[(i32, Vec<u8>)]) -> Result<(), Trouble> {
    let (listener, ensemble) = listen().await;
    let ensemble = reached_by(ensemble, Arc::new(Giver::with(steps)));
    let server = async {
        let mut stream = greet(&listener, 60_000).await;
        for ((code, rest), step) in answers.iter().zip(steps) {
            let asked = asked(&mut stream).await;
            assert_eq!(asked[4..8], 102i32.to_be_bytes());
            assert!(matches!(step, Step::Say(_, token, _) if asked.ends_with(token)), "{asked:?}");
            say(&mut stream, &[&head(&asked, *code)[..], rest].concat()).await;
        }
    };
    let ((), made) = tokio::join!(server, Client::connect(&ensemble).within("a connection"));
    made.map(drop)
}

const FIRST: Step = Step::Say(b"", b"ticket", false);
const LAST: Step = Step::Say(b"offer", b"choice", true);

#[tokio::test]
async fn tokens_are_carried_until_the_last_one_is_agreed_to() {
    let none = (0, b"\xff\xff\xff\xff".to_vec());
    assert_eq!(logged_in(&[FIRST, LAST], &[with(b"offer"), none.clone()]).await, Ok(()));
    let three = [FIRST, Step::Say(b"proof", b"", false), LAST];
    assert_eq!(logged_in(&three, &[with(b"proof"), with(b"offer"), none]).await, Ok(()));
}

#[tokio::test]
async fn a_login_that_does_not_succeed_is_told_with_what_to_do() {
    let refused = |code: i32| (code, b"\xff\xff\xff\xff".to_vec());
    let on_and_on = [&[Step::Say(b"", b"x", false)][..], &vec![Step::Say(b"y", b"x", false); 7]].concat();
    for (steps, answers, told) in [
        (
            vec![FIRST],
            vec![with(b"")],
            "it offers no login by Kerberos, and section `Client` in /a.jaas has one",
        ),
        (vec![FIRST], vec![refused(0)], "it offers no login by Kerberos"),
        (vec![FIRST], vec![refused(code::UNIMPLEMENTED)], "it offers no login by Kerberos"),
        (
            vec![FIRST],
            vec![refused(code::AUTH_FAILED)],
            "does not accept the login by Kerberos of section `Client`",
        ),
        (
            vec![FIRST],
            vec![refused(code::LOGIN_REQUIRED)],
            "/a.jaas, `me` with `zookeeper/h`: its log says why",
        ),
        (vec![FIRST, LAST], vec![with(b"offer"), refused(code::AUTH_FAILED)], "does not accept the login"),
        (
            vec![Step::Fail("no ticket")],
            vec![],
            "of section `Client` in /a.jaas has not succeeded: no ticket",
        ),
        (on_and_on, vec![with(b"y"); 8], "the server asks on and on, 8 times"),
    ] {
        let trouble = logged_in(&steps, &answers).await.unwrap_err();
        let said = trouble.to_string();
        assert!(matches!(trouble, Trouble::Login(_)) && said.contains(told), "{said}");
        assert!(!said.contains('\n'), "{said}");
    }
    let gone = logged_in(&[FIRST, LAST], &[with(b"offer")]).await.unwrap_err();
    assert!(matches!(&gone, Trouble::Lost(why) if why.contains("3.4")), "{gone}");
}

#[tokio::test]
async fn a_user_who_cannot_log_in_is_not_tried_with_each_server() {
    let (one, ensemble) = listen().await;
    let (two, _) = listen().await;
    let place = format!("{ensemble},127.0.0.1:{}", two.local_addr().unwrap().port());
    let giver = Arc::new(Giver::missing("no keytab"));
    let ensemble = reached_by(Ensemble::parse(&place).unwrap(), giver.clone());
    let server = async {
        let streams =
            tokio::select! { stream = greet(&one, 60_000) => stream, stream = greet(&two, 60_000) => stream };
        std::future::pending::<()>().await;
        drop(streams);
    };
    let made = tokio::select! { () = server => None, made = Client::connect(&ensemble) => made.err() };
    let said = made.expect("no login").to_string();
    assert_eq!(said, "the login by Kerberos of section `Client` in /a.jaas has not succeeded: no keytab");
}

/// The server forgets a session without a word in it, and Kerberos may need long.
#[tokio::test]
async fn the_session_is_kept_alive_while_kerberos_is_waited_for() {
    let (listener, ensemble) = listen().await;
    let giver = Arc::new(Giver::with(&[Step::Hang]));
    let ensemble = reached_by(ensemble, giver.clone());
    let pinged = async {
        let mut stream = greet(&listener, 300).await;
        for _ in 0..3 {
            let ping = asked(&mut stream).await;
            assert_eq!(ping[4..8], 11i32.to_be_bytes());
            say(&mut stream, &head(&ping, 0)).await;
        }
        let wish = giver.wishes.lock().unwrap().pop().unwrap();
        assert_eq!(
            (wish.host.as_str(), wish.service.as_str(), wish.section.as_str()),
            ("127.0.0.1", "zk", "Client")
        );
        assert!(wish.address.is_loopback() && wish.canonicalize && wish.principal.is_none());
    };
    tokio::select! {
        () = pinged.within("three pings") => {}
        made = Client::connect(&ensemble) => panic!("{:?}", made.map(drop)),
    }
}

#[tokio::test]
async fn kerberos_that_says_nothing_is_waited_for_in_vain_once() {
    for giver in [Giver::new(), Giver::with(&[Step::Hang])] {
        let (listener, ensemble) = listen().await;
        let ensemble = reached_by(ensemble, Arc::new(giver));
        let server = async {
            let stream = greet(&listener, i32::MAX).await;
            // What has been said is there: from now on time jumps.
            tokio::time::pause();
            std::future::pending::<()>().await;
            drop(stream);
        };
        let made = tokio::select! { _ = server => panic!("nothing is said"), made = Client::connect(&ensemble) => made };
        let said = made.err().expect("no login").to_string();
        assert!(
            said.contains("Java has no answer within 100 s: mostly a KDC of krb5.conf is silent"),
            "{said}"
        );
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_server_that_goes_meanwhile_is_lost() {
    let (listener, ensemble) = listen().await;
    let ensemble = reached_by(ensemble, Arc::new(Giver::new()));
    let server = async { drop(greet(&listener, 60_000).await) };
    let ((), made) = tokio::join!(server, Client::connect(&ensemble).within("the end"));
    assert!(matches!(made.map(drop), Err(Trouble::Lost(why)) if why.contains("closed the connection")));
}

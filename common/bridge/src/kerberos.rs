//! A login by Kerberos in a JVM of its own, which needs the JDK alone: it makes the tokens that its owner carries to a server, and ends
//! with the login. `java/` has its side, `KerberosLogin`, and says there how they speak.

mod frames;
mod reason;

use crate::{
    jar,
    small::{self, Small},
    with_cause,
};
use frames::{Said, Wish};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::AsyncReadExt,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
};

/// How the JVM is started.
#[derive(Clone)]
pub struct KerberosJvm {
    /// The program.
    pub java: PathBuf,
    /// Java's system properties, the last of a name counts. They do not stand on its command line.
    pub properties: Vec<(String, String)>,
    /// Further variables of its environment.
    pub environment: BTreeMap<String, String>,
    /// Below it the jar is written.
    pub scratch: PathBuf,
}

/// Who is to log in, and where.
#[derive(Debug, Clone)]
pub struct KerberosWish {
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
    /// The server's principal, if it is given as a whole.
    pub principal: Option<String>,
    /// Whether what the JVM prints goes to this process's standard error.
    pub traces: bool,
}

/// A user who is logged in. When it is dropped the JVM is ended.
pub struct KerberosLogin {
    child: Child,
    to: Option<ChildStdin>,
    from: ChildStdout,
    printed: Option<JoinHandle<String>>,
    user: String,
    server: String,
    who: String,
}

impl KerberosLogin {
    /// Starts a JVM and has it log in. Nothing limits how long that takes: whoever waits no longer drops it.
    ///
    /// # Errors
    /// Why nobody is logged in, in an operator's words.
    pub async fn begin(jvm: &KerberosJvm, wish: &KerberosWish) -> Result<KerberosLogin, String> {
        let mut login = KerberosLogin::spawn(jvm, wish)?;
        let frame = Wish { wish, properties: &jvm.properties }.frame();
        match login.ask(&frame?).await? {
            Said::In { user, server } => {
                login.who = format!("`{user}` with `{server}`");
                (login.user, login.server) = (user, server);
                Ok(login)
            }
            Said::Token { .. } => Err(nonsense("it gives a token before anybody is logged in")),
        }
    }

    fn spawn(jvm: &KerberosJvm, wish: &KerberosWish) -> Result<KerberosLogin, String> {
        let jar = jar::unpack(&jvm.scratch).map_err(|error| with_cause(&error))?;
        let mut command = command(jvm, &jar);
        command.stderr(if wish.traces || jvm.traces() { Stdio::inherit() } else { Stdio::piped() });
        let mut child = command.spawn().map_err(small::not_started)?;
        let printed = child.stderr.take().map(|printed| tokio::spawn(last_of(printed)));
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("{} has no pipes", jvm.java.display()));
        };
        let (user, server, who) = Default::default();
        Ok(KerberosLogin { child, to: Some(to), from, printed, user, server, who })
    }

    /// Who is logged in, with which server, in a message.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// What to say to the server, which has said `said`, and whether that is the last.
    ///
    /// # Errors
    /// Why there is nothing to say, in an operator's words.
    pub async fn answer(&mut self, said: &[u8]) -> Result<(Vec<u8>, bool), String> {
        match self.ask(&frames::framed(said)?).await? {
            Said::Token { token, is_last } => Ok((token, is_last)),
            Said::In { .. } => Err(nonsense("it logs in twice")),
        }
    }

    async fn ask(&mut self, frame: &[u8]) -> Result<Said, String> {
        let asked = async {
            small::write(self.to.as_mut(), frame).await?;
            small::next(&mut self.from, frames::MOST_BYTES).await
        };
        match asked.await {
            Ok(Some(frame)) => match frames::said(&frame) {
                Ok(Ok(said)) => Ok(said),
                Ok(Err(failure)) => Err(reason::told(&failure, &self.user, &self.server)),
                Err(what) => Err(nonsense(what)),
            },
            Ok(None) => Err(nonsense("a frame of it is longer than any token")),
            Err(_) => Err(self.ended().await),
        }
    }

    /// Why it has ended, as far as it can be known.
    async fn ended(&mut self) -> String {
        self.to = None; // one that still lives has nobody to wait for
        let ended = tokio::time::timeout(FAREWELL, self.child.wait()).await;
        let status = match ended {
            Ok(Ok(status)) => format!(" ({status})"),
            _ => String::new(),
        };
        let printed = match self.printed.take() {
            Some(printed) => tokio::time::timeout(FAREWELL, printed).await.ok().and_then(Result::ok),
            None => None,
        };
        let printed = printed.map(|text| reason::shown(&text)).filter(|text| !text.is_empty());
        let printed = printed.map(|text| format!(": {text}")).unwrap_or_default();
        format!("the JVM for it has ended without an answer{status}{printed}")
    }
}

impl KerberosJvm {
    /// Whether somebody wants to see how it goes.
    fn traces(&self) -> bool {
        TRACES.iter().any(|name| {
            let given = self.properties.iter().rev().find(|(key, _)| key == name);
            given.is_some_and(|(_, value)| !value.is_empty() && value != "false")
        })
    }
}

fn command(jvm: &KerberosJvm, jar: &Path) -> Command {
    let small = Small {
        before: ("", "kerberos"),
        java: &jvm.java,
        class_path: jar.as_os_str(),
        main: MAIN,
        environment: &jvm.environment,
    };
    small.command(&[])
}

/// The last bytes of what it prints.
async fn last_of(mut printed: ChildStderr) -> String {
    let mut last = Vec::new();
    while let Ok(1..) = printed.read_buf(&mut last).await {
        last.drain(..last.len().saturating_sub(MOST_PRINTED));
    }
    String::from_utf8_lossy(&last).into_owned()
}

fn nonsense(what: &str) -> String {
    format!(
        "the JVM for it says what cannot be: {what}; look whether `java` of JAVA_HOME or of the PATH is a Java"
    )
}

const MAIN: &str = "org.logcluster.bridge.KerberosLogin";
/// Properties with which Java prints what it does.
const TRACES: [&str; 4] = [
    "sun.security.krb5.debug",
    "sun.security.jgss.debug",
    "sun.security.spnego.debug",
    "java.security.debug",
];
/// Bytes of what it prints that are kept.
const MOST_PRINTED: usize = 4096;
/// How long its end is waited for once it has nothing more to say.
const FAREWELL: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;

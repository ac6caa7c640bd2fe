//! A real ZooKeeper, one server, on a port of the loopback.

use super::{agent::java, install};
use crate::{console::Console, limit, ports, process::Process, solo::until};
use std::{
    fs, io,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// A server with a directory for what it holds, which outlives it.
pub struct ZooKeeper {
    directory: TempDir,
    port: u16,
    /// The port that is served over TLS, if there is one, and what the settings say of it.
    secure: Option<(u16, String)>,
    /// Its JAAS file, if clients may log in.
    logins: Option<String>,
    /// Further words for its JVM, and for its own client's.
    options: Vec<String>,
    console: Console,
    process: Option<Process>,
}

impl ZooKeeper {
    /// Its place; it is not started yet.
    ///
    /// # Panics
    /// When it cannot be had here.
    pub fn new() -> ZooKeeper {
        let directory = tempfile::tempdir().expect("a folder");
        let port = ports::free(&["127.0.0.1"]).expect("a port");
        let (console, options) = (Console::default(), Vec::new());
        ZooKeeper { directory, port, secure: None, logins: None, options, console, process: None }
    }

    /// The same, whose [`ZooKeeper::place`] is a port over TLS, with this key store.
    ///
    /// # Panics
    /// As [`ZooKeeper::new`].
    pub fn with_tls(store: &str, password: &str) -> ZooKeeper {
        let port = ports::free(&["127.0.0.1"]).expect("a port");
        let settings = format!(
            "secureClientPort={port}\nsecureClientPortAddress=127.0.0.1\nssl.clientAuth=none\n\
             serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory\n\
             ssl.keyStore.location={store}\nssl.keyStore.password={password}\n"
        );
        ZooKeeper { secure: Some((port, settings)), ..ZooKeeper::new() }
    }

    /// The same, to which this user can log in by DIGEST-MD5.
    ///
    /// # Panics
    /// As [`ZooKeeper::new`].
    pub fn with_login(user: &str, password: &str) -> ZooKeeper {
        let file = format!("Server {{ {LOGIN_MODULE} required user_{user}=\"{password}\"; }};\n");
        ZooKeeper { logins: Some(file), ..ZooKeeper::new() }
    }

    /// The same, to which users log in by Kerberos: `option` shows that to a JVM, `keytab` has the key of `principal`.
    ///
    /// # Panics
    /// As [`ZooKeeper::new`].
    pub fn with_kerberos(option: &str, keytab: &Path, principal: &str) -> ZooKeeper {
        let section = kerberos_section("Server", keytab, principal, "storeKey=true");
        ZooKeeper { logins: Some(section), options: vec![option.to_owned()], ..ZooKeeper::new() }
    }

    /// Runs a command of ZooKeeper's own client, `zkCli.sh`, with the JAAS file of a client, and gives what it printed.
    ///
    /// # Panics
    /// When it cannot be had here.
    pub fn command(&self, jaas: &Path, words: &[&str]) -> String {
        let mut command = self.java();
        command.arg(format!("-Djava.security.auth.login.config={}", jaas.display()));
        // Otherwise one of 3.9 refuses MD5.
        command.arg("-Dzookeeper.fips-mode=false");
        command.args(["org.apache.zookeeper.ZooKeeperMain", "-server", &self.place()]).args(words);
        let output = limit::output(&mut command);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    fn java(&self) -> Command {
        let class_path =
            install::zookeeper().unwrap_or_else(|why| panic!("no ZooKeeper can be run here: {why}"));
        let mut command = java(&[]);
        command.args(["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", &class_path]);
        command.args(&self.options).current_dir(self.directory.path());
        command
    }

    /// What `-z` takes.
    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.secure.as_ref().map_or(self.port, |(port, _)| *port))
    }

    /// Starts it, with what it held, and waits until it serves.
    ///
    /// # Panics
    /// When it does not.
    pub fn start(&mut self) {
        let settings = self.directory.path().join("zoo.cfg");
        let data = self.directory.path().join("data");
        let secure = self.secure.as_ref().map(|(_, settings)| settings.as_str()).unwrap_or_default();
        let mut text = text(&data, self.port) + secure;
        let mut command = self.java();
        if let Some(logins) = &self.logins {
            text.push_str("authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n");
            let jaas = self.directory.path().join("server.jaas");
            fs::write(&jaas, logins).expect("a file");
            command.arg(format!("-Djava.security.auth.login.config={}", jaas.display()));
        }
        fs::write(&settings, text).expect("a file");
        command.arg("org.apache.zookeeper.server.ZooKeeperServerMain").arg(settings);
        self.process = Some(Process::spawn(command, &self.console, 0).expect("a JVM"));
        // It listens some 100 ms before it serves.
        until("ZooKeeper serves", || self.serves().unwrap_or(false));
    }

    /// Ends it with SIGKILL. What it has acknowledged is on its disk.
    pub fn kill(&mut self) {
        self.process = None;
    }

    fn serves(&self) -> io::Result<bool> {
        if let Some((port, _)) = &self.secure {
            TcpStream::connect((Ipv4Addr::LOCALHOST, *port))?;
        }
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"srvr")?;
        let mut said = String::new();
        stream.read_to_string(&mut said)?;
        Ok(said.contains("Mode: standalone"))
    }
}

impl Default for ZooKeeper {
    fn default() -> ZooKeeper {
        ZooKeeper::new()
    }
}

/// A file of JAAS with which ZooKeeper's clients log in as this user.
pub fn client_jaas(user: &str, password: &str) -> String {
    format!("Client {{\n  {LOGIN_MODULE} required\n  username=\"{user}\"\n  password=\"{password}\";\n}};\n")
}

/// A section of such a file, with the key of `principal` in `keytab`, and further options of the module.
pub fn kerberos_section(name: &str, keytab: &Path, principal: &str, more: &str) -> String {
    format!(
        "{name} {{\n  com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true {more}\n  \
         keyTab=\"{}\"\n  principal=\"{principal}\";\n}};\n",
        keytab.display()
    )
}

const LOGIN_MODULE: &str = "org.apache.zookeeper.server.auth.DigestLoginModule";

/// A tick of 500 ms lets a session be as short as a second.
fn text(data: &Path, port: u16) -> String {
    format!(
        "tickTime=500\ndataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\nmaxClientCnxns=0\n\
         admin.enableServer=false\n4lw.commands.whitelist=*\n",
        data.display()
    )
}

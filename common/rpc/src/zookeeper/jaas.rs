//! The login of ZooKeeper's client in a file of JAAS: which file, which section, and what of it can be had.
//!
//! Source: ZooKeeper 3.4 to 3.9, `ZooKeeperSaslClient`: `java.security.auth.login.config`, `zookeeper.sasl.clientconfig`,
//! `zookeeper.sasl.client`, with these differences: a file that cannot be read, or a section that was named and is not there, is
//! refused (ZooKeeper's client logs that and goes on without a login); `~/.java.login.config` is not looked for; DIGEST-MD5 is
//! forbidden only where `zookeeper.fips-mode` says so, and not unless it says no, as from 3.9 on. What a section of Kerberos says is
//! for Java to read, in `SaslServerPrincipal`'s words; `zookeeper.server.realm` has no effect there either: GSSAPI is given a
//! service and a host, and takes the realm from the host.

use super::digest::Digest;
use super::kerberos::{Server, Ticket};
use super::login::Login;
use super::settings::{Setting, Settings};
use java::LoginModule;
use plan::Secret;
use std::path::Path;

/// What the settings make of a login.
pub(super) enum Found {
    /// Nothing is asked for.
    None,
    /// There is a file, and no login in it that can be had, for this reason.
    NoneOfUse(String),
    /// Somebody logs in.
    Login(Login),
}

/// Looks for the login that `settings` ask for.
///
/// # Errors
/// What is wrong with them, or with the file, in an operator's words.
pub(super) fn find(settings: &Settings) -> Result<Found, String> {
    let switch = settings.last(SASL).filter(|switch| !switch.value.eq_ignore_ascii_case("true"));
    match switch {
        Some(switch) if switch.value.eq_ignore_ascii_case("false") => return Ok(Found::None),
        Some(Setting { value, name, .. }) => {
            return Err(format!(
                "{name}={value}: true (log in as the JAAS file says) or false; ZooKeeper's own client would not log in, without a word"
            ));
        }
        None => {}
    }
    let section = settings.filled(SECTION);
    let Some(file) = settings.filled(LOGIN) else {
        return match section {
            None => Ok(Found::None),
            Some(Setting { value, name, .. }) => Err(format!(
                "{name}={value}: it names a section of a JAAS file, and there is none: give -D{LOGIN}=FILE"
            )),
        };
    };
    let wrong = |why: String| {
        format!(
            "{}={}: {why}; correct it, or switch the login off with -D{SASL}=false",
            file.name, file.value
        )
    };
    let text = read(&file.value).map_err(|why| wrong(format!("it cannot be read: {why}")))?;
    let name = section.map_or(USUAL, |section| &section.value);
    // What Java's own properties stand for, Java knows.
    let modules = LoginModule::of_section(&text, name, &|_| Some(String::new())).map_err(wrong)?;
    let quoted = plan::quoted(name);
    let Some(modules) = modules else {
        return match section {
            Some(section) => Err(wrong(format!("it has no section {quoted}, which {} names", section.name))),
            None => Ok(Found::NoneOfUse(format!(
                "{}={}: it has no section {quoted}, so nobody logs in to ZooKeeper",
                file.name, file.value
            ))),
        };
    };
    login(settings, (&text, &modules), (&file.value, name), &wrong)
}

/// What the modules of the section `name` of a file make of a login.
fn login(
    settings: &Settings,
    (text, modules): (&str, &[LoginModule]),
    (file, name): (&str, &str),
    wrong: &dyn Fn(String) -> String,
) -> Result<Found, String> {
    let place = format!("section {} in {file}", plan::quoted(name));
    let of = |wanted: &str| modules.iter().find(|module| module.name() == wanted);
    match (of(DIGEST), of(KERBEROS)) {
        (Some(_), Some(_)) => {
            Err(wrong(format!("{place} has both {DIGEST} and {KERBEROS}: leave one of them")))
        }
        (Some(_), None) => {
            let digest = digest(text, name, settings, &place).map_err(wrong)?;
            Ok(Found::Login(Login::Digest(digest)))
        }
        (None, Some(module)) => {
            let Some(giver) = settings.kerberos.clone() else { return Ok(none_of_use(modules, &place)) };
            let server = server(settings)?;
            let no_java =
                |searched| wrong(format!("{place} logs in by Kerberos, which needs Java: {searched}"));
            giver.look().map_err(no_java)?;
            let traces = module.option("debug").is_some_and(|debug| debug.eq_ignore_ascii_case("true"));
            let (file, section) = (file.to_owned(), name.to_owned());
            Ok(Found::Login(Login::Kerberos(Ticket { giver, file, section, server, traces, place })))
        }
        (None, None) => Ok(none_of_use(modules, &place)),
    }
}

/// What a login by Kerberos is not told, though it is set.
pub(super) fn without_effect(settings: &Settings) -> Option<String> {
    let realm = settings.filled(REALM)?;
    Some(format!(
        "{} has no effect, and none in ZooKeeper's own client: Java takes the realm of a server from [domain_realm] of krb5.conf, or else \
         the default one",
        realm.name
    ))
}

fn none_of_use(modules: &[LoginModule], place: &str) -> Found {
    let names: Vec<&str> = modules.iter().map(LoginModule::name).collect();
    Found::NoneOfUse(format!(
        "{place}: there is no login to ZooKeeper by {} here, so nobody logs in, and only nodes that are open to `world:anyone` are read \
         and written; {DIGEST} logs in by a user and a password, {KERBEROS} by Kerberos",
        plan::quoted(&names.join(", "))
    ))
}

fn digest(text: &str, section: &str, settings: &Settings, place: &str) -> Result<Digest, String> {
    let properties = |name: &str| settings.last(name).map(|known| known.value.clone());
    let modules = LoginModule::of_section(text, section, &properties)?.unwrap_or_default();
    let module = modules.iter().find(|module| module.name() == DIGEST);
    let module = module.ok_or_else(|| format!("{place}: it has no {DIGEST}"))?;
    let word = |key: &str| {
        let word = module.needed(key).map_err(|why| format!("{place}: {why}"))?;
        if word.is_empty() { Err(format!("{place}: its `{key}` is empty")) } else { Ok(word.to_owned()) }
    };
    let (user, password) = (word("username")?, Secret::new(word("password")?));
    match settings.last(FIPS).filter(|fips| fips.value.eq_ignore_ascii_case("true")) {
        Some(fips) => {
            Err(format!("{DIGEST} logs in by DIGEST-MD5, which {}={} forbids", fips.name, fips.value))
        }
        None => Ok(Digest { user, password, place: place.to_owned() }),
    }
}

/// As whom the server is asked for.
fn server(settings: &Settings) -> Result<Server, String> {
    let service = settings.filled(SERVICE).map_or("zookeeper", |service| &service.value).to_owned();
    let canonicalize = match settings.filled(CANONICALIZE) {
        Some(Setting { value, name, .. }) if !value.eq_ignore_ascii_case("true") => {
            if !value.eq_ignore_ascii_case("false") {
                return Err(format!("{name}={value}: true (the host's name is that of DNS) or false"));
            }
            false
        }
        _ => true,
    };
    let principal = settings.filled(PRINCIPAL);
    if let Some(Setting { value, name, .. }) = principal
        && !is_principal(value)
    {
        return Err(format!(
            "{name}={value}: no principal of a server; write SERVICE/HOST or SERVICE/HOST@REALM"
        ));
    }
    Ok(Server { service, canonicalize, principal: principal.map(|principal| principal.value.clone()) })
}

fn is_principal(text: &str) -> bool {
    let name = text.split_once('@').map_or(text, |(name, _)| name);
    name.split_once('/')
        .is_some_and(|(service, host)| !service.is_empty() && !host.is_empty() && !host.contains('/'))
}

/// The text of the file that Java finds under this name: a path or a URL of one, behind a second `=` as well.
fn read(name: &str) -> Result<String, String> {
    let name = name.strip_prefix('=').unwrap_or(name);
    let path = match name.strip_prefix("file:") {
        Some(path) if path.starts_with("///") => &path[2..],
        Some(path) => path,
        None => name,
    };
    let bytes = plan::input::read(Path::new(path), MOST_BYTES, PATIENCE_SECONDS, &|_| {})
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it has more than {MOST_BYTES} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// The file, a system property of Java's.
const LOGIN: &str = "java.security.auth.login.config";
const SASL: &str = "zookeeper.sasl.client";
const SECTION: &str = "zookeeper.sasl.clientconfig";
/// Known to ZooKeeper from 3.8.2 on.
const FIPS: &str = "zookeeper.fips-mode";
const USUAL: &str = "Client";
const DIGEST: &str = "DigestLoginModule";
const KERBEROS: &str = "Krb5LoginModule";
const SERVICE: &str = "zookeeper.sasl.client.username";
const CANONICALIZE: &str = "zookeeper.sasl.client.canonicalize.hostname";
/// Known to ZooKeeper from 3.5 on.
const PRINCIPAL: &str = "zookeeper.server.principal";
const REALM: &str = "zookeeper.server.realm";
/// Such a file has some hundred.
const MOST_BYTES: u64 = 1 << 20;
const PATIENCE_SECONDS: u32 = 5;

#[cfg(test)]
mod tests {
    use super::super::kerberos::tests::Giver;
    use super::*;
    use std::sync::Arc;

    const DIGESTS: &str = "Client {\n org.apache.zookeeper.server.auth.DigestLoginModule required\n  \
        username=\"bob\" password=\"hunter2${more}\";\n};\nEmpty { };\n\
        Kerberos { com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true keyTab=\"${user.home}/k\" debug=true; };\n\
        Both { a.DigestLoginModule required; b.Krb5LoginModule required; };\nOther { a.Other required; };\n\
        Half { a.DigestLoginModule required username=bob; };\n";

    /// What these settings make of a file with `text`, whose path stands for `FILE` in them.
    fn found(text: &str, lines: &[&str]) -> Result<Found, String> {
        found_by(text, lines, None)
    }

    fn found_by(text: &str, lines: &[&str], giver: Option<Giver>) -> Result<Found, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let pairs = lines.iter().filter_map(|line| line.split_once('='));
        let path = file.path().display().to_string();
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.replace("FILE", &path)));
        let settings = Settings::new(&pairs.collect::<Vec<_>>());
        find(&giver.map_or(settings.clone(), |giver| settings.logging_in(Arc::new(giver))))
    }

    const FILE: &str = "java.security.auth.login.config=FILE";
    const MORE: &str = "more=s";

    #[test]
    fn the_login_is_the_one_of_the_section_that_java_takes() {
        for lines in [
            &[FILE, MORE][..],
            &["java.security.auth.login.config==FILE", MORE],
            &["java.security.auth.login.config=file:FILE", MORE],
            &["java.security.auth.login.config=file://FILE", MORE, "zookeeper.sasl.client=TRUE"],
            &["java.security.auth.login.config=/no/such", FILE, MORE, "zookeeper.sasl.clientconfig=Client"],
        ] {
            match found(DIGESTS, lines).unwrap_or_else(|why| panic!("{why}")) {
                Found::Login(Login::Digest(Digest { user, password, place })) => {
                    assert_eq!((user.as_str(), password.reveal()), ("bob", "hunter2s"));
                    assert!(place.starts_with("section `Client` in "), "{place}");
                }
                _ => panic!("{lines:?}"),
            }
        }
        for lines in [&[][..], &["zookeeper.sasl.client=false", FILE], &["zookeeper.sasl.client=true"]] {
            assert!(matches!(found(DIGESTS, lines), Ok(Found::None)), "{lines:?}");
        }
    }

    #[test]
    fn a_file_without_a_login_that_can_be_had_is_told_and_one_that_is_wrong_is_refused() {
        for (text, section, told) in [
            ("KafkaClient { };", None, "it has no section `Client`, so nobody logs in"),
            (DIGESTS, Some("Kerberos"), "by `Krb5LoginModule` here, so nobody logs in"),
            (DIGESTS, Some("Other"), "by `Other` here, so nobody logs in"),
        ] {
            let section = section.map(|name| format!("zookeeper.sasl.clientconfig={name}"));
            let lines: Vec<&str> = [FILE, MORE].into_iter().chain(section.as_deref()).collect();
            match found(text, &lines) {
                Ok(Found::NoneOfUse(why)) => assert!(why.contains(told), "{why}"),
                _ => panic!("{text}"),
            }
        }
        let nobody = "java.security.auth.login.config=/no/such.jaas";
        let pipe = "java.security.auth.login.config=/";
        let named = |name: &str| format!("zookeeper.sasl.clientconfig={name}");
        for (lines, told) in [
            (&[nobody][..], "=/no/such.jaas: it cannot be read: No such file"),
            (&[pipe], "it is a directory; correct it, or switch the login off"),
            (&[FILE], "section `Client`: `password`: it names a system property"),
            (
                &[FILE, MORE, &named("None")],
                "it has no section `None`, which -Dzookeeper.sasl.clientconfig names",
            ),
            (&[FILE, MORE, &named("Both")], "has both DigestLoginModule and Krb5LoginModule: leave one"),
            (&[FILE, MORE, &named("Half")], "it has no `password`, which DigestLoginModule needs"),
            (&[&named("Other")], "there is none: give -Djava.security.auth.login.config=FILE"),
            (&[FILE, MORE, "zookeeper.fips-mode=true"], "which -Dzookeeper.fips-mode=true forbids"),
            (&[FILE, MORE, "zookeeper.sasl.client=yes"], "-Dzookeeper.sasl.client=yes: true"),
        ] {
            let why = found(DIGESTS, lines).map(drop).unwrap_err();
            assert!(why.contains(told) && !why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn a_section_of_kerberos_is_for_java_with_the_servers_name_as_zookeepers_client_has_it() {
        let kerberos = "zookeeper.sasl.clientconfig=Kerberos";
        let ticket = |more: &[&str]| match found_by(
            DIGESTS,
            &[&[FILE, kerberos], more].concat(),
            Some(Giver::new()),
        ) {
            Ok(Found::Login(Login::Kerberos(ticket))) => Ok(ticket),
            Ok(_) => panic!("{more:?}"),
            Err(why) => Err(why),
        };
        let usual = ticket(&[]).unwrap();
        assert!(usual.traces && usual.section == "Kerberos", "{usual:?}");
        assert!(usual.place.starts_with("section `Kerberos` in "), "{}", usual.place);
        let Server { service, canonicalize, principal } = usual.server;
        assert_eq!((service.as_str(), canonicalize, principal), ("zookeeper", true, None));
        let other = [
            "zookeeper.sasl.client.username=zk",
            "zookeeper.sasl.client.canonicalize.hostname=FALSE",
            "zookeeper.server.principal=zk/h@R",
        ];
        let Server { service, canonicalize, principal } = ticket(&other).unwrap().server;
        assert_eq!((service.as_str(), canonicalize, principal.as_deref()), ("zk", false, Some("zk/h@R")));
        for (wrong, told) in [
            ("zookeeper.sasl.client.canonicalize.hostname=no", "canonicalize.hostname=no: true ("),
            ("zookeeper.server.principal=zookeeper@R", "no principal of a server; write SERVICE/HOST"),
            ("zookeeper.server.principal=/h", "no principal of a server"),
        ] {
            let why = ticket(&[wrong]).unwrap_err();
            assert!(why.contains(told), "{why}");
        }
        let none = found_by(DIGESTS, &[FILE, kerberos], Some(Giver::missing("no `java` anywhere")));
        let why = none.map(drop).unwrap_err();
        assert!(why.contains("logs in by Kerberos, which needs Java: no `java` anywhere"), "{why}");
    }
}

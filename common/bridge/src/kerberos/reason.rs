//! Why a login by Kerberos has not succeeded, in an operator's words. No I/O.
//!
//! Source: RFC 4120, 7.5.9, for the numbers that Java writes in parentheses; the JDK's `Krb5LoginModule`, `KrbException`, `KdcComm` and
//! `LoginContext`, 8 to 21, for its words.

/// What Java says of a failure, in lines: facts, each a word and a tab in front of it, and exceptions, each the cause of the one
/// before. `user` and `server` are empty as long as they are not known.
pub(super) fn told(text: &str, user: &str, server: &str) -> String {
    let (facts, causes): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.contains('\t'));
    let facts = Facts(facts.into_iter().filter_map(|line| line.split_once('\t')).collect());
    let java = shown(javas_word(&causes));
    let user = if user.is_empty() { facts.get("principal").map(shown) } else { Some(user.to_owned()) };
    let user = user.map_or("the user".to_owned(), |user| format!("`{user}`"));
    match reason(&causes.join("\n"), &facts, &user, server) {
        Some(reason) => format!("{reason} (Java says: {java})"),
        None => format!("Java says: {java}"),
    }
}

struct Facts<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Facts<'t> {
    fn get(&self, name: &str) -> Option<&'t str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

fn reason(causes: &str, facts: &Facts<'_>, user: &str, server: &str) -> Option<String> {
    let says = |words: &[&str]| words.iter().any(|word| causes.contains(word));
    Some(if says(UNREACHABLE) {
        "the KDC cannot be reached: look at `kdc` in krb5.conf, at the network, and whether the KDC runs"
            .to_owned()
    } else if says(&["locate KDC", "default realm", "(68)", "(41)"]) {
        format!("the realm of {user} and krb5.conf do not fit, or no KDC is named: {KRB5_CONF}")
    } else if says(&["(37)", "lock skew"]) {
        "the clocks of this host and of the KDC are too far apart: set them by NTP".to_owned()
    } else if says(&["(6)"]) {
        format!("the KDC does not know {user}: look at `principal` in the section")
    } else if says(&["(7)"]) {
        format!(
            "the KDC does not know the server as `{server}`: name it by -Dzookeeper.sasl.client.username=SERVICE, \
             -Dzookeeper.sasl.client.canonicalize.hostname=false (as it stands here, not as in DNS) or -Dzookeeper.server.principal=SERVICE/HOST"
        )
    } else if says(&["(24)", "(31)", "Checksum failed"]) {
        format!(
            "the key of {user} is not the one that the KDC has: the keytab is an old one, or the password is wrong"
        )
    } else if says(&["(1)", "(18)", "(23)"]) {
        format!("the KDC has locked {user}, or account or password have expired")
    } else if says(&["(14)", "encryption type", "etype"]) {
        "KDC, keytab and Java have no encryption type in common: look at `permitted_enctypes` in krb5.conf, and make the keytab anew"
            .to_owned()
    } else if says(&["(32)", "(33)", "expired"]) {
        "the ticket has expired: log in with `kinit`, or use a keytab".to_owned()
    } else if says(&["No LoginModule found", "unable to find LoginModule class"]) {
        "a class of the section is not in the JDK, and no other one can be had here".to_owned()
    } else if says(NO_KEY) {
        no_key(facts, user)
    } else {
        return None;
    })
}

fn no_key(facts: &Facts<'_>, user: &str) -> String {
    let file = |name: &str, what: &str, rest: &str| {
        facts.get(name).map(|path| format!("the {what} {} {rest}", shown(path)))
    };
    file("keytab-missing", "keytab", "is not there")
        .or_else(|| file("keytab-unreadable", "keytab", "cannot be read by the user of this process"))
        .or_else(|| file("keytab-without", "keytab", &format!("has no key of {user}: `klist -k` shows whose it has")))
        .or_else(|| file("cache-missing", "ticket cache", "is not there: log in with `kinit`"))
        .or_else(|| file("cache-unreadable", "ticket cache", "cannot be read by the user of this process"))
        .unwrap_or_else(|| {
            "there is neither a key nor a ticket for it: the section needs `useKeyTab=true keyTab=\"FILE\" principal=\"USER@REALM\"`, or \
             `useTicketCache=true` after `kinit`"
                .to_owned()
        })
}

/// The most telling of its words.
fn javas_word<'t>(causes: &[&'t str]) -> &'t str {
    let messages = || causes.iter().filter_map(|line| line.split_once(": ")).map(|(_, message)| message);
    if let Some(level) = messages().find_map(|message| message.split_once("(Mechanism level: ")) {
        return level.1.strip_suffix(')').unwrap_or(level.1);
    }
    let telling = messages().find(|message| !message.is_empty() && *message != "GSS initiate failed");
    telling.or(causes.first().copied()).unwrap_or("nothing")
}

/// On one line, without signs that would do something to a terminal, and not too long.
pub(super) fn shown(text: &str) -> String {
    let text = text.trim();
    let mut line: String = text.chars().take(MOST_SHOWN).collect();
    if line.len() < text.len() {
        line.push_str("...");
    }
    line.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
}

const UNREACHABLE: &[&str] = &[
    "Connection refused",
    "Connection reset",
    "timed out",
    "nreachable",
    "No route to host",
    "UnknownHostException",
];
const NO_KEY: &[&str] = &[
    "No password provided",
    "obtain password",
    "obtain Principal Name",
    "No CallbackHandler",
    "No valid credentials",
    "any Kerberos",
    "gives no principal",
];
const KRB5_CONF: &str = "look at [realms] and `default_realm` in the file that -Djava.security.krb5.conf=FILE names (else /etc/krb5.conf)";
/// Characters of a text of Java's.
const MOST_SHOWN: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: &str = "principal\tme@R\n";

    /// As JDK 17 says it, each by a real failure.
    #[test]
    fn what_java_says_is_told_with_what_to_do() {
        let login = "javax.security.auth.login.LoginException: ";
        let gss = "javax.security.sasl.SaslException: GSS initiate failed\norg.ietf.jgss.GSSException: No valid credentials provided";
        for (text, said) in [
            (
                format!("keytab-missing\t/k\n{login}No password provided"),
                "the keytab /k is not there (Java says: No password provided)",
            ),
            (
                format!("{FACTS}keytab-without\t/k\n{login}No password provided"),
                "the keytab /k has no key of `me@R`: `klist -k` shows whose it has",
            ),
            (
                format!("cache-missing\t/c\n{login}Unable to obtain Principal Name for authentication"),
                "the ticket cache /c is not there: log in with `kinit`",
            ),
            (format!("{login}No password provided"), "there is neither a key nor a ticket for it"),
            (
                format!("{FACTS}{login}Connection refused\njava.net.ConnectException: Connection refused"),
                "the KDC cannot be reached: look at `kdc`",
            ),
            (format!("{login}Receive timed out"), "the KDC cannot be reached"),
            (
                format!("{FACTS}{login}Client not found in Kerberos database (6) - x"),
                "the KDC does not know `me@R`: look at `principal`",
            ),
            (
                format!("{FACTS}{login}Integrity check on decrypted field failed (31) - PREAUTH_FAILED"),
                "the key of `me@R` is not the one that the KDC has",
            ),
            (format!("{login}Cannot locate KDC"), "krb5.conf do not fit, or no KDC is named"),
            (format!("{login}No LoginModule found for org.acme.None"), "is not in the JDK"),
            (
                format!("{gss} (Mechanism level: Clock skew too great (37) - PROCESS_TGS)"),
                "set them by NTP (Java says: Clock skew too great (37) - PROCESS_TGS)",
            ),
            (
                format!("{gss} (Mechanism level: Server not found in Kerberos database (7) - x)"),
                "the KDC does not know the server as `zookeeper/h`: name it by",
            ),
            (
                format!("{gss} (Mechanism level: Failed to find any Kerberos tgt)"),
                "neither a key nor a ticket",
            ),
            ("java.lang.Odd: a\u{1b}[31m".to_owned(), "Java says: a [31m"),
            ("java.lang.Odd: ".to_owned(), "Java says: java.lang.Odd:"),
            (String::new(), "Java says: nothing"),
        ] {
            let told = told(&text, "", "zookeeper/h");
            assert!(told.contains(said), "{told}");
        }
        assert!(told(&format!("java.lang.Odd: {}", "x".repeat(9999)), "", "").len() < 400);
    }
}

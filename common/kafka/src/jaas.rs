//! Who logs in: the line of `sasl.jaas.config`.
//!
//! Source: Kafka's documentation of SASL, and `JaasConfig` of kafka-clients 2.7.2.

use java::LoginModule;

/// What a login module needs.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Login {
    /// A name and a password: PLAIN and SCRAM.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// Kerberos.
    Kerberos,
    /// Another module.
    Other(String),
}

/// Reads `MODULE required key="value" ...;`.
///
/// # Errors
/// What is wrong with it, without its secrets.
pub(crate) fn parse(text: &str) -> Result<Login, String> {
    let module = LoginModule::of_line(text)?;
    let word = |key: &str| module.needed(key).map(str::to_owned);
    match module.name() {
        "PlainLoginModule" | "ScramLoginModule" => {
            Ok(Login::Password { user: word("username")?, password: word("password")? })
        }
        "Krb5LoginModule" => Ok(Login::Kerberos),
        other => Ok(Login::Other(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(user: &str, password: &str) -> Login {
        Login::Password { user: user.to_owned(), password: password.to_owned() }
    }

    #[test]
    fn a_name_and_a_password_are_found_whatever_they_hold() {
        for (text, login) in [
            (
                r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";"#,
                password("u", "p"),
            ),
            (
                r#"a.b.ScramLoginModule  required  password="a;b \"c\" #d" username='me' ;"#,
                password("me", r#"a;b "c" #d"#),
            ),
            ("com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true;", Login::Kerberos),
            ("x.OAuthBearerLoginModule required ;", Login::Other("OAuthBearerLoginModule".to_owned())),
        ] {
            assert!(parse(text).unwrap() == login, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_secret() {
        for (text, said) in [
            (
                r#"PlainLoginModule required username="u" password="hunter2""#,
                "it does not end with a semicolon",
            ),
            (r#"PlainLoginModule required username="u" password="hunter2;"#, "a quote is not closed"),
            (
                r#"PlainLoginModule required password="hunter2";"#,
                "it has no `username`, which PlainLoginModule needs",
            ),
            (";", "it is empty"),
        ] {
            assert_eq!(parse(text).err().unwrap(), said);
        }
    }
}

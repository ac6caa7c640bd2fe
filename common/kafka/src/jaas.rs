//! Who logs in: the line of `sasl.jaas.config`.
//!
//! Source: Kafka's documentation of SASL, and `JaasConfig` of kafka-clients 2.7.2.

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
    let mut words = words(text)?.into_iter();
    let module = words.next().ok_or("it is empty")?;
    let name = module.rsplit('.').next().unwrap_or_default().to_owned();
    let options: Vec<(String, String)> = words
        .filter_map(|word| word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())))
        .collect();
    let option = |wanted: &str| {
        let found = options.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.clone());
        found.ok_or_else(|| format!("it has no `{wanted}`, which {name} needs"))
    };
    match name.as_str() {
        "PlainLoginModule" | "ScramLoginModule" => {
            Ok(Login::Password { user: option("username")?, password: option("password")? })
        }
        "Krb5LoginModule" => Ok(Login::Kerberos),
        _ => Ok(Login::Other(name)),
    }
}

/// Words between blanks, quotes taken away, up to the semicolon.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote, mut escaped) = (Vec::new(), String::new(), None, false);
    for sign in text.chars() {
        match (quote, sign) {
            _ if escaped => {
                word.push(sign);
                escaped = false;
            }
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if sign == open => quote = None,
            (Some(_), _) => word.push(sign),
            (None, '"' | '\'') => quote = Some(sign),
            (None, ';') => {
                words.push(word);
                words.retain(|word| !word.is_empty());
                return Ok(words);
            }
            (None, _) if sign.is_whitespace() => words.push(std::mem::take(&mut word)),
            (None, _) => word.push(sign),
        }
    }
    Err(if quote.is_some() { "a quote is not closed" } else { "it does not end with a semicolon" }.to_owned())
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

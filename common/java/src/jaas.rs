//! JAAS: who logs in, as a file of sections says, or a line with what stands in one of them.
//!
//! ```text
//! Client {
//!   org.acme.LoginModule required username="me" password="...";
//! };
//! ```
//!
//! Source: the JDK's `ConfigFile` and `PropertyExpander`, Kafka's `JaasConfig`, with one difference: a value without quotes may have
//! any sign that is none of the grammar's. No message shows a value.

use std::{iter::Peekable, str::Chars};

/// A login module and its options, which may be secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginModule {
    class: String,
    options: Vec<(String, String)>,
}

impl LoginModule {
    /// The class, without its package.
    pub fn name(&self) -> &str {
        self.class.rsplit('.').next().unwrap_or_default()
    }

    /// An option; where it stands more than once, the last one counts.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// An option without which the module does nothing.
    ///
    /// # Errors
    /// It is missing.
    pub fn needed(&self, key: &str) -> Result<&str, String> {
        self.option(key).ok_or_else(|| format!("it has no `{key}`, which {} needs", self.name()))
    }

    /// Reads `MODULE required key="value" ...;`, of which the first counts.
    ///
    /// # Errors
    /// What is wrong with it, without its secrets.
    pub fn of_line(text: &str) -> Result<LoginModule, String> {
        let mut reader = Reader::new(text);
        if matches!(reader.next()?, Token::End | Token::Sign(';')) {
            return Err("it is empty".to_owned());
        }
        Reader::new(text).module()
    }

    /// The modules of a file's section `name`; `None` when there is no such section. `properties` knows Java's system
    /// properties, which a value names as `${NAME}`.
    ///
    /// # Errors
    /// What is wrong with the file, and in which line, without its secrets.
    pub fn of_section(
        text: &str,
        name: &str,
        properties: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Vec<LoginModule>>, String> {
        let mut reader = Reader::new(text);
        let found = reader.section(name).map_err(|why| format!("line {}: {why}", reader.line))?;
        let Some(mut modules) = found else { return Ok(None) };
        for (key, value) in modules.iter_mut().flat_map(|module| &mut module.options) {
            *value =
                expanded(value, properties).map_err(|why| format!("section `{name}`: `{key}`: {why}"))?;
        }
        Ok(Some(modules))
    }
}

/// With Java's system properties in the place of their names.
fn expanded(value: &str, properties: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), value);
    while let Some((before, behind)) = rest.split_once("${") {
        out.push_str(before);
        // `${{...}}` stays as it is, and so does what is not closed.
        let end = if behind.starts_with('{') { behind.find("}}").map(|at| at + 1) } else { behind.find('}') };
        let Some(end) = end else {
            rest = &rest[before.len()..];
            break;
        };
        match &behind[..end] {
            "/" => out.push('/'),
            whole if whole.starts_with('{') => {
                out.push_str("${");
                out.push_str(&behind[..=end]);
            }
            name => out.push_str(&properties(name).ok_or(
                "it names a system property (`${...}`) that is not given with -D; write what it stands for",
            )?),
        }
        rest = &behind[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

enum Token {
    /// With or without quotes.
    Word(String),
    /// One of the grammar's.
    Sign(char),
    End,
}

struct Reader<'t> {
    signs: Peekable<Chars<'t>>,
    /// From 1 on.
    line: usize,
}

impl Reader<'_> {
    fn new(text: &str) -> Reader<'_> {
        Reader { signs: text.chars().peekable(), line: 1 }
    }

    fn section(&mut self, wanted: &str) -> Result<Option<Vec<LoginModule>>, String> {
        let mut found = None;
        loop {
            let name = match self.next()? {
                Token::Word(name) => name,
                Token::End => return Ok(found),
                Token::Sign(_) => return Err("a section begins with its name".to_owned()),
            };
            self.sign('{', "behind a section's name stands")?;
            let modules = self.modules()?;
            self.sign(';', "behind a section's `}` stands")?;
            if name == wanted && found.replace(modules).is_some() {
                return Err(format!("there is a second section `{name}`"));
            }
        }
    }

    /// Those up to the end of a section.
    fn modules(&mut self) -> Result<Vec<LoginModule>, String> {
        let mut modules = Vec::new();
        loop {
            let mut ahead = Reader { signs: self.signs.clone(), line: self.line };
            if matches!(ahead.next()?, Token::Sign('}')) {
                *self = Reader { signs: ahead.signs, line: ahead.line };
                return Ok(modules);
            }
            modules.push(self.module()?);
        }
    }

    fn module(&mut self) -> Result<LoginModule, String> {
        let Token::Word(class) = self.next()? else {
            return Err("where the class of a login module is to stand, something else does".to_owned());
        };
        let flag = self.next()?;
        let known = |word: &str| FLAGS.iter().any(|flag| word.eq_ignore_ascii_case(flag));
        if !matches!(&flag, Token::Word(word) if known(word)) {
            return Err(format!("behind the class of a login module stands one of {}", FLAGS.join(", ")));
        }
        let mut options = Vec::new();
        loop {
            match self.next()? {
                Token::Sign(';') => return Ok(LoginModule { class, options }),
                Token::Word(key) => {
                    self.sign('=', "behind the name of an option stands")?;
                    let Token::Word(value) = self.next()? else {
                        return Err("an option has no value behind its `=`".to_owned());
                    };
                    options.push((key, value));
                }
                Token::End => return Err("it does not end with a semicolon".to_owned()),
                Token::Sign(_) => {
                    return Err("where an option or `;` is to stand, something else does".to_owned());
                }
            }
        }
    }

    fn sign(&mut self, wanted: char, place: &str) -> Result<(), String> {
        match self.next()? {
            Token::Sign(sign) if sign == wanted => Ok(()),
            _ => Err(format!("{place} `{wanted}`, and here is something else")),
        }
    }

    fn next(&mut self) -> Result<Token, String> {
        self.skip_blanks();
        match self.signs.peek().copied() {
            None => Ok(Token::End),
            Some(quote @ ('"' | '\'')) => {
                self.step();
                self.quoted(quote).map(Token::Word)
            }
            Some(sign) if SIGNS.contains(sign) => {
                self.step();
                Ok(Token::Sign(sign))
            }
            Some(_) => {
                let mut word = String::new();
                while let Some(sign) = self.signs.peek().copied()
                    && !sign.is_whitespace()
                    && !SIGNS.contains(sign)
                    && !['"', '\''].contains(&sign)
                    && !self.at_comment()
                {
                    word.extend(self.step());
                }
                Ok(Token::Word(word))
            }
        }
    }

    /// What stands before the closing quote.
    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let mut word = String::new();
        loop {
            match self.signs.peek().copied() {
                None | Some('\n' | '\r') => return Err("a quote is not closed".to_owned()),
                Some('\\') => {
                    self.step();
                    word.extend(self.escaped());
                }
                Some(sign) => {
                    self.step();
                    if sign == quote {
                        return Ok(word);
                    }
                    word.push(sign);
                }
            }
        }
    }

    /// What a backslash and the signs behind it mean: as in C, also up to three octal digits.
    fn escaped(&mut self) -> Option<char> {
        let first = self.step()?;
        let Some(digit) = first.to_digit(8) else {
            return Some(match first {
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                other => other,
            });
        };
        let mut code = digit;
        for _ in 0..if digit <= 3 { 2 } else { 1 } {
            let Some(more) = self.signs.peek().and_then(|sign| sign.to_digit(8)) else { break };
            self.step();
            code = code * 8 + more;
        }
        char::from_u32(code)
    }

    /// Past blanks, `// ...` and `/* ... */`.
    fn skip_blanks(&mut self) {
        loop {
            if self.at_comment() {
                self.step();
                let ends_with_line = self.step() == Some('/');
                let mut before = ' ';
                while let Some(sign) = self.step() {
                    if if ends_with_line { sign == '\n' } else { before == '*' && sign == '/' } {
                        break;
                    }
                    before = sign;
                }
            } else if self.signs.peek().is_some_and(|sign| sign.is_whitespace()) {
                self.step();
            } else {
                return;
            }
        }
    }

    fn at_comment(&self) -> bool {
        let mut ahead = self.signs.clone();
        ahead.next() == Some('/') && matches!(ahead.next(), Some('/' | '*'))
    }

    fn step(&mut self) -> Option<char> {
        let sign = self.signs.next();
        self.line += usize::from(sign == Some('\n'));
        sign
    }
}

/// What no word without quotes has in it.
const SIGNS: &str = "{};=,";
const FLAGS: [&str; 4] = ["required", "requisite", "sufficient", "optional"];

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
/* Kafka's; { } */
KafkaClient {
  org.apache.kafka.common.security.plain.PlainLoginModule required
    username="k" password="//no comment";
};
Client { // ZooKeeper's
  org.apache.zookeeper.server.auth.DigestLoginModule Required
    username=bob
    password = "p\"\\\t\101;}" home="${user.home}${/}x${{kept}}${open";
  x.Other optional;
};
"#;

    fn section(name: &str) -> Result<Option<Vec<LoginModule>>, String> {
        LoginModule::of_section(FILE, name, &|name| (name == "user.home").then(|| "/etc/me".to_owned()))
    }

    #[test]
    fn a_section_of_a_file_has_its_modules_with_their_options() {
        let modules = section("Client").ok().flatten().unwrap();
        let names: Vec<_> = modules.iter().map(LoginModule::name).collect();
        assert_eq!(names, ["DigestLoginModule", "Other"]);
        assert_eq!(modules[0].option("username"), Some("bob"));
        assert_eq!(modules[0].option("password"), Some("p\"\\\tA;}"));
        assert_eq!(modules[0].option("home"), Some("/etc/me/x${{kept}}${open"));
        let modules = section("KafkaClient").ok().flatten().unwrap();
        assert_eq!(modules[0].needed("password"), Ok("//no comment"));
        let missing = modules[0].needed("realm").unwrap_err();
        assert_eq!(missing, "it has no `realm`, which PlainLoginModule needs");
        assert!(section("client").is_ok_and(|found| found.is_none()));
        let none = LoginModule::of_section("", "Client", &|_| None);
        assert!(none.is_ok_and(|found| found.is_none()));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_a_value() {
        for (text, said) in [
            ("Client {\n a.B required\n p=\"hunter2\n\";};", "line 3: a quote is not closed"),
            ("Client\n a.B required;", "line 2: behind a section's name stands `{`"),
            (
                "Client { a.B hunter2 x=y; };",
                "line 1: behind the class of a login module stands one of required,",
            ),
            ("Client { a.B required x=; };", "an option has no value behind its `=`"),
            ("Client { a.B required hunter2; };", "behind the name of an option stands `=`"),
            ("Client { a.B required }", "where an option or `;` is to stand"),
            ("Client { a.B required x=y;", "where the class of a login module is to stand"),
            ("Client { a.B required x=y; }", "behind a section's `}` stands `;`"),
            ("Client { };\nClient { };", "line 2: there is a second section `Client`"),
            ("{ };", "a section begins with its name"),
            (
                "Client { a.B required p=\"${hunter2}\"; };",
                "section `Client`: `p`: it names a system property",
            ),
        ] {
            let why = LoginModule::of_section(text, "Client", &|_| None).map(drop).unwrap_err();
            assert!(why.contains(said) && !why.contains("hunter2"), "{text}: {why}");
        }
    }

    #[test]
    fn no_text_makes_it_panic_or_goes_on_without_end() {
        for end in (0..=FILE.len()).filter(|end| FILE.is_char_boundary(*end)) {
            let _any = LoginModule::of_section(&FILE[..end], "Client", &|_| None);
            let _any = LoginModule::of_line(&FILE[end..]);
        }
        for text in ["${", "${{", "${{}", "${}}", "\\", "\"\\", "/*", "/", "//", "\"\\7"] {
            let _any = expanded(text, &|_| Some(String::new()));
            let _any = LoginModule::of_line(text);
        }
    }
}

//! Files of properties in Hadoop's form, such as `core-site.xml`.
//!
//! Source: Hadoop 3.3 `Configuration`: `Parser`, `loadProperty`, `substituteVars`.

use super::variables::{of_environment, replaced};
use plan::quoted;
use roxmltree::{Document, Node, ParsingOptions};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// What some of them say, each before those that count over it.
#[derive(Default)]
pub struct SiteXml {
    written: HashMap<String, String>,
    /// Names that no later property sets.
    last: HashSet<String>,
    notes: Vec<String>,
}

/// What they say, with their variables replaced.
pub struct SiteProperties {
    /// By name. Spaces round a value are not in it.
    pub all: HashMap<String, String>,
    /// What is not taken as it stands there, in an operator's words.
    pub notes: Vec<String>,
}

impl SiteXml {
    /// Adds a file, and those that it includes.
    ///
    /// # Errors
    /// What is wrong with a file, in an operator's words.
    pub fn add(&mut self, path: &Path) -> Result<(), String> {
        self.read(path, path.parent().unwrap_or(Path::new("")), 0)
    }

    /// `base` is where included files are.
    fn read(&mut self, path: &Path, base: &Path, depth: u32) -> Result<(), String> {
        let wrong = |why: String| format!("{}: {why}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
        let document = Document::parse_with_options(&text, options);
        let document = document.map_err(|error| wrong(format!("no XML: {error}")))?;
        let mut missing = HashSet::new();
        for node in document.descendants() {
            let (is_property, is_include) = (is(&node, "property"), is(&node, "include"));
            let counts =
                |fallback: Node<'_, '_>| fallback.parent().is_some_and(|of| missing.contains(&of.id()));
            let skip = || node.ancestors().any(|above| is(&above, FALLBACK) && !counts(above));
            if !(is_property || is_include) || skip() {
                continue;
            }
            if is_property {
                self.property(&node);
            } else if !self.include(&node, path, base, depth)? {
                missing.insert(node.id());
            }
        }
        Ok(())
    }

    /// Adds a file that one at `path` includes; `false` if there is none and something else is to be taken in its place.
    fn include(&mut self, node: &Node<'_, '_>, path: &Path, base: &Path, depth: u32) -> Result<bool, String> {
        let Some(written) = node.attribute("href") else { return Ok(true) };
        let wrong = |why: &str| format!("{}: it includes {}{why}", path.display(), quoted(written));
        let file =
            written.strip_prefix("file:").map_or(written, |file| file.strip_prefix("//").unwrap_or(file));
        if file.contains("://") {
            self.notes.push(wrong(", which is not read: only files are included; copy it beside this one"));
            return Ok(true);
        }
        let file = base.join(file);
        if file.exists() {
            if depth >= DEEPEST {
                return Err(wrong(&format!(", and {DEEPEST} files in a row do so")));
            }
            self.read(&file, base, depth + 1)?;
            return Ok(true);
        }
        if node.children().any(|child| is(&child, FALLBACK)) {
            return Ok(false);
        }
        Err(wrong(", and there is no such file"))
    }

    /// The last one of a name counts, unless one before it is final.
    fn property(&mut self, node: &Node<'_, '_>) {
        let part = |name: &str| {
            let child = node.children().rfind(|child| is(child, name));
            child.map_or(node.attribute(name), |child| child.text()).map(str::trim)
        };
        let Some(name) = part("name") else { return };
        if let Some(value) = part("value").filter(|_| !self.last.contains(name)) {
            self.written.insert(name.to_owned(), value.to_owned());
        }
        if part("final") == Some("true") {
            self.last.insert(name.to_owned());
        }
    }

    /// All of it. A variable is one of Java's `system` properties, or of the environment (`env.`), or another property.
    pub fn resolved(
        self,
        system: &[(String, String)],
        variable: impl Fn(&str) -> Option<String>,
    ) -> SiteProperties {
        let given = |name: &str| {
            let given = system.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.clone());
            given.or_else(|| plan::system_property(name, &variable))
        };
        let look_up = |name: &str| {
            let found = match name.strip_prefix("env.").filter(|name| !name.is_empty()) {
                Some(name) => of_environment(name, &variable),
                None => given(name),
            };
            found.or_else(|| self.written.get(name).cloned())
        };
        let (mut all, mut notes) = (HashMap::with_capacity(self.written.len()), self.notes);
        for (name, written) in &self.written {
            let value = replaced(written, look_up).unwrap_or_else(|| {
                notes.push(format!(
                    "{name}: its variables lead to others more than 20 times: it is taken as it is written"
                ));
                written.clone()
            });
            all.insert(name.clone(), value);
        }
        SiteProperties { all, notes }
    }
}

fn is(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

/// What counts where the file that is to be included is missing.
const FALLBACK: &str = "fallback";
/// Files that include one another.
const DEEPEST: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn property(name: &str, value: &str) -> String {
        format!("<property><name> {name} </name><value> {value} </value></property>")
    }

    fn including(href: &str, fallback: &str) -> String {
        let xi = "xmlns:xi=\"http://www.w3.org/2001/XInclude\"";
        format!("<xi:include {xi} href=\"{href}\">{fallback}</xi:include>")
    }

    /// What files of these contents say.
    fn said(files: &[&str]) -> Result<SiteProperties, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("more.xml"), format!("<c>{}</c>", property("more", "of ${host}")))
            .unwrap();
        fs::write(folder.path().join("round.xml"), format!("<c>{}</c>", including("round.xml", ""))).unwrap();
        let mut site = SiteXml::default();
        for (number, text) in files.iter().enumerate() {
            let path = folder.path().join(number.to_string());
            let text = text.replace("FOLDER", &folder.path().display().to_string());
            fs::write(&path, format!("<configuration>{text}</configuration>")).unwrap();
            site.add(&path)?;
        }
        let given = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let system = [given("realm", "FIRST"), given("realm", "LAST")];
        Ok(site.resolved(&system, |name| (name == "NODE").then(|| "n1".to_owned())))
    }

    fn value(files: &[&str], name: &str) -> Option<String> {
        said(files).unwrap_or_else(|why| panic!("{why}")).all.remove(name)
    }

    #[test]
    fn variables_are_of_java_the_environment_or_the_files() {
        let first = [
            property("address", "${host}:8020"),
            property("host", "${env.NODE}.example.com"),
            property("who", "nn@${realm}"),
            property("realm", "none"),
            property("none", "${nobody}"),
        ]
        .concat();
        let of = |name: &str| value(&[&first], name);
        assert_eq!(of("address").as_deref(), Some("n1.example.com:8020"));
        assert_eq!(of("who").as_deref(), Some("nn@LAST"));
        assert_eq!(of("none").as_deref(), Some("${nobody}"));
        assert_eq!(value(&[&first, &property("host", "other")], "address").as_deref(), Some("other:8020"));
        let all = said(&[&(property("a", "${b}") + &property("b", "${a}"))]).unwrap();
        assert_eq!((all.all["a"].as_str(), all.notes.len()), ("${b}", 2), "{:?}", all.notes);
    }

    #[test]
    fn a_final_property_is_not_set_again() {
        let own = "<property><name>a</name><value>1</value><final>true</final></property>";
        let attributes = "<property name=\"a\" value=\"2\"/><property name=\"b\" value=\"3\"/>";
        assert_eq!(value(&[own, attributes], "a").as_deref(), Some("1"));
        assert_eq!(value(&[own, attributes], "b").as_deref(), Some("3"));
        assert_eq!(value(&[attributes, own], "a").as_deref(), Some("1"));
        assert_eq!(value(&[attributes, "<property><name>a</name></property>"], "a").as_deref(), Some("2"));
    }

    #[test]
    fn what_a_file_includes_counts_where_it_stands() {
        let host = property("host", "h");
        for href in ["more.xml", "FOLDER/more.xml", "file://FOLDER/more.xml", "file:FOLDER/more.xml"] {
            assert_eq!(
                value(&[&(host.clone() + &including(href, ""))], "more").as_deref(),
                Some("of h"),
                "{href}"
            );
        }
        let behind = including("more.xml", "") + &property("more", "later");
        assert_eq!(value(&[&behind], "more").as_deref(), Some("later"));
        let instead =
            |href| including(href, &format!("<xi:fallback>{}</xi:fallback>", property("host", "f")));
        assert_eq!(value(&[&instead("none.xml")], "host").as_deref(), Some("f"));
        assert_eq!(value(&[&instead("more.xml")], "host"), None);
        let told = |text: String| said(&[&text]).map(|all| all.notes.join("")).unwrap_or_else(|why| why);
        let (none, circle) = (told(including("none.xml", "")), told(including("round.xml", "")));
        assert!(none.contains("it includes `none.xml`, and there is no such file"), "{none}");
        assert!(circle.contains("it includes `round.xml`, and 8 files in a row do so"), "{circle}");
        let far = told(including("http://host/site.xml", ""));
        assert!(far.contains("it includes `http://host/site.xml`, which is not read"), "{far}");
    }
}

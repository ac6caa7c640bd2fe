//! One component's properties, with the component's prefix removed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::component::{Descriptor, Value};
use crate::owner::Owner;
use crate::place::Place;
use crate::properties::Entry as Written;
use crate::quote::cut;
use crate::secret::{HIDDEN, Secret, is_secret, without_log_ins};

/// The properties of one component, in the order in which the file has them.
///
/// Values are what the file says after substitution and trimming. Where a property is missing, or holds text that does
/// not parse (the check has reported it), the getters answer the default of the component's [`Descriptor`]. Asking for a
/// property that the descriptor does not declare is a mistake in the component's code: it panics in debug builds.
#[derive(Clone, Debug, Default)]
pub struct Properties {
    descriptor: Option<&'static Descriptor>,
    entries: Vec<Entry>,
    index: HashMap<String, usize>,
    parts: Vec<Part>,
    refused: Vec<String>,
    hosted: Option<String>,
}

#[derive(Clone)]
struct Entry {
    key: String,
    value: String,
    place: Option<Place>,
    /// Where each part of the value begins, as the file has it.
    written: Option<Box<Written>>,
    secret: bool,
}

/// Something inside a component that has a type and properties of its own: a serializer.
#[derive(Clone, Debug)]
struct Part {
    /// The property that names it.
    property: String,
    part: ComponentPlan,
}

/// One component of a file: which type it is, and what it is to be like.
#[derive(Clone, Debug)]
pub struct ComponentPlan {
    /// Its name in the file; empty where the place alone tells which it is.
    pub name: String,
    /// Its type.
    pub descriptor: &'static Descriptor,
    /// Its own properties.
    pub properties: Properties,
    /// How messages name it.
    pub owner: Owner,
}

impl ComponentPlan {
    /// Flume's alias in lower case, or the class where there is none.
    pub fn kind(&self) -> &'static str {
        self.descriptor.name()
    }

    /// What of it is another in `new`: its type, or some of its keys.
    pub(crate) fn differences(&self, new: &ComponentPlan) -> BTreeSet<String> {
        let is_other = !std::ptr::eq(self.descriptor, new.descriptor)
            && self.descriptor.names.class != new.descriptor.names.class;
        if is_other || self.hosted().is_some() != new.hosted().is_some() {
            return BTreeSet::from(["type".to_owned()]);
        }
        self.properties.differences(&new.properties)
    }

    /// Why it runs in a JVM with the jars of a Flume, if it does. Its properties are then all that is written, `type` too.
    pub fn hosted(&self) -> Option<&str> {
        self.properties.hosted.as_deref()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} = {}", self.key, self.shown())
    }
}

impl Entry {
    fn shown(&self) -> String {
        if self.secret { HIDDEN.to_string() } else { cut(&without_log_ins(&self.value), MOST_SHOWN) }
    }
}

/// Bytes of a value in a message.
const MOST_SHOWN: usize = 400;

impl Properties {
    /// None yet, of a component of this type.
    pub fn new(descriptor: &'static Descriptor) -> Properties {
        Properties { descriptor: Some(descriptor), ..Properties::default() }
    }

    /// None yet, of a component that runs in a JVM, and why it does. Any key may be asked for.
    pub(crate) fn hosted(known: &'static Descriptor, why: String) -> Properties {
        Properties { hosted: Some(why), ..Properties::new(known) }
    }

    /// The value of `key` of a component that runs in a JVM.
    pub(crate) fn as_hosted(&self, key: &str) -> Option<&str> {
        self.hosted.as_ref().and_then(|_| self.text(key))
    }

    /// Notes what the check has said of these.
    pub(crate) fn refused_by(&mut self, checked: Properties) {
        self.refused = checked.refused;
    }

    /// Those of a component of this type, without places: for tests and for components made by hand. The last of equal
    /// keys wins.
    pub fn of<K: Into<String>, V: Into<String>>(
        descriptor: &'static Descriptor,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Properties {
        let mut properties = Properties::new(descriptor);
        for (key, value) in pairs {
            let key = key.into();
            let declared = descriptor.property(&key).is_some_and(|property| property.value == Value::Secret);
            let secret = declared || is_secret(&key);
            properties.put(key, value.into(), secret, None);
        }
        properties
    }

    /// Adds a property, or gives it another value.
    pub(crate) fn push(&mut self, key: String, value: String, secret: bool, written: &Written) {
        self.put(key, value, secret, Some(written));
    }

    fn put(&mut self, key: String, value: String, secret: bool, written: Option<&Written>) {
        let next = self.entries.len();
        let place = written.map(|written| written.value_at.clone());
        let written = written.filter(|written| !written.parts.is_empty()).cloned().map(Box::new);
        let index = *self.index.entry(key.clone()).or_insert(next);
        let entry = Entry { key, value, place, written, secret };
        match self.entries.get_mut(index) {
            Some(there) => *there = entry,
            None => self.entries.push(entry),
        }
    }

    /// Whether the check has said already that `key` cannot be used, or is missing.
    pub(crate) fn is_refused(&self, key: &str) -> bool {
        self.refused.iter().any(|refused| refused == key)
    }

    /// Notes that the check has said that `key` cannot be used, or is missing.
    pub(crate) fn refuse(&mut self, key: &str) {
        self.refused.push(key.to_string());
    }

    /// Whether `key` was looked at: it stands in the file, be it with a value that cannot be used, or is missed.
    pub fn is_written(&self, key: &str) -> bool {
        self.find(key).is_some() || self.is_refused(key)
    }

    /// All its parts.
    pub fn all_parts(&self) -> impl Iterator<Item = &ComponentPlan> {
        self.parts.iter().map(|part| &part.part)
    }

    /// Adds a part that `property` names.
    pub fn push_part(&mut self, property: &str, part: ComponentPlan) {
        self.parts.push(Part { property: property.to_string(), part });
    }

    /// The parts that `property` names, in written order: of a `serializer` one, of `serializers` as many as it lists.
    pub fn parts(&self, property: &str) -> impl Iterator<Item = &ComponentPlan> {
        self.declared(property);
        self.parts.iter().filter(move |part| part.property == property).map(|part| &part.part)
    }

    /// The value of `key` as it stands; `None` where the file does not set it.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.declared(key);
        self.find(key).map(|entry| entry.value.as_str())
    }

    /// The value of `key`, or its default, or nothing.
    pub fn word(&self, key: &str) -> &str {
        self.text(key).or(self.default_of(key)).unwrap_or_default()
    }

    /// A password or a key.
    pub fn secret(&self, key: &str) -> Option<Secret> {
        self.text(key).map(Secret::new)
    }

    /// The value of `key` for a message: cut when it is long, and hidden when it is a secret.
    pub fn shown(&self, key: &str) -> Option<String> {
        self.find(key).map(Entry::shown)
    }

    /// A number, read as Java does: blanks around it are ignored, a leading `+` is allowed. Zero without a default.
    /// Panics in debug builds where the default is none.
    pub fn count<T: FromStr + Default>(&self, key: &str) -> T {
        self.given(key).or_else(|| self.default_number(key)).unwrap_or_default()
    }

    fn default_number<T: FromStr>(&self, key: &str) -> Option<T> {
        let default = self.default_of(key)?;
        let number = default.parse().ok();
        debug_assert!(number.is_some(), "the default of {key} is no such number: {default}");
        number
    }

    /// A number, where the file sets it; `None` as well for text that is none.
    pub fn given<T: FromStr>(&self, key: &str) -> Option<T> {
        self.text(key).and_then(|text| text.trim().parse().ok())
    }

    /// `true` in any case is true, every other text is false. Source: Flume's `Context.getBoolean`.
    pub fn flag(&self, key: &str) -> bool {
        self.word(key).trim().eq_ignore_ascii_case("true")
    }

    /// A number of milliseconds.
    pub fn millis(&self, key: &str) -> Duration {
        Duration::from_millis(self.count(key))
    }

    /// A number of whole seconds.
    pub fn seconds(&self, key: &str) -> Duration {
        Duration::from_secs(self.count(key))
    }

    /// A list, split at blanks; empty when the key is missing.
    pub fn words(&self, key: &str) -> Vec<&str> {
        self.text(key).map(|text| words(text).collect()).unwrap_or_default()
    }

    /// The sub-properties below `prefix`, without it: with `headers.a = 1`, `under("headers.")` gives `("a", "1")`.
    /// The prefix may be given with or without its dot.
    pub fn under(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let prefix = prefix.strip_suffix('.').unwrap_or(prefix);
        self.entries.iter().filter_map(move |entry| {
            let key = entry.key.strip_prefix(prefix)?.strip_prefix('.')?;
            Some((key, entry.value.as_str()))
        })
    }

    /// Where the value of `key` was set; `None` for a missing key and for one made by hand.
    pub fn place(&self, key: &str) -> Option<&Place> {
        self.find(key).and_then(|entry| entry.place.as_ref())
    }

    /// Where `word` stands, a part of the value of `key` as [`Properties::words`] answers it.
    pub fn word_at(&self, key: &str, word: &str) -> Option<Place> {
        let entry = self.find(key)?;
        let written = entry.written.as_ref().map(|written| written.word_at(&entry.value, word));
        written.or_else(|| entry.place.clone())
    }

    /// All keys and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_str()))
    }

    /// The keys whose values are others in `new`, and the properties whose parts are; in whatever order they stand.
    pub(crate) fn differences(&self, new: &Properties) -> BTreeSet<String> {
        let (mine, others): (BTreeMap<_, _>, BTreeMap<_, _>) = (self.iter().collect(), new.iter().collect());
        let keys = mine.keys().chain(others.keys()).filter(|key| mine.get(*key) != others.get(*key));
        let mut different: BTreeSet<String> = keys.map(|key| (*key).to_owned()).collect();
        for (index, part) in self.parts.iter().enumerate() {
            let same = new.parts.get(index).is_some_and(|other| {
                other.property == part.property
                    && other.part.name == part.part.name
                    && part.part.differences(&other.part).is_empty()
            });
            if !same {
                different.insert(part.property.clone());
            }
        }
        different.extend(new.parts.iter().skip(self.parts.len()).map(|part| part.property.clone()));
        different
    }

    fn find(&self, key: &str) -> Option<&Entry> {
        self.entries.get(*self.index.get(key)?)
    }

    fn default_of(&self, key: &str) -> Option<&'static str> {
        self.descriptor.and_then(|known| known.property(key)).and_then(|property| property.default)
    }

    /// Panics in debug builds when the component asks for what its descriptor does not have.
    fn declared(&self, key: &str) {
        if let Some(known) = self.descriptor.filter(|_| self.hosted.is_none()) {
            debug_assert!(
                known.property(key).is_some(),
                "{} does not declare the property {key}",
                known.name()
            );
        }
    }
}

/// Splits a list as Flume does, at Java's `\s+`: ASCII blanks only, a no-break space is part of a name.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::{Kind, Property};

    const SAMPLE: Descriptor = Descriptor::new(Kind::Source, "sample", "com.example.Sample", &[PROPERTIES]);
    const PROPERTIES: &[Property] = &[
        Property::with("batchSize", Value::at_least(1, "events"), "1"),
        Property::with("restart", Value::Flag, "false"),
        Property::with("logStdErr", Value::Flag, "true"),
        Property::with("wait", Value::at_least(0, "ms"), "5"),
        Property::with("pause", Value::at_least(0, "s"), "0"),
        Property::with("absent", Value::Flag, "true"),
        Property::with("name", Value::Text, "d"),
        Property::optional("channels", Value::List),
        Property::optional("headers.", Value::Text),
        Property::optional("password", Value::Secret),
        Property::with("far", Value::at_least(0, "steps"), "300"),
    ];

    fn sample() -> Properties {
        Properties::of(
            &SAMPLE,
            [
                ("batchSize", " 20 "),
                ("restart", "TRUE"),
                ("logStdErr", "yes"),
                ("wait", "x"),
                ("pause", "7"),
                ("channels", "c1  c2\tc3"),
                ("headers.f1.a", "1"),
                ("headersX.f1", "no"),
                ("headers.f1.a.b", "2"),
                ("password", "hunter2"),
            ],
        )
    }

    #[test]
    fn text_becomes_values_as_in_java() {
        let properties = sample();
        assert_eq!(properties.count::<u32>("batchSize"), 20);
        assert!(properties.flag("restart"));
        assert!(!properties.flag("logStdErr"));
        assert!(properties.flag("absent"));
        assert_eq!(properties.millis("wait"), Duration::from_millis(5));
        assert_eq!(properties.seconds("pause"), Duration::from_secs(7));
        assert_eq!(properties.words("channels"), ["c1", "c2", "c3"]);
        assert_eq!(properties.word("name"), "d");
    }

    #[test]
    fn sub_properties_keep_their_order_and_lose_their_prefix() {
        let properties = sample();
        let expected = [("f1.a", "1"), ("f1.a.b", "2")];
        assert_eq!(properties.under("headers.").collect::<Vec<_>>(), expected);
        assert_eq!(properties.under("headers").collect::<Vec<_>>(), expected);
        assert_eq!(properties.under("headers.f1").collect::<Vec<_>>(), [("a", "1"), ("a.b", "2")]);
    }

    #[test]
    fn the_last_of_equal_keys_wins() {
        let properties = Properties::of(&SAMPLE, [("name", "1"), ("wait", "2"), ("name", "3")]);
        assert_eq!(properties.text("name"), Some("3"));
        assert_eq!(properties.iter().count(), 2);
    }

    #[test]
    fn a_secret_is_not_printed() {
        let properties = sample();
        let secret = properties.secret("password").unwrap();
        assert_eq!(secret.reveal(), "hunter2");
        let printed = format!("{secret} {secret:?} {properties:?}");
        assert!(!printed.contains("hunter2") && printed.contains("***"), "{printed}");
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "the default of far is no such number: 300")]
    fn a_default_that_the_components_number_cannot_hold_is_a_mistake() {
        let _never: u8 = sample().count("far");
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "sample does not declare the property capacity")]
    fn a_property_that_is_not_declared_is_a_mistake() {
        let _never = sample().text("capacity");
    }
}

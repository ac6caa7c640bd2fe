//! How a component says that it cannot be built.

use plan::{Place, Properties};
use thiserror::Error;

/// Why a component cannot be built as its properties say: which property, what is wrong with it, what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{property}: {what}", .place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default())]
pub struct BuildError {
    /// The property, without what stands in front of the component's own.
    pub key: String,
    property: String,
    /// What is wrong with it.
    pub what: String,
    place: Option<Place>,
}

impl BuildError {
    /// About `key` of `context`; `prefix` is what stands between the component's name and the key, with its dots.
    pub fn new(properties: &Properties, prefix: &str, key: &str, what: impl Into<String>) -> BuildError {
        let property = match properties.shown(key) {
            Some(value) => format!("{prefix}{key} = {value}"),
            None => format!("{prefix}{key} is not set"),
        };
        BuildError { key: key.to_owned(), property, what: what.into(), place: properties.place(key).cloned() }
    }

    /// About what is set for the whole process, by `-D` or in the environment.
    pub fn of_process(property: &str, what: impl Into<String>) -> BuildError {
        BuildError { key: property.to_owned(), property: property.to_owned(), what: what.into(), place: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: plan::Descriptor = plan::Descriptor::new(plan::Kind::Interceptor, "sample", "", &[]);

    #[test]
    fn names_the_property_and_its_value() {
        let properties = Properties::of(&SAMPLE, [("regex", "(")]);
        let error = |key| BuildError::new(&properties, "interceptors.i1.", key, "write a regex").to_string();
        assert_eq!(error("regex"), "interceptors.i1.regex = (: write a regex");
        let secret = Properties::of(&SAMPLE, [("keystore-pasword", "hunter2")]);
        let error_of_secret = BuildError::new(&secret, "", "keystore-pasword", "wrong").to_string();
        assert_eq!(error_of_secret, "keystore-pasword = ***: wrong");
        assert_eq!(error("serializers"), "interceptors.i1.serializers is not set: write a regex");
    }
}

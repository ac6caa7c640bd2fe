//! All components that a file may name.

use super::descriptor::{Availability, Descriptor};
use super::kind::Kind;

/// All components that a file may name, in the order in which they are listed for people.
#[derive(Debug)]
pub struct Catalogue(Vec<&'static Descriptor>);

impl Catalogue {
    /// Of all these.
    pub fn new(descriptors: impl IntoIterator<Item = &'static Descriptor>) -> Catalogue {
        Catalogue(descriptors.into_iter().collect())
    }

    /// Those of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &'static Descriptor> {
        self.0.iter().copied().filter(move |known| known.kind == kind)
    }

    /// Finds a type by its alias or class, both in any case.
    pub fn find(&self, kind: Kind, name: &str) -> Option<&'static Descriptor> {
        let same = |known: &str| !known.is_empty() && known.eq_ignore_ascii_case(name);
        self.of(kind).find(|known| same(known.names.alias) || same(known.names.class))
    }

    /// The names of those that run, for people.
    pub fn there_is(&self, kind: Kind) -> String {
        let here = self.of(kind).filter(|known| known.availability == Availability::Here);
        here.map(|known| known.spelling()).collect::<Vec<_>>().join(", ")
    }
}

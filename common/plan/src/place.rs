//! Where a key or a value stands.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A place an operator can go to: a file with line and column, or the name of what set a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file as it was named, `environment NAME`, or `command line -Dkey`.
    pub origin: Arc<str>,
    /// From 1; 0 where the origin has no lines.
    pub line: u32,
    /// In bytes from the start of the line, from 1; 0 where there are no columns or the whole line is meant.
    pub column: u32,
}

impl Place {
    /// A place that has neither line nor column.
    pub fn whole(origin: impl Into<Arc<str>>) -> Place {
        Place { origin: origin.into(), line: 0, column: 0 }
    }

    /// A place in a text.
    pub fn at(origin: impl Into<Arc<str>>, line: u32, column: u32) -> Place {
        Place { origin: origin.into(), line, column }
    }
}

/// `file:line:column`, without the parts that are 0.
impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.origin)?;
        for part in [self.line, self.column].into_iter().filter(|part| *part > 0) {
            write!(out, ":{part}")?;
        }
        Ok(())
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = out.serialize_struct("Place", 3)?;
        fields.serialize_field("origin", &*self.origin)?;
        fields.serialize_field("line", &self.line)?;
        fields.serialize_field("column", &self.column)?;
        fields.end()
    }
}

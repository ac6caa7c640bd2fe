//! A property: what may stand there, its default, what Flume does with what may not.

use super::kind::Kind;

/// One property of a component.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its name; with a dot at its end, the prefix of sub-properties.
    pub name: &'static str,
    /// What may stand there.
    pub value: Value,
    /// Flume's default, as it would stand in a file; `None` where there is none or it depends on the machine.
    pub default: Option<&'static str>,
    /// Whether Flume refuses the component without it.
    pub required: bool,
    /// What Flume does with a value that it cannot use.
    pub bad: Bad,
    /// The same for a number that is one and makes no sense; `None` where it is as [`Property::bad`].
    pub outside: Option<Bad>,
}

/// What may stand as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Any text; a ` #` in it is taken for a comment.
    Text,
    /// Text that may well hold a ` #`: a command, a regular expression, what is put in place of a match.
    Free,
    /// A regular expression of Java; free text too.
    Regex,
    /// A path on this machine.
    Path,
    /// A host name or an address.
    Host,
    /// A TCP port, 0 to 65535.
    Port,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number {
        /// The smallest that makes sense.
        min: i64,
        /// The largest that Flume's number holds.
        max: i64,
        /// What it counts.
        unit: &'static str,
    },
    /// Words between blanks.
    List,
    /// Names of channels of the source, between blanks.
    Channels,
    /// One of these, in any case.
    Choice(&'static [&'static str]),
    /// A password or a key: shown nowhere.
    Secret,
    /// A Java charset.
    Charset,
    /// A type of another table; its own keys stand below this one's name.
    Type(Kind),
    /// Names between blanks; each names a part of that kind, with its `type` and keys below `PROPERTY.NAME.`.
    Parts(Kind),
    /// Accepted, and used by nobody; why.
    Unused(&'static str),
}

/// What Flume does with a value that it cannot use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// Removes the component and runs the rest.
    Drop,
    /// Takes the default, with or without a warning.
    Default,
    /// Something else, told in words; the agent does not do what was meant.
    Says(&'static str),
    /// It has no such property, which is ours; what it does without it, in words, or nothing.
    Ours(&'static str),
}

impl Property {
    /// One that may be left out and has no default.
    pub const fn optional(name: &'static str, value: Value) -> Property {
        Property { name, value, default: None, required: false, bad: Bad::Drop, outside: None }
    }

    /// One that Flume refuses the component without.
    pub const fn required(name: &'static str, value: Value) -> Property {
        Property { required: true, ..Property::optional(name, value) }
    }

    /// One with a default.
    pub const fn with(name: &'static str, value: Value, default: &'static str) -> Property {
        Property { default: Some(default), ..Property::optional(name, value) }
    }

    /// Says what Flume does with a value that it cannot use.
    pub const fn bad(self, bad: Bad) -> Property {
        Property { bad, ..self }
    }

    /// Says what Flume does with a number that is one and makes no sense.
    pub const fn outside(self, outside: Bad) -> Property {
        Property { outside: Some(outside), ..self }
    }

    /// Flume takes the default for a value that it cannot use.
    pub const fn lenient(self) -> Property {
        self.bad(Bad::Default)
    }
}

impl Value {
    /// A number that Flume keeps in an `int`.
    pub const fn at_least(min: i64, unit: &'static str) -> Value {
        Value::Number { min, max: i32::MAX as i64, unit }
    }

    /// A number of either sign that Flume keeps in an `int`.
    pub const fn any_int(unit: &'static str) -> Value {
        Value::at_least(i32::MIN as i64, unit)
    }

    /// A number of either sign that Flume keeps in a `long`.
    pub const fn any_long(unit: &'static str) -> Value {
        Value::long(i64::MIN, unit)
    }

    /// A number that Flume keeps in a `long`.
    pub const fn long(min: i64, unit: &'static str) -> Value {
        Value::Number { min, max: i64::MAX, unit }
    }
}

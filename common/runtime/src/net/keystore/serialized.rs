//! Java's object streams, as far as a sealed key needs them: objects, strings and arrays of bytes.
//!
//! Source: "Java Object Serialization Specification", section 6.4.

use super::StoreError;
use super::jks::Input;

/// What stands in a stream.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    /// `null`, and what is of no use here.
    Other,
    Text(String),
    Bytes(&'a [u8]),
    /// Its fields by name, those of the classes that it extends first.
    Object(Vec<(String, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// The bytes in the field of that name.
    ///
    /// # Errors
    /// There are none.
    pub(super) fn bytes(&self, field: &str) -> Result<&'a [u8], StoreError> {
        match self.field(field) {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            _ => Err(DAMAGED),
        }
    }

    /// The text in the field of that name; nothing where there is none.
    pub(super) fn text(&self, field: &str) -> &str {
        match self.field(field) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    fn field(&self, name: &str) -> Option<&Value<'a>> {
        let Value::Object(fields) = self else { return None };
        fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }
}

/// Reads a stream of one object, and leaves `input` behind it.
///
/// # Errors
/// It is none, or has something in it that no key has.
pub(super) fn object<'a>(input: &mut Input<'a>) -> Result<Value<'a>, StoreError> {
    if input.take(4)? != [0xac, 0xed, 0, 5] {
        return Err(DAMAGED);
    }
    Reader { input, handles: Vec::new(), depth: 0, left: MOST_COPIED }.value()
}

struct Reader<'r, 'a> {
    input: &'r mut Input<'a>,
    /// What can be named again, in the order in which it came.
    handles: Vec<Handle<'a>>,
    depth: usize,
    /// Bytes that may still be copied: a few bytes of the stream can name a long text again.
    left: usize,
}

#[derive(Clone)]
enum Handle<'a> {
    Class(usize, Class),
    Value(Value<'a>),
}

impl Handle<'_> {
    /// Bytes of a copy.
    fn bytes(&self) -> usize {
        match self {
            Handle::Value(Value::Text(text)) => text.len(),
            Handle::Value(_) => 0,
            Handle::Class(_, class) => class.fields.iter().map(|(_, name)| name.len() + FIELD_BYTES).sum(),
        }
    }
}

#[derive(Clone)]
struct Class {
    name: String,
    has_more: bool,
    /// The type's first letter, and the name.
    fields: Vec<(u8, String)>,
    /// The handle of the class that it extends.
    parent: Option<usize>,
}

impl<'a> Reader<'_, 'a> {
    fn byte(&mut self) -> Result<u8, StoreError> {
        Ok(self.input.take(1)?[0])
    }

    fn value(&mut self) -> Result<Value<'a>, StoreError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(DAMAGED);
        }
        let value = match self.byte()? {
            NULL => Ok(Value::Other),
            REFERENCE => match self.handle()? {
                Handle::Value(value) => Ok(value),
                Handle::Class(..) => Err(DAMAGED),
            },
            STRING => {
                let text = self.input.string()?;
                self.handles.push(Handle::Value(Value::Text(text.clone())));
                Ok(Value::Text(text))
            }
            ARRAY => self.array(),
            OBJECT => self.fields(),
            _ => Err(DAMAGED),
        };
        self.depth -= 1;
        value
    }

    fn handle(&mut self) -> Result<Handle<'a>, StoreError> {
        let number = self.input.number()?.checked_sub(FIRST_HANDLE).ok_or(DAMAGED)?;
        self.copy(number as usize)
    }

    fn copy(&mut self, place: usize) -> Result<Handle<'a>, StoreError> {
        let handle = self.handles.get(place).ok_or(DAMAGED)?;
        self.left = self.left.checked_sub(handle.bytes()).ok_or(DAMAGED)?;
        Ok(handle.clone())
    }

    fn array(&mut self) -> Result<Value<'a>, StoreError> {
        let class = self.class()?.ok_or(DAMAGED)?;
        let place = self.handles.len();
        self.handles.push(Handle::Value(Value::Other));
        if class.1.name != "[B" {
            return Err(DAMAGED);
        }
        let bytes = Value::Bytes(self.input.sized()?);
        self.handles[place] = Handle::Value(bytes.clone());
        Ok(bytes)
    }

    fn fields(&mut self) -> Result<Value<'a>, StoreError> {
        let mut class = self.class()?;
        // An object that is named again is of no use here.
        self.handles.push(Handle::Value(Value::Other));
        let mut classes = Vec::new();
        while let Some((_, Class { has_more, fields, parent, .. })) = class {
            classes.push((has_more, fields));
            // A class extends one that came before it was finished: the chain has an end.
            class = match parent.map(|place| self.copy(place)).transpose()? {
                Some(Handle::Class(place, class)) => Some((place, class)),
                _ => None,
            };
            if classes.len() > MOST_DEPTH {
                return Err(DAMAGED);
            }
        }
        let mut all = Vec::new();
        for (has_more, fields) in classes.into_iter().rev() {
            for (kind, name) in fields {
                let value = match kind {
                    b'L' | b'[' => self.value()?,
                    _ => {
                        self.input.take(size(kind)?)?;
                        Value::Other
                    }
                };
                all.push((name, value));
            }
            if has_more {
                self.annotation()?;
            }
        }
        Ok(Value::Object(all))
    }

    /// What a class writes besides its fields.
    fn annotation(&mut self) -> Result<(), StoreError> {
        loop {
            match self.input.peek()? {
                END => return self.byte().map(drop),
                BLOCK => {
                    self.byte()?;
                    let bytes = usize::from(self.byte()?);
                    self.input.take(bytes)?;
                }
                _ => drop(self.value()?),
            }
        }
    }

    fn class(&mut self) -> Result<Option<(usize, Class)>, StoreError> {
        match self.byte()? {
            NULL => Ok(None),
            REFERENCE => match self.handle()? {
                Handle::Class(place, class) => Ok(Some((place, class))),
                Handle::Value(_) => Err(DAMAGED),
            },
            CLASS => {
                self.depth += 1;
                if self.depth > MOST_DEPTH {
                    return Err(DAMAGED);
                }
                let name = self.input.string()?;
                self.input.take(8)?; // its serialVersionUID
                let place = self.handles.len();
                self.handles.push(Handle::Value(Value::Other));
                let flags = self.byte()?;
                let count = self.input.take(2)?.iter().fold(0, |count, byte| count << 8 | usize::from(*byte));
                let mut fields = Vec::new();
                for _ in 0..count {
                    let kind = self.byte()?;
                    let name = self.input.string()?;
                    if matches!(kind, b'L' | b'[') {
                        self.value()?; // the name of its class
                    }
                    fields.push((kind, name));
                }
                self.annotation()?;
                let parent = self.class()?.map(|(place, _)| place);
                let class = Class { name, has_more: flags & WRITES_MORE != 0, fields, parent };
                self.handles[place] = Handle::Class(place, class.clone());
                self.depth -= 1;
                Ok(Some((place, class)))
            }
            _ => Err(DAMAGED),
        }
    }
}

/// Of a primitive type.
fn size(kind: u8) -> Result<usize, StoreError> {
    Ok(match kind {
        b'B' | b'Z' => 1,
        b'C' | b'S' => 2,
        b'I' | b'F' => 4,
        b'J' | b'D' => 8,
        _ => return Err(DAMAGED),
    })
}

const DAMAGED: StoreError = StoreError::Damaged("a secret is no sealed object of Java's");
const FIRST_HANDLE: u32 = 0x7e_0000;
const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const OBJECT: u8 = 0x73;
const STRING: u8 = 0x74;
const ARRAY: u8 = 0x75;
const BLOCK: u8 = 0x77;
const END: u8 = 0x78;
/// `SC_WRITE_METHOD`
const WRITES_MORE: u8 = 1;
/// A sealed key names some hundred bytes again.
const MOST_COPIED: usize = 256 << 10;
/// Of a field in memory, about.
const FIELD_BYTES: usize = 64;
/// Keys have three.
const MOST_DEPTH: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// An object whose fields all name one text of 60,000 bytes.
    fn stream(fields: u16) -> Vec<u8> {
        let again = |handle: u8| [REFERENCE, 0, 0x7e, 0, handle];
        let mut out = vec![0xac, 0xed, 0, 5, OBJECT, CLASS, 0, 1, b'C'];
        out.extend([0; 8]);
        out.push(2);
        out.extend(fields.to_be_bytes());
        for field in 0..fields {
            out.extend([b'L', 0, 1, b'f']);
            if field == 0 { out.extend([STRING, 0, 1, b'T']) } else { out.extend(again(1)) }
        }
        out.extend([END, NULL, STRING]);
        out.extend(60_000u16.to_be_bytes());
        out.extend([b'x'; 60_000]);
        (1..fields).for_each(|_| out.extend(again(3)));
        out
    }

    #[test]
    fn a_text_that_is_named_again_and_again_takes_no_memory_without_bound() {
        let (few, many) = (stream(4), stream(1_000));
        assert_eq!(object(&mut Input::new(&few)).unwrap().text("f").len(), 60_000);
        assert!(object(&mut Input::new(&many)).is_err());
    }
}

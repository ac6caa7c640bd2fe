//! What a container's records look like, as far as their ends are to be found: no value is looked at.

use crate::avro::read::fixed;
use event::{Malformed, read_block, read_length, read_zigzag};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt::Write;

/// A schema, read from its JSON.
#[derive(Debug)]
pub struct Schema {
    types: Vec<Type>,
    root: usize,
    canonical: String,
}

/// A type; others that it is made of are named by their place among all.
#[derive(Debug)]
enum Type {
    /// No byte: null, a fixed of none, a record of nothing but such.
    Nothing,
    /// So many bytes.
    Bytes(usize),
    /// An int, a long, an enum.
    Number,
    /// A length, and so many bytes: bytes, a string.
    Text,
    Array(usize),
    Map(usize),
    Union(Vec<usize>),
    Record(Vec<usize>),
    /// A record whose fields are still being read.
    Open,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(json: &str) -> Result<Schema, String> {
        let value = serde_json::from_str(json).map_err(|error| format!("its schema is no JSON: {error}"))?;
        let mut parser = Parser { types: Vec::new(), named: HashMap::new(), canonical: String::new() };
        let root = parser.any(&value, "")?;
        Ok(Schema { types: parser.types, root, canonical: parser.canonical })
    }

    /// Where the record ends that begins at `at`.
    ///
    /// # Errors
    /// [`Malformed`]: it is none of this schema.
    pub fn end_of(&self, bytes: &[u8], mut at: usize) -> Result<usize, Malformed> {
        self.pass(self.root, bytes, &mut at, MOST_DEPTH)?;
        Ok(at)
    }

    fn pass(&self, of: usize, bytes: &[u8], at: &mut usize, depth: usize) -> Result<(), Malformed> {
        let depth = depth.checked_sub(1).ok_or(Malformed::Length)?;
        match &self.types[of] {
            Type::Nothing => {}
            Type::Open => return Err(Malformed::Choice), // none is left when a schema is read
            Type::Bytes(1) => _ = fixed::<1>(bytes, at)?,
            Type::Bytes(size) => {
                *at = at.checked_add(*size).filter(|end| *end <= bytes.len()).ok_or(Malformed::Short)?;
            }
            Type::Number => _ = read_zigzag(bytes, at)?,
            Type::Text => {
                let length = read_length(bytes, at)?;
                *at += length;
            }
            Type::Union(branches) => {
                let branch = usize::try_from(read_zigzag(bytes, at)?).map_err(|_| Malformed::Choice)?;
                self.pass(*branches.get(branch).ok_or(Malformed::Choice)?, bytes, at, depth)?;
            }
            Type::Record(fields) => {
                for field in fields {
                    self.pass(*field, bytes, at, depth)?;
                }
            }
            Type::Array(items) | Type::Map(items) => {
                let keys = matches!(self.types[of], Type::Map(_));
                // Items without a byte may be as many as a count can say.
                let nothing = !keys && matches!(self.types[*items], Type::Nothing);
                loop {
                    let count = read_block(bytes, at)?;
                    if count == 0 {
                        break;
                    }
                    for _ in 0..if nothing { 0 } else { count } {
                        if keys {
                            let length = read_length(bytes, at)?;
                            *at += length;
                        }
                        self.pass(*items, bytes, at, depth)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Its fingerprint, CRC-64-AVRO of its canonical form, as Java prints it in hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let print = self.canonical.bytes().fold(EMPTY, |print, byte| {
            let mut low = (print ^ u64::from(byte)) & 0xff;
            for _ in 0..8 {
                low = (low >> 1) ^ (EMPTY & (low & 1).wrapping_neg());
            }
            (print >> 8) ^ low
        });
        print.to_le_bytes().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _written = write!(text, "{byte:02x}");
            text
        })
    }

    /// What its fingerprint is of: the specification's "Parsing Canonical Form".
    pub fn canonical(&self) -> &str {
        &self.canonical
    }
}

struct Parser {
    types: Vec<Type>,
    named: HashMap<String, usize>,
    canonical: String,
}

impl Parser {
    fn any(&mut self, value: &Value, space: &str) -> Result<usize, String> {
        match value {
            Value::String(name) => self.named(name, space),
            Value::Array(branches) => {
                let mut places = Vec::new();
                self.canonical.push('[');
                for (index, branch) in branches.iter().enumerate() {
                    self.comma(index);
                    places.push(self.any(branch, space)?);
                }
                self.canonical.push(']');
                Ok(self.add(Type::Union(places)))
            }
            Value::Object(fields) => match fields.get("type") {
                Some(Value::String(kind)) => self.complex(kind, value, space),
                Some(inner) => self.any(inner, space),
                None => Err("a part of its schema has no type".into()),
            },
            other => Err(format!("its schema has {other} where a type belongs")),
        }
    }

    fn named(&mut self, name: &str, space: &str) -> Result<usize, String> {
        let plain = match name {
            "null" => Type::Nothing,
            "boolean" => Type::Bytes(1),
            "int" | "long" => Type::Number,
            "float" => Type::Bytes(4),
            "double" => Type::Bytes(8),
            "bytes" | "string" => Type::Text,
            _ => {
                let full = full_name(name, space);
                let known = self.named.get(&full).or_else(|| self.named.get(name)).copied();
                let place = known
                    .ok_or_else(|| format!("its schema names the type {name}, which it does not define"))?;
                self.text(if self.named.contains_key(&full) { &full } else { name });
                return Ok(place);
            }
        };
        self.text(name);
        Ok(self.add(plain))
    }

    fn complex(&mut self, kind: &str, value: &Value, space: &str) -> Result<usize, String> {
        let part = |key: &str| {
            value.get(key).ok_or_else(|| format!("its schema has a type `{kind}` without `{key}`"))
        };
        match kind {
            "array" | "map" => {
                let key = if kind == "array" { "items" } else { "values" };
                self.canonical += &format!("{{\"type\":\"{kind}\",\"{key}\":");
                let inner = self.any(part(key)?, space)?;
                self.canonical.push('}');
                Ok(self.add(if kind == "array" { Type::Array(inner) } else { Type::Map(inner) }))
            }
            "record" | "error" | "enum" | "fixed" => {
                let name = part("name")?.as_str().unwrap_or_default();
                let space = value.get("namespace").and_then(Value::as_str).unwrap_or(space);
                let full = full_name(name, space);
                let kind = if kind == "error" { "record" } else { kind };
                let place = self.add(Type::Open);
                self.named.insert(full.clone(), place);
                self.canonical.push_str("{\"name\":");
                self.text(&full);
                self.canonical += &format!(",\"type\":\"{kind}\"");
                self.types[place] = match kind {
                    "enum" => self.symbols(part("symbols")?)?,
                    "fixed" => {
                        let size = part("size")?.as_u64().and_then(|size| usize::try_from(size).ok());
                        let size = size.ok_or("a fixed of its schema has a size that is no number")?;
                        self.canonical += &format!(",\"size\":{size}");
                        if size == 0 { Type::Nothing } else { Type::Bytes(size) }
                    }
                    _ => {
                        let space = full.rsplit_once('.').map_or("", |(space, _)| space);
                        self.fields(part("fields")?, space)?
                    }
                };
                self.canonical.push('}');
                Ok(place)
            }
            name => self.named(name, space),
        }
    }

    fn symbols(&mut self, symbols: &Value) -> Result<Type, String> {
        let symbols = symbols.as_array().ok_or("an enum of its schema has no list of symbols")?;
        self.canonical.push_str(",\"symbols\":[");
        for (index, symbol) in symbols.iter().enumerate() {
            self.comma(index);
            self.text(symbol.as_str().unwrap_or_default());
        }
        self.canonical.push(']');
        Ok(Type::Number)
    }

    fn fields(&mut self, fields: &Value, space: &str) -> Result<Type, String> {
        let fields = fields.as_array().ok_or("a record of its schema has no list of fields")?;
        let mut places = Vec::new();
        self.canonical.push_str(",\"fields\":[");
        for (index, field) in fields.iter().enumerate() {
            self.comma(index);
            self.canonical.push_str("{\"name\":");
            self.text(field.get("name").and_then(Value::as_str).unwrap_or_default());
            self.canonical.push_str(",\"type\":");
            places.push(self.any(field.get("type").ok_or("a field of its schema has no type")?, space)?);
            self.canonical.push('}');
        }
        self.canonical.push(']');
        // So a record takes a byte for each of the types that are passed in it: none takes longer than it is.
        let nothing = places.iter().all(|place| matches!(self.types[*place], Type::Nothing));
        Ok(if nothing { Type::Nothing } else { Type::Record(places) })
    }

    fn add(&mut self, of: Type) -> usize {
        self.types.push(of);
        self.types.len() - 1
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.canonical.push(',');
        }
    }

    fn text(&mut self, text: &str) {
        self.canonical.push('"');
        self.canonical.push_str(text);
        self.canonical.push('"');
    }
}

fn full_name(name: &str, space: &str) -> String {
    if name.contains('.') || space.is_empty() { name.to_owned() } else { format!("{space}.{name}") }
}

/// Types within types of one record. A list that is a record of itself is that long at most.
const MOST_DEPTH: usize = 1000;

/// The fingerprint of nothing, and the polynomial.
const EMPTY: u64 = 0xc15d_213a_a4d7_a795;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_javas() {
        // Source: `SchemaNormalization.parsingFingerprint64` of Avro 1.11.0.
        let cases = [
            (r#""null""#, 7195948357588979594_i64),
            (r#"{"type":"boolean"}"#, -6970731678124411036),
            (r#"[ "int"  ]"#, -5232228896498058493),
            (r#"{"type":"fixed", "name":"foo", "size":15}"#, 1756455273707447556),
            (r#"{"fields":[], "type":"record", "name":"foo"}"#, -4824392279771201922),
            (NAMES, 5517567285217310184),
        ];
        for (json, print) in cases {
            let schema = Schema::parse(json).unwrap();
            let hex: String = print.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(schema.fingerprint(), hex, "{json}: {}", schema.canonical());
        }
    }

    const NAMES: &str = r#"{"type":"record","name":"R","namespace":"a.b","doc":"x","fields":[{"name":"n","type":"null"},
        {"name":"i","type":["null","int"],"default":null},{"name":"l","type":{"type":"long","logicalType":"timestamp-millis"}},
        {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"x","type":{"type":"fixed","name":"c.F","size":3}},
        {"name":"a","type":{"type":"array","items":"E"}},{"name":"m","type":{"type":"map","values":"c.F"}},
        {"name":"next","type":["null","R"]}]}"#;

    const ALL: &str = r#"{"type":"record","name":"R","namespace":"a.b","doc":"x","fields":[
        {"name":"n","type":"null"},{"name":"b","type":"boolean"},{"name":"i","type":["null","int"],"default":null},
        {"name":"l","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"f","type":"float"},
        {"name":"d","type":"double"},{"name":"s","type":"string"},{"name":"y","type":"bytes"},
        {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"x","type":{"type":"fixed","name":"c.F","size":3}},
        {"name":"a","type":{"type":"array","items":"E"}},{"name":"m","type":{"type":"map","values":"long"}},
        {"name":"z","type":{"type":"array","items":"null"}},{"name":"next","type":["null","R"]}]}"#;

    #[test]
    fn the_end_of_a_record_is_found_wherever_it_is_cut() {
        let schema = Schema::parse(ALL).unwrap();
        assert!(
            schema
                .canonical()
                .starts_with(r#"{"name":"a.b.R","type":"record","fields":[{"name":"n","type":"null"}"#)
        );
        assert!(schema.canonical().ends_with(r#"{"name":"next","type":["null","a.b.R"]}]}"#));
        let mut record = vec![1, 2, 2 * 5, 2 * 7]; // b, i: int 5, l
        record.extend([0; 12]); // f, d
        record.extend([4, b'h', b'i', 2, 9]); // s, y
        record.extend([2, 1, 2, 3]); // e, x
        record.extend([4, 0, 2, 0]); // a: two of them
        record.extend([1, 6, 2, b'k', 2, 0]); // m: a block with its size
        record.extend([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0]); // z: more than anybody counts
        record.push(2); // next
        let mut twice = record.clone();
        twice.extend(&record[..record.len() - 1]);
        twice.push(0);
        assert_eq!(schema.end_of(&twice, 0), Ok(twice.len()));
        for cut in 0..twice.len() {
            assert_eq!(schema.end_of(&twice[..cut], 0), Err(Malformed::Short), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_schema_is_told() {
        let told = |json| Schema::parse(json).unwrap_err();
        assert!(told("{").contains("no JSON"));
        assert_eq!(told(r#"{"type":"array"}"#), "its schema has a type `array` without `items`");
        assert_eq!(told(r#""R""#), "its schema names the type R, which it does not define");
        assert_eq!(told("7"), "its schema has 7 where a type belongs");
    }

    #[test]
    fn a_record_of_itself_without_an_end_is_refused() {
        let schema =
            Schema::parse(r#"{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}"#).unwrap();
        assert_eq!(schema.end_of(&[0; 10], 0), Err(Malformed::Length));
        let nothing = r#"{"type":"array","items":{"type":"record","name":"N","fields":[]}}"#;
        let count = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0];
        assert_eq!(Schema::parse(nothing).unwrap().end_of(&count, 0), Ok(11));
        let mut doubled = String::from(r#"{"type":"record","name":"R0","fields":[]}"#);
        for level in 1..40 {
            let field = |name: &str, of: &str| format!(r#"{{"name":"{name}","type":{of}}}"#);
            let (first, second) = (field("a", &doubled), field("b", &format!("\"R{}\"", level - 1)));
            doubled = format!(r#"{{"type":"record","name":"R{level}","fields":[{first},{second}]}}"#);
        }
        assert_eq!(Schema::parse(&doubled).unwrap().end_of(&[], 0), Ok(0), "at once");
    }
}

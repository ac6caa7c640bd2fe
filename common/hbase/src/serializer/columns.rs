//! One row for each event whose body a regular expression matches, with a column for each group.

use super::{Made, Put, shared};
use bytes::{BufMut, Bytes, BytesMut};
use event::{Batch, Event};
use java::{Charset, Groups, Pattern, decode};
use runtime::random::Random;
use std::borrow::Cow;
use std::io::Write;

/// The serializer.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    pattern: Pattern,
    groups: Groups,
    charset: Charset,
    /// `colNames`, in `charset`.
    names: Vec<Bytes>,
    /// `rowKeyIndex`
    key: Option<usize>,
    /// `depositHeaders`
    deposit: bool,
    /// Of keys that are made: what no other process has, and how many there were.
    word: String,
    count: u32,
    millis: i64,
}

impl Columns {
    /// `pattern` is compiled to match whole texts, with a group for each of `names`.
    pub(crate) fn new(
        pattern: Pattern,
        charset: Charset,
        names: &[&str],
        key: Option<usize>,
        deposit: bool,
    ) -> Columns {
        let names = names.iter().map(|name| Bytes::from(charset.encode(name).into_owned())).collect();
        let groups = pattern.groups();
        Columns { pattern, groups, charset, names, key, deposit, word: word(), count: 0, millis: 0 }
    }

    /// The same, with keys that it has not made yet.
    pub(super) fn anew(&self) -> Columns {
        Columns { word: word(), ..self.clone() }
    }

    pub(super) fn begin(&mut self, millis: i64) {
        self.millis = millis;
    }

    pub(super) fn make(&mut self, batch: &Batch, event: &Event<'_>) -> Made {
        let text = self.charset.decode(event.body());
        if !self.pattern.find_at(text.as_bytes(), 0, &mut self.groups) {
            return match self.pattern.take_given_up() {
                0 => Made::Nothing("the regular expression does not match it".to_owned()),
                _ => Made::Never("the regular expression takes too many steps on it".to_owned()),
            };
        }
        let part = |index: usize| match &text {
            Cow::Borrowed(text) => {
                self.groups.get(index + 1).map(|(from, to)| shared(batch, &text.as_bytes()[from..to]))
            }
            Cow::Owned(text) => self
                .groups
                .get(index + 1)
                .map(|(from, to)| Bytes::copy_from_slice(&text.as_bytes()[from..to])),
        };
        let mut row = None;
        let mut cells = Vec::with_capacity(self.names.len());
        for (index, name) in self.names.iter().enumerate() {
            let Some(value) = part(index) else {
                let name = String::from_utf8_lossy(name);
                return Made::Never(format!("the group of the column `{name}` matches nothing of it"));
            };
            if self.key == Some(index) {
                row = Some(value);
            } else {
                cells.push((name.clone(), value));
            }
        }
        if self.deposit {
            cells.extend(self.headers(event));
        }
        let row = row.unwrap_or_else(|| self.row());
        Made::Rows(Some(Put { row, cells }), None)
    }

    /// As a Java map has them: the last of those with one name.
    fn headers(&self, event: &Event<'_>) -> Vec<(Bytes, Bytes)> {
        let encoded = |bytes: &[u8]| Bytes::from(self.charset.encode(&decode(bytes)).into_owned());
        let is_last = |at: usize, name: &[u8]| event.headers().skip(at + 1).all(|(other, _)| other != name);
        let headers = event.headers().enumerate().filter(|(at, (name, _))| is_last(*at, name));
        headers.map(|(_, (name, value))| (encoded(name), encoded(value))).collect()
    }

    fn row(&mut self) -> Bytes {
        let mut key = BytesMut::with_capacity(LONGEST_KEY);
        let _always = write!((&mut key).writer(), "{}-{}-{}", self.millis, self.word, self.count as i32);
        self.count = self.count.wrapping_add(1);
        match std::str::from_utf8(&key).map(|text| self.charset.encode(text)) {
            Ok(Cow::Owned(encoded)) => encoded.into(),
            _ => key.freeze(),
        }
    }
}

/// Ten letters and digits.
fn word() -> String {
    let mut random = Random::from_system();
    let letter = |_| LETTERS[(random.next() % LETTERS.len() as u64) as usize] as char;
    (0..10).map(letter).collect()
}

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// A time of 13 digits, ten letters, a number of Java's.
const LONGEST_KEY: usize = 13 + 1 + 10 + 1 + 11;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::event;

    fn columns(pattern: &str, charset: &str, names: &[&str], key: Option<usize>) -> Columns {
        let pattern = Pattern::compile_whole(pattern).unwrap_or_else(|_| panic!("{pattern}"));
        let mut columns = Columns::new(pattern, Charset::for_name(charset).unwrap(), names, key, true);
        columns.begin(1_700_000_000_000);
        columns
    }

    fn made(columns: &mut Columns, headers: &[(&str, &str)], body: &str) -> Made {
        let batch = event(headers, body);
        let event = batch.events().next().unwrap();
        columns.make(&batch, &event)
    }

    fn cells(made: &Made) -> Vec<(String, String)> {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        match made {
            Made::Rows(Some(put), None) => {
                put.cells.iter().map(|(name, value)| (text(name), text(value))).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    fn row(made: &Made) -> String {
        match made {
            Made::Rows(Some(put), _) => String::from_utf8_lossy(&put.row).into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn groups_and_headers_are_columns() {
        let mut two = columns(r"^(\S+) (\S+)$", "UTF-8", &["first", "second"], None);
        let first = made(&mut two, &[("k", "1"), ("host", "h"), ("k", "2")], "hello world");
        let expected = [("first", "hello"), ("second", "world"), ("host", "h"), ("k", "2")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(cells(&first), expected);
        let second = made(&mut two, &[], "two words");
        let (first, second) = (row(&first), row(&second));
        let parts = |row: &str| row.split('-').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parts(&first)[0], "1700000000000");
        assert_eq!((parts(&first)[1].len(), &parts(&first)[1]), (10, &parts(&second)[1]));
        assert_eq!((&parts(&first)[2][..], &parts(&second)[2][..]), ("0", "1"));
    }

    #[test]
    fn what_does_not_match_is_nothing_and_a_group_without_part_is_never_a_row() {
        let mut two = columns("(a)(b)?", "UTF-8", &["a", "b"], None);
        assert!(matches!(made(&mut two, &[], "x"), Made::Nothing(_)));
        assert!(matches!(made(&mut two, &[], "abx"), Made::Nothing(_)), "the whole text");
        assert_eq!(
            made(&mut two, &[], "a"),
            Made::Never("the group of the column `b` matches nothing of it".to_owned())
        );
    }

    #[test]
    fn a_group_may_be_the_key() {
        let mut keyed = columns(r"(\d+),(.*)", "UTF-8", &["ROW_KEY", "v"], Some(0));
        let made = made(&mut keyed, &[], "17,x");
        assert_eq!((row(&made), cells(&made)), ("17".to_owned(), vec![("v".to_owned(), "x".to_owned())]));
    }

    #[test]
    fn names_and_headers_are_in_the_charset_and_values_in_utf_8() {
        let mut latin = columns("(.*)", "ISO-8859-1", &["é"], None);
        let batch = event(&[("ä", "ö")], "x");
        let event = batch.events().next().unwrap();
        let Made::Rows(Some(put), _) = latin.make(&batch, &event) else { panic!("a row") };
        assert_eq!(put.cells[0], (Bytes::from(vec![0xe9]), Bytes::from("x")));
        assert_eq!(put.cells[1], (Bytes::from(vec![0xe4]), Bytes::from(vec![0xf6])));
        let mut body = columns("(.*)", "ISO-8859-1", &["v"], None);
        let mut builder = event::BatchBuilder::default();
        builder.push([], &[0xe9]);
        let batch = builder.finish();
        let event = batch.events().next().unwrap();
        let Made::Rows(Some(put), _) = body.make(&batch, &event) else { panic!("a row") };
        assert_eq!(put.cells[0].1, Bytes::from("é"));
    }
}

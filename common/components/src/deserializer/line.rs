//! `LINE`: each line is an event; one that is too long becomes several.
//!
//! Source: Flume 1.11 `LineDeserializer`. A CR stays where it is. A line is as long as it has UTF-16 units in Java, its LF
//! included; one that is a unit longer leaves an empty event behind it, as in Flume. A character is not cut in two.

use super::Cut;
use java::{Charset, Decoder, OnMalformed};
use plan::{Bad, Properties, Property, Value};

pub(super) const PROPERTIES: &[Property] = &[
    Property::with("maxLineLength", Value::at_least(1, "characters"), "2048")
        .outside(Bad::Says("makes an event of each character")),
    Property::with("outputCharset", Value::Charset, "UTF-8"),
];

/// How lines are read.
#[derive(Debug, Clone)]
pub(crate) struct LineConfig {
    /// `inputCharset` of the source.
    input: Charset,
    /// `decodeErrorPolicy` of the source.
    on_malformed: OnMalformed,
    /// `outputCharset`; UTF-8 unless set.
    output: Charset,
    /// `maxLineLength`, UTF-16 units; 2048 unless set.
    most: usize,
}

impl LineConfig {
    pub(super) fn new(
        properties: &Properties,
        input: Charset,
        on_malformed: OnMalformed,
        most: Option<usize>,
    ) -> LineConfig {
        let most = most.unwrap_or(properties.count("maxLineLength"));
        LineConfig {
            input,
            on_malformed,
            output: Charset::for_name(properties.word("outputCharset")).unwrap_or(Charset::UTF_8),
            most: most.clamp(1, MOST_LINE),
        }
    }
}

/// One file.
#[derive(Debug)]
pub(crate) struct Lines {
    config: LineConfig,
    position: u64,
    /// What its bytes are in, once its front is known.
    charset: Option<Charset>,
    decoder: Decoder,
    searched: usize, // bytes without a line feed
    text: Vec<u8>,
    encoded: Vec<u8>,
    is_split: bool,
}

impl Lines {
    pub(super) fn new(config: &LineConfig, position: u64) -> Lines {
        let input = config.input;
        Lines {
            position,
            charset: (!input.may_be_marked()).then_some(input),
            decoder: input.decoder(config.on_malformed),
            config: config.clone(),
            searched: 0,
            text: Vec::new(),
            encoded: Vec::new(),
            is_split: false,
        }
    }

    /// Where in the file its bytes are wanted from: a byte order mark stands at the front.
    pub(super) fn begins_at(&self) -> u64 {
        if self.charset.is_some() { self.position } else { 0 }
    }

    pub(super) fn window(&self) -> usize {
        self.config.most * MOST_BYTES_A_UNIT + 16
    }

    pub(super) fn split(&self) -> Option<String> {
        let most = self.config.most;
        let told = || {
            format!(
                "has a line of more than {most} characters: such lines become several events, see deserializer.maxLineLength"
            )
        };
        self.is_split.then(told)
    }

    #[inline]
    pub(super) fn cut<'a>(&'a mut self, bytes: &'a [u8], at: u64, last: bool) -> Result<Cut<'a>, String> {
        let Some(charset) = self.charset else { return Ok(self.front(bytes, last)) };
        let reach = bytes.len().min(self.window());
        let found = charset.line_feed(&bytes[..reach], self.searched);
        let end = found.map_or(reach, |found| found + charset.unit());
        if found.is_none() && !(last && reach > 0) && reach < self.window() {
            self.searched = reach;
            return Ok(Cut::More);
        }
        self.searched = 0;
        let last = last && end == bytes.len() && found.is_none();
        if end.div_ceil(charset.unit()) > self.config.most {
            return self.long(&bytes[..end], at, last);
        }
        let body = &bytes[..found.unwrap_or(end)];
        if charset == Charset::UTF_8
            && self.config.output == Charset::UTF_8
            && std::str::from_utf8(body).is_ok()
        {
            return Ok(Cut::Event(body, end));
        }
        self.text.clear();
        let read = self.decoder.decode(&bytes[..end], last, &mut self.text);
        self.decoded(read.is_ok(), at, end)
    }

    fn front(&mut self, bytes: &[u8], last: bool) -> Cut<'static> {
        let input = self.config.input;
        if bytes.len() < input.unit() && !last {
            return Cut::More;
        }
        let (charset, mark) = input.settle(bytes);
        self.charset = Some(charset);
        self.decoder = charset.decoder(self.config.on_malformed);
        if self.position > mark as u64 { Cut::Jump(self.position) } else { Cut::Skip(mark) }
    }

    /// Cuts as many characters as a line may have off `bytes`, which end with a line feed or hold none.
    fn long<'a>(&'a mut self, bytes: &'a [u8], at: u64, last: bool) -> Result<Cut<'a>, String> {
        let unit = self.charset.map_or(1, |charset| charset.unit());
        self.text.clear();
        let (mut used, mut units, mut is_read) = (0, 0, true);
        while used < bytes.len() && units < self.config.most && is_read {
            let (from, end) = (self.text.len(), (used + unit).min(bytes.len()));
            is_read =
                self.decoder.decode(&bytes[used..end], last && end == bytes.len(), &mut self.text).is_ok();
            used = end;
            // A character is as many units as its bytes say: one, or two for four bytes.
            units += self.text[from..]
                .iter()
                .map(|byte| match byte {
                    0x80..0xc0 => 0,
                    0xf0.. => 2,
                    _ => 1,
                })
                .sum::<usize>();
            if self.text.ends_with(b"\n") {
                break;
            }
        }
        self.is_split |= is_read && !self.text.ends_with(b"\n") && !(last && used == bytes.len());
        self.decoded(is_read, at, used)
    }

    /// An event of the text that was read, of which its line feed is no part.
    fn decoded(&mut self, is_read: bool, at: u64, used: usize) -> Result<Cut<'_>, String> {
        if !is_read {
            let name = self.config.input.name();
            return Err(format!("the line that begins at byte {at} is not written in {name}"));
        }
        let text = self.text.strip_suffix(b"\n").unwrap_or(&self.text);
        if self.config.output == Charset::UTF_8 {
            return Ok(Cut::Event(text, used));
        }
        self.encoded.clear();
        self.encoded.extend_from_slice(&self.config.output.encode(&String::from_utf8_lossy(text)));
        Ok(Cut::Event(&self.encoded, used))
    }
}

/// Characters of a line, whatever is allowed: what has no line feed is not read into memory without an end.
const MOST_LINE: usize = 4 << 20;
/// Of the charsets that are here: four, and the signs by which ISO-2022-JP switches.
const MOST_BYTES_A_UNIT: usize = 8;

//! Joda-Time's date patterns, as the millis serializer of `regex_extractor` reads dates.
//!
//! Source: Joda-Time 2.9.9 `DateTimeFormat`, as Flume 1.11 has it. Names of months and days are English. The letters
//! `C`, `G`, `w`, `x` and `z` are refused when the chain is built.

mod moment;
mod print;

use jiff::tz::TimeZone;
use moment::Moment;
pub use print::DatePrinter;

/// Which zone a date without one is in, and which year it is, for years of two digits.
#[derive(Debug, Clone)]
pub struct Zone {
    /// The machine's own.
    pub zone: TimeZone,
    /// When the chain was built.
    pub year: i16,
}

/// A pattern, ready to read texts.
#[derive(Debug)]
pub struct DateFormat {
    items: Vec<Item>,
    zone: TimeZone,
}

#[derive(Debug)]
enum Item {
    Literal(String),
    Number {
        field: Field,
        most_digits: usize,
        signed: bool,
    },
    /// Years of two digits lie between `low` and `low + 99`; if `lenient`, other numbers of digits stand for themselves.
    ShortYear {
        low: i64,
        lenient: bool,
    },
    Fraction {
        most_digits: usize,
    },
    Name {
        field: Field,
        names: &'static [&'static str],
        first: i64,
    },
    Offset,
    ZoneName,
}

/// What a number or a name is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Year,
    YearOfEra,
    Month,
    Day,
    DayOfYear,
    Weekday,
    Half,
    Hour,
    HourFromOne,
    HourOfHalf,
    HourOfHalfFromOne,
    Minute,
    Second,
}

impl DateFormat {
    /// Reads `pattern`.
    ///
    /// # Errors
    /// The letter that cannot be read here, in an operator's words.
    pub fn compile(pattern: &str, zone: &Zone) -> Result<DateFormat, String> {
        let tokens = tokens(pattern);
        let follows_number = |index: usize| tokens.get(index + 1).is_some_and(Token::is_number);
        let items: Result<Vec<Item>, String> = tokens
            .iter()
            .enumerate()
            .map(|(index, token)| match token {
                Token::Literal(text) => Ok(Item::Literal(text.clone())),
                Token::Letters(letter, count) => item(*letter, *count, follows_number(index), zone.year),
            })
            .collect();
        Ok(DateFormat { items: items?, zone: zone.zone.clone() })
    }

    /// Milliseconds since 1970 UTC of the date that `text` is, all of it.
    pub fn millis(&self, text: &[u8]) -> Option<i64> {
        let mut rest = std::str::from_utf8(text).ok()?;
        let mut moment = Moment::default();
        for item in &self.items {
            rest = item.read(rest, &mut moment)?;
        }
        if rest.is_empty() { moment.millis(&self.zone) } else { None }
    }
}

/// A run of one letter, or text in between.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Letters(char, usize),
    Literal(String),
}

impl Token {
    fn is_number(&self) -> bool {
        match self {
            Token::Letters('M', count) => *count <= 2,
            Token::Letters(letter, _) => "cCxyYdhHmsSeDFwWkK".contains(*letter),
            Token::Literal(_) => false,
        }
    }
}

/// Within quotes letters are text; two quotes are one.
fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut quoted = false;
    let mut chars = pattern.chars().peekable();
    while let Some(next) = chars.next() {
        let text = match next {
            '\'' if chars.next_if_eq(&'\'').is_some() => '\'',
            '\'' => {
                quoted = !quoted;
                continue;
            }
            letter if letter.is_ascii_alphabetic() && !quoted => {
                let more = std::iter::from_fn(|| chars.next_if_eq(&letter)).count();
                tokens.push(Token::Letters(letter, 1 + more));
                continue;
            }
            other => other,
        };
        match tokens.last_mut() {
            Some(Token::Literal(literal)) => literal.push(text),
            _ => tokens.push(Token::Literal(text.into())),
        }
    }
    tokens
}

fn item(letter: char, count: usize, follows_number: bool, this_year: i16) -> Result<Item, String> {
    let number = |field, most_digits| Item::Number { field, most_digits, signed: false };
    let year =
        |field| Item::Number { field, most_digits: if follows_number { count } else { 9 }, signed: true };
    Ok(match letter {
        // From 80 years ago to 19 years ahead.
        'y' | 'Y' if count == 2 => {
            Item::ShortYear { low: i64::from(this_year) - 80, lenient: !follows_number }
        }
        'y' => year(Field::Year),
        'Y' => year(Field::YearOfEra),
        'M' if count > 2 => Item::Name { field: Field::Month, names: &MONTHS, first: 1 },
        'M' => number(Field::Month, 2),
        'd' => number(Field::Day, 2),
        'D' => number(Field::DayOfYear, 3),
        'E' => Item::Name { field: Field::Weekday, names: &WEEKDAYS, first: 1 },
        'e' => number(Field::Weekday, 1),
        'a' => Item::Name { field: Field::Half, names: &HALVES, first: 0 },
        'H' => number(Field::Hour, 2),
        'k' => number(Field::HourFromOne, 2),
        'K' => number(Field::HourOfHalf, 2),
        'h' => number(Field::HourOfHalfFromOne, 2),
        'm' => number(Field::Minute, 2),
        's' => number(Field::Second, 2),
        'S' => Item::Fraction { most_digits: count },
        'Z' if count < 3 => Item::Offset,
        'Z' => Item::ZoneName,
        'z' => {
            return Err(
                "`z` (a zone's short name) is not unique; use `Z` with an offset such as +0200".into()
            );
        }
        'C' | 'G' | 'w' | 'x' => {
            return Err(format!(
                "`{letter}` cannot be read here, unlike in Joda-Time; use `yyyy`, `MM`, `dd`"
            ));
        }
        other => {
            return Err(format!("`{other}` is no letter of a date pattern; put text between single quotes"));
        }
    })
}

impl Item {
    /// Reads itself at the start of `text` and gives back what follows.
    fn read<'t>(&self, text: &'t str, moment: &mut Moment) -> Option<&'t str> {
        match self {
            Item::Literal(literal) => {
                let head = text.get(..literal.len())?;
                head.eq_ignore_ascii_case(literal).then(|| &text[literal.len()..])
            }
            Item::Number { field, most_digits, signed } => {
                let (sign, digits) = split_sign(text, *signed);
                let (number, rest) = split_number(digits, *most_digits)?;
                moment.set(*field, if sign == Some('-') { -number } else { number })?;
                Some(rest)
            }
            Item::ShortYear { low, lenient } => read_short_year(text, *low, *lenient, moment),
            Item::Fraction { most_digits } => {
                let (_, rest) = split_number(text, *most_digits)?;
                let digits = text[..text.len() - rest.len()].bytes().chain(*b"000").take(3);
                moment.millis = digits.fold(0, |millis, digit| millis * 10 + i64::from(digit - b'0'));
                Some(rest)
            }
            Item::Name { field, names, first } => {
                let is_first =
                    |name: &str| text.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
                let long =
                    names.iter().position(|name| is_first(name)).map(|place| (place, names[place].len()));
                let short = || {
                    names.iter().position(|name| is_first(&name[..name.len().min(3)])).map(|place| (place, 3))
                };
                let (place, length) = long.or_else(short)?;
                moment.set(*field, first + place as i64)?;
                Some(&text[length..])
            }
            Item::Offset => read_offset(text, moment),
            Item::ZoneName => {
                let end = text
                    .find(|c: char| !(c.is_ascii_alphanumeric() || "_/+-".contains(c)))
                    .unwrap_or(text.len());
                moment.zone = Some(TimeZone::get(&text[..end]).ok()?);
                Some(&text[end..])
            }
        }
    }
}

fn read_short_year<'t>(text: &'t str, low: i64, lenient: bool, moment: &mut Moment) -> Option<&'t str> {
    let (sign, digits) = split_sign(text, lenient);
    let (number, rest) = split_number(digits, if lenient { 9 } else { 2 })?;
    let used = digits.len() - rest.len();
    let year = match sign {
        None if used == 2 => low + (number - low).rem_euclid(100),
        None if !lenient => return None,
        Some('-') => -number,
        _ => number,
    };
    moment.set(Field::Year, year)?;
    Some(rest)
}

/// `Z`, `+02`, `+0200`, `+02:00`, and the last two with seconds.
fn read_offset<'t>(text: &'t str, moment: &mut Moment) -> Option<&'t str> {
    if let Some(rest) = text.strip_prefix(['Z', 'z']) {
        moment.offset = Some(0);
        return Some(rest);
    }
    let sign = text.chars().next().filter(|sign| "+-".contains(*sign))?;
    let two = |text: &'t str| {
        let (number, rest) = split_number(text, 2)?;
        (text.len() - rest.len() == 2).then_some((number, rest))
    };
    let (hours, mut rest) = two(&text[1..])?;
    let colon = rest.starts_with(':');
    let mut seconds = hours * 3600;
    for unit in [60, 1] {
        let next = if colon { rest.strip_prefix(':') } else { Some(rest) };
        let Some((number, after)) = next.and_then(two) else { break };
        seconds += number * unit;
        rest = after;
    }
    moment.offset = Some(if sign == '-' { -seconds } else { seconds });
    Some(rest)
}

fn split_sign(text: &str, signed: bool) -> (Option<char>, &str) {
    match text.chars().next() {
        Some(sign @ ('+' | '-')) if signed => (Some(sign), &text[1..]),
        _ => (None, text),
    }
}

/// One to `most_digits` digits (no more than 18 count) and what follows.
fn split_number(text: &str, most_digits: usize) -> Option<(i64, &str)> {
    let used = text.bytes().take(most_digits).take_while(u8::is_ascii_digit).count();
    let number = text[..used.min(18)].parse().ok()?;
    Some((number, &text[used..]))
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const HALVES: [&str; 2] = ["AM", "PM"];

#[cfg(test)]
mod tests;

//! The known name that somebody most likely meant.

/// Names longer than this are nobody's slip of the pen; it bounds the time that a comparison takes.
const LONGEST: usize = 64;

/// So many known names are looked at; it bounds the time too.
const MOST: usize = 200;

/// Words that are written for each other because other components use them.
const SYNONYMS: &[&[&str]] = &[
    &["bind", "host", "hostname"],
    &["channel", "channels"],
    &["directory", "dir", "path"],
    &["serializer", "serializers"],
];

/// The one of `known` that comes nearest to `word`, or `None` when none is near. A known name with a dot at its end
/// is a prefix: what follows in `word` is kept.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if word.len() > LONGEST {
        return None;
    }
    let ranked = known.into_iter().take(MOST).filter_map(|name| match name.strip_suffix('.') {
        Some(prefix) => {
            let (head, tail) = word.split_once('.')?;
            Some((distance_of(head, prefix)?, format!("{name}{tail}")))
        }
        None => Some((distance_of(word, name)?, name.to_string())),
    });
    ranked.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// The few of `known` that are most like `word`, near or not.
pub(super) fn most_like<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    const FEW: usize = 3;
    let word: String = word.chars().take(LONGEST).collect();
    let last = |text: &str| plain(text.trim_end_matches('.').rsplit('.').next().unwrap_or(text));
    let rank = |name: &str| {
        let (whole, end) = (edits(&plain(&word), &plain(name)), edits(&last(&word), &last(name)));
        // Of an end alone more has to be right.
        whole.min(end + 1)
    };
    let mut ranked: Vec<(usize, &str)> = known
        .into_iter()
        .take(MOST)
        .filter(|name| !name.is_empty() && name.len() <= LONGEST)
        .map(|name| (rank(name), name))
        .collect();
    ranked.sort_by_key(|(distance, _)| *distance);
    ranked.into_iter().take(FEW).map(|(_, name)| name).collect()
}

/// How far two names are apart, if it is near enough for a slip.
fn distance_of(word: &str, name: &str) -> Option<usize> {
    if name.len() > LONGEST {
        return None;
    }
    let (plain_word, plain_name) = (plain(word), plain(name));
    if plain_word == plain_name {
        return Some(0);
    }
    let last = |text: &str| plain(text.rsplit('.').next().unwrap_or(text));
    if last(word) == last(name) {
        return Some(1);
    }
    if SYNONYMS
        .iter()
        .any(|group| [word, name].iter().all(|one| group.contains(&one.to_ascii_lowercase().as_str())))
    {
        return Some(2);
    }
    let distance = edits(&plain_word, &plain_name);
    let allowed = (plain_word.len().max(plain_name.len()) / 3).min(3);
    (distance <= allowed).then_some(distance + 2)
}

/// Whether one name was most likely meant for the other, also where they are short: `ri` for `r1`. Two that differ in a
/// digit are two of a series.
pub(crate) fn is_slip(word: &str, name: &str) -> bool {
    if word.len() > LONGEST || name.len() > LONGEST || word == name {
        return false;
    }
    let series = |text: &str| text.trim_end_matches(|sign: char| sign.is_ascii_digit()).to_string();
    let (plain_word, plain_name) = (plain(word), plain(name));
    let counted = series(word) == series(name);
    !counted && plain_name.len() > 1 && edits(&plain_word, &plain_name) <= 1
        || plain_word == plain_name
        || distance_of(word, name).is_some_and(|_| !counted)
}

/// Without case, dashes and underscores.
fn plain(text: &str) -> Vec<char> {
    text.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (row[j] + usize::from(x != y)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let sink = ["hostname", "port", "batch-size", "connect-timeout", "hosts", "hosts."];
        let cases = [
            ("batchSize", Some("batch-size")),
            ("BATCH_SIZE", Some("batch-size")),
            ("batch-sizes", Some("batch-size")),
            ("host", Some("hostname")),
            ("hsotname", Some("hostname")),
            ("prot", Some("port")),
            ("host.h1", Some("hosts.h1")),
            ("compression", None),
            ("x", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, sink).as_deref(), expected, "{word}");
        }
        assert_eq!(nearest("directory", ["sink.directory"]).as_deref(), Some("sink.directory"));
        assert_eq!(
            nearest("priority.k1", ["processor.priority.", "processor.type"]).as_deref(),
            Some("processor.priority.k1")
        );
        assert_eq!(nearest(&"a".repeat(100_000), sink), None);
    }

    #[test]
    fn the_most_like_are_few() {
        let known = ["kafka.topic", "kafka.bootstrap.servers", "topic", "batchSize", "useFlumeEventFormat"];
        let like = most_like("topics.of.kafka", known);
        assert_eq!(like.len(), 3);
        assert_eq!(most_like("kafka.topik.x", known)[0], "kafka.topic");
        assert_eq!(most_like(&"a".repeat(100_000), ["b"]), ["b"]);
    }

    #[test]
    fn a_short_name_is_a_slip_unless_it_is_the_next_of_a_series() {
        for (word, name, expected) in [
            ("ri", "r1", true),
            ("R1", "r1", true),
            ("k2", "k1", false),
            ("k", "c", false),
            ("rl", "sink", false),
        ] {
            assert_eq!(is_slip(word, name), expected, "{word} {name}");
        }
    }

    #[test]
    fn a_swap_is_one_edit() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(edits(&chars("prot"), &chars("port")), 1);
        assert_eq!(edits(&chars(""), &chars("abc")), 3);
        assert_eq!(edits(&chars("kitten"), &chars("sitting")), 3);
    }
}

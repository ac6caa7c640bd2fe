//! A shell's pattern for names of files.

/// Whether a name is like `glob`: `*` is any text and `?` any sign, within a folder's name.
pub(super) fn matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut at, mut on, mut star) = (0, 0, None);
    while on < name.len() {
        match glob.get(at) {
            Some('*') => {
                star = Some((at, on));
                at += 1;
            }
            Some(sign) if *sign == name[on] || (*sign == '?' && name[on] != '/') => {
                (at, on) = (at + 1, on + 1)
            }
            _ => match star {
                Some((behind, from)) if name[from] != '/' => {
                    star = Some((behind, from + 1));
                    (at, on) = (behind + 1, from + 1);
                }
                _ => return false,
            },
        }
    }
    glob[at..].iter().all(|sign| *sign == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_stay_within_a_folder() {
        for (glob, name, expected) in [
            ("flume.log.*", "flume.log.20261127-1", true),
            ("flume.log.*", "flume.log", false),
            ("*/a-?.log", "x/a-1.log", true),
            ("*.log", "x/a.log", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbY", false),
            ("**", "", true),
        ] {
            assert_eq!(matches(glob, name), expected, "{glob} {name}");
        }
    }
}

//! What of a command only a shell understands.

/// Signs that mean something wherever they stand.
const ANYWHERE: [&str; 9] = ["|", ">", "<", ";", "&&", "`", "$(", "\"", "'"];
/// Signs that may be meant as they are in a regular expression or a URL, and seldom in the name of a file.
const GLOBS: [char; 3] = ['*', '?', '['];
/// Words that a shell acts on itself: no program has these names.
const BUILT_IN: [&str; 18] = [
    ".", ":", "alias", "cd", "eval", "exec", "export", "for", "if", "set", "shopt", "source", "trap",
    "ulimit", "umask", "unset", "until", "while",
];

/// The first thing in `command` that a program started without a shell gets as it is written.
pub(super) fn sign(command: &str) -> Option<&str> {
    let anywhere = || ANYWHERE.into_iter().find(|sign| command.contains(sign));
    let first = command.split_whitespace().next().filter(|word| is_built_in(word));
    first.or_else(anywhere).or_else(|| command.split_whitespace().find_map(of_word))
}

/// Whether `shell` starts a shell that takes the command for the name of a file: it has no `-c`.
pub(super) fn reads_a_file(shell: &str) -> bool {
    const SHELLS: [&str; 8] = ["ash", "bash", "csh", "dash", "fish", "ksh", "sh", "zsh"];
    let mut words = shell.split_whitespace();
    let name = words.next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    let takes_command = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains('c');
    SHELLS.contains(&name) && !words.any(takes_command)
}

fn is_built_in(word: &str) -> bool {
    let sets_a_variable = word.split_once('=').is_some_and(|(name, _)| is_name(name));
    sets_a_variable || BUILT_IN.contains(&word) || word.starts_with(['(', '{', '!'])
}

fn is_name(text: &str) -> bool {
    let letter = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    text.starts_with(|sign: char| letter(sign) && !sign.is_ascii_digit()) && text.chars().all(letter)
}

fn of_word(word: &str) -> Option<&str> {
    let home = word.starts_with('~') || word.contains("=~/") || word.contains(":~/");
    let ends = word.ends_with('&') || word.ends_with('\\');
    (home || ends || has_variable(word) || has_glob(word) || has_braces(word)).then_some(word)
}

fn has_variable(word: &str) -> bool {
    let begins = |sign: char| sign.is_ascii_alphanumeric() || "_{?$!#@*-".contains(sign);
    word.match_indices('$').any(|(at, _)| word[at + 1..].starts_with(begins))
}

fn has_glob(word: &str) -> bool {
    let is_path = word.contains('/') && !word.contains("://");
    let is_regex = |at: usize| word[..at].ends_with(['.', ']', ')', '\\', '^']);
    match word.find(GLOBS) {
        Some(_) if is_path => true,
        Some(at) => word[at..].starts_with('*') && !word.contains("://") && !is_regex(at),
        None => false,
    }
}

fn has_braces(word: &str) -> bool {
    let Some((_, behind)) = word.split_once('{') else { return false };
    let inside = behind.split_once('}').map(|(inside, _)| inside);
    // `x{2,3}` repeats a letter.
    let words = |inside: &str| inside.contains(',') && inside.contains(|sign: char| sign.is_alphabetic());
    inside.is_some_and(|inside| inside.contains("..") || words(inside))
}

#[cfg(test)]
mod tests {
    use super::{reads_a_file, sign};

    #[test]
    fn what_only_a_shell_understands() {
        for (command, expected) in [
            ("tail -F $HOME/x", "$HOME/x"),
            ("tail -F ${LOG}", "${LOG}"),
            ("tail -F ~/x.log", "~/x.log"),
            ("cat ~", "~"),
            ("tail -F /var/log/*.log", "/var/log/*.log"),
            ("tail -F *.log", "*.log"),
            ("cat /var/log/app?.log", "/var/log/app?.log"),
            ("cat /var/log/app[12].log", "/var/log/app[12].log"),
            ("cat /d/{a,b}.log", "/d/{a,b}.log"),
            ("seq {1..3}", "{1..3}"),
            ("tail -F {a,b}.log", "{a,b}.log"),
            ("sleep 3 &", "&"),
            ("LANG=C tail x", "LANG=C"),
            ("cd /x", "cd"),
            ("(date)", "(date)"),
            ("cat /my\\ logs/x", "/my\\"),
            ("a || b", "|"),
            ("a 2>&1", ">"),
            ("echo $$", "$$"),
        ] {
            assert_eq!(sign(command), Some(expected), "{command}");
        }
        for plain in [
            "tail -F /var/log/x.log",
            "curl http://h/p?a=1&b=*",
            "grep a.*b$ /x",
            "grep --color=auto ^[a-z]* x",
            "find /x -name {}",
            "dd if=/dev/zero bs=1",
            "grep -E a{2,3} x",
            "tail x~ a#b",
        ] {
            assert_eq!(sign(plain), None, "{plain}");
        }
    }

    #[test]
    fn a_shell_without_c_takes_the_command_for_a_file() {
        for shell in ["/bin/bash", "sh", "/usr/bin/zsh -l", "bash --norc"] {
            assert!(reads_a_file(shell), "{shell}");
        }
        for shell in
            ["/bin/bash -c", "bash -lc", "/bin/sh -e -c", "powershell -Command", "/usr/bin/env bash -c"]
        {
            assert!(!reads_a_file(shell), "{shell}");
        }
    }
}

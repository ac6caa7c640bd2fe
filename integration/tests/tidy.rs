//! What the pages say of the tree is there: links, files, functions, tests, commands.

use integration::binaries::workspace;
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

/// The pages at the top and those in `decisions/`.
fn pages() -> Vec<(String, String)> {
    let top =
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "MIGRATING.md"].map(|name| workspace().join(name));
    let decisions = files(&workspace().join("decisions"), "md");
    let read = |path: PathBuf| {
        let name = path.strip_prefix(workspace()).expect("it is below").display().to_string();
        (name, fs::read_to_string(&path).expect("a page"))
    };
    top.into_iter().chain(decisions).map(read).collect()
}

/// All files below `directory` that end in `.extension`.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|kind| kind == extension) {
            found.push(path);
        }
    }
    found
}

/// What stands between backticks, outside of blocks of code.
fn quoted(page: &str) -> Vec<&str> {
    let prose = page.split("\n```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

/// Every word of our Rust sources, and what stands behind each `fn`.
fn words() -> (HashSet<String>, HashSet<String>) {
    let (mut words, mut functions) = (HashSet::new(), HashSet::new());
    for part in ["agent", "collector", "common", "integration"] {
        for path in files(&workspace().join(part), "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let mut before = "";
            for word in text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
            {
                // `case!(NAME` is a row of the oracle's table.
                if before == "fn" || before == "case" {
                    functions.insert(word.to_owned());
                }
                words.insert(word.to_owned());
                before = word;
            }
            functions.extend(rows(&text).map(str::to_owned));
        }
    }
    (words, functions)
}

/// The names in a table of tests: what `tests! {` lists before each colon.
fn rows(text: &str) -> impl Iterator<Item = &str> {
    let table =
        text.split("\ntests! {\n").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap_or_default();
    table.lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name)
}

#[test]
fn links_and_files_are_there() {
    for (name, page) in pages() {
        let beside = workspace().join(&name).parent().expect("a directory").to_owned();
        let links = page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for link in links.filter(|link| !link.is_empty() && !link.contains("://")) {
            assert!(beside.join(link).exists(), "{name} links to {link}");
        }
        let top = ["agent/", "collector/", "common/", "decisions/", "deploy/", "integration/", ".ci/"];
        for path in quoted(&page).into_iter().filter(|text| top.iter().any(|part| text.starts_with(part))) {
            let path = path.split_whitespace().next().unwrap_or_default(); // `deploy/drill --keep`
            assert!(workspace().join(path).exists(), "{name} names {path}");
        }
    }
}

#[test]
fn functions_and_tests_are_there() {
    let (words, functions) = words();
    for (name, page) in pages() {
        for text in quoted(&page) {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let is_test = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            if is_test && text.matches('_').count() >= 3 {
                assert!(functions.contains(text), "{name} names the test {text}");
            }
            if text.contains("::") && text.replace("::", "").chars().all(is_name) {
                for word in text.split("::") {
                    assert!(words.contains(word), "{name} names {text}: there is no {word}");
                }
            }
        }
    }
}

#[test]
fn the_readmes_commands_are_those_that_are_run() {
    let read = |name| fs::read_to_string(workspace().join(name)).expect("a file");
    let (readme, script) = (read("README.md"), read(".ci/run"));
    for command in ["cargo test", "deploy/drill"] {
        assert!(readme.contains(&format!("```sh\n{command}\n```")), "README: {command}");
        assert!(script.contains(command), ".ci/run: {command}");
    }
}

/// What `MIGRATING.md` claims stands in its tables, and the last column of each row names the tests that hold it.
#[test]
fn every_claim_about_migrating_names_its_tests() {
    let (_, functions) = words();
    let page = fs::read_to_string(workspace().join("MIGRATING.md")).expect("a page");
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| -"));
    let claims: Vec<&str> = rows.filter(|row| !row.ends_with("| held by |")).collect();
    assert!(claims.len() > 20, "the tables are read");
    for claim in claims {
        let last = claim.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        let tests = quoted(last);
        assert!(!tests.is_empty(), "no test: {claim}");
        for test in tests {
            let name = test.split("::").next().unwrap_or_default();
            assert!(functions.contains(name), "there is no test {test}: {claim}");
        }
    }
}

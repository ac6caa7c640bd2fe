//! What a URI of `-u` names.

use super::fetch::{Access, Failure, Fetch};
use crate::origin::MOST_BYTES;
use std::path::{Path, PathBuf};

/// One of them.
pub(crate) enum Place {
    /// A file, also one that was found on the class path.
    File {
        /// As messages name it.
        name: String,
        path: PathBuf,
        /// The path in the URI.
        named: String,
    },
    /// A server has it.
    Http(Box<Fetch>),
}

impl Place {
    /// Reads a URI. `folders` are those of the class path, the configuration directory first.
    ///
    /// # Errors
    /// What is wrong with it, in an operator's words.
    pub(crate) fn parse(uri: &str, folders: &[PathBuf], access: &Access<'_>) -> Result<Place, String> {
        let wrong = |why: String| format!("-u {}: {why}", plan::cut(&shown(uri), MOST_SHOWN));
        let Some((scheme, rest)) = uri.split_once(':') else {
            return Err(wrong(format!(
                "it has no scheme; give a file with -f {uri}, or write -u file:///PATH"
            )));
        };
        match scheme {
            "http" | "https" => {
                Fetch::new(uri, shown(uri), access).map(|fetch| Place::Http(Box::new(fetch))).map_err(wrong)
            }
            "file" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if !path.starts_with('/') {
                    return Err(wrong("it must be a whole path of this host: file:///PATH".to_owned()));
                }
                let named = decoded(path).map_err(wrong)?;
                Ok(Place::File { name: named.clone(), path: PathBuf::from(&named), named })
            }
            "classpath" => {
                let name = decoded(rest.trim_start_matches('/')).map_err(wrong)?;
                let path = find(&name, folders).map_err(wrong)?;
                Ok(Place::File { name: uri.to_owned(), path, named: format!("/{name}") })
            }
            _ => Err(wrong("only http, https, file and classpath are known".to_owned())),
        }
    }

    /// As messages name it: without what may be secret.
    pub(super) fn name(&self) -> &str {
        match self {
            Place::File { name, .. } => name,
            Place::Http(fetch) => &fetch.name,
        }
    }

    /// Whether Flume takes the end of its name for another kind of file. It looks behind the first dot of the path.
    pub(super) fn is_passed_over_by_flume(&self) -> bool {
        let path = match self {
            Place::File { named, .. } => named,
            Place::Http(fetch) => fetch.path(),
        };
        path.split_once('.').is_some_and(|(_, end)| ["json", "yaml", "xml"].contains(&end))
    }

    pub(super) async fn get(&mut self) -> Result<Vec<u8>, Failure> {
        match self {
            Place::Http(fetch) => fetch.get().await,
            Place::File { path, .. } => {
                let bytes = plan::input::read(path, MOST_BYTES, PATIENCE_SECONDS, &|_| {})
                    .map_err(|error| Failure { why: error.to_string(), lasting: true })?;
                match bytes.len() as u64 > MOST_BYTES {
                    true => Err(Failure::too_long()),
                    false => Ok(bytes),
                }
            }
        }
    }
}

fn find(name: &str, folders: &[PathBuf]) -> Result<PathBuf, String> {
    let found = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| match folders {
        [] => "there is no class path: name the configuration directory with -c, or other folders with -C"
            .to_owned(),
        folders => {
            let folders = folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>();
            format!("it is not in {} (jars are not looked into)", plan::cut(&folders.join(", "), MOST_SHOWN))
        }
    })
}

/// The folders of a class path: the configuration directory, then those of `-C`. What a jar or a `*` holds is not looked at.
pub(crate) fn folders(conf: Option<&Path>, class_path: Option<&str>) -> Vec<PathBuf> {
    let given =
        class_path.unwrap_or_default().split(':').filter(|entry| !entry.is_empty() && !entry.ends_with('*'));
    conf.map(Path::to_owned)
        .into_iter()
        .chain(given.map(PathBuf::from).filter(|entry| entry.is_dir()))
        .collect()
}

/// Without a user's name, a password and what stands behind `?`.
fn shown(uri: &str) -> String {
    let plain = uri.split(['?', '#']).next().unwrap_or_default();
    match plain.split_once("://") {
        None => plain.to_owned(),
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
    }
}

/// With `%20` and its like as what they stand for.
fn decoded(text: &str) -> Result<String, String> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some((before, behind)) = rest.split_once('%') {
        let code = behind.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let code = code.ok_or("a `%` in it has no two hexadecimal digits behind it")?;
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(code);
        rest = &behind[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// Bytes of what was given that are shown.
const MOST_SHOWN: usize = 300;
/// A pipe in place of a file may be silent for so long.
const PATIENCE_SECONDS: u32 = 10;

//! The `hadoop` config filter: a secret from one of Hadoop's credential stores.
//!
//! Source: Hadoop 3 `JavaKeyStoreProvider` and `ProviderUtils`, with these differences: stores on this machine alone are read
//! here, Flume's own class in a JVM reads the others;
//! the password's file is looked for beside the file that names it, not on a class path; a key of the same name in Hadoop's own
//! configuration files is not looked for.

use plan::{CredentialStore, JavaFilter};
use runtime::net::credential;
use std::io;
use std::path::PathBuf;

/// Whether all of its stores are files of this machine.
pub(crate) fn is_here(store: &CredentialStore) -> bool {
    providers(store).all(|provider| path(provider).is_ok())
}

/// Flume's own class for stores that are not here.
pub(crate) fn class(store: &CredentialStore) -> JavaFilter {
    let file = store.password_file.as_ref().and_then(|file| file.file_name()); // it is looked for on the class path
    let file =
        file.map(|file| (CredentialStore::PASSWORD_FILE.to_owned(), file.to_string_lossy().into_owned()));
    let properties = [(CredentialStore::PROVIDERS.to_owned(), store.providers.clone())];
    JavaFilter {
        name: store.providers.clone(),
        class: "org.apache.flume.configfilter.HadoopCredentialStoreConfigFilter".to_owned(),
        properties: properties.into_iter().chain(file).collect(),
    }
}

/// For whoever has no JVM.
pub(crate) const ADVICE: &str = "`jceks://file/PATH` and `localjceks://file/PATH` are read without a JVM (copy the store here, readable by this account alone)";

fn providers(store: &CredentialStore) -> impl Iterator<Item = &str> {
    store.providers.split(',').map(str::trim).filter(|provider| !provider.is_empty())
}

/// Looks for `key` in each store of the path, in order.
///
/// # Errors
/// Why there is no answer, for people.
pub(crate) fn ask(store: &CredentialStore, key: &str) -> Result<String, String> {
    let password = password(store)?;
    for provider in providers(store) {
        if let Some(secret) = credential(&path(provider)?, &password, key)? {
            return Ok(secret.reveal().to_owned());
        }
    }
    Err(format!("{} has no credential of that name", store.providers))
}

/// The environment's, else that in the file, else Hadoop's own.
fn password(store: &CredentialStore) -> Result<String, String> {
    match (&store.password, &store.password_file) {
        (Some(password), _) => Ok(password.reveal().to_owned()),
        (None, Some(file)) => {
            let read = plan::input::read(file, MOST_PASSWORD_BYTES, PATIENCE_SECONDS, &|_| {})
                .and_then(|bytes| String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into()));
            let read = read
                .map_err(|error| format!("the password's file {} cannot be read: {error}", file.display()))?;
            Ok(read.trim().to_owned())
        }
        (None, None) => Ok("none".to_owned()),
    }
}

const MOST_PASSWORD_BYTES: u64 = 64 << 10;
/// A pipe in its place may be silent for so long.
const PATIENCE_SECONDS: u32 = 2;

fn path(provider: &str) -> Result<PathBuf, String> {
    let nested = provider.strip_prefix("jceks://").or_else(|| provider.strip_prefix("localjceks://"));
    match nested.and_then(|nested| nested.strip_prefix("file")) {
        Some(path) if path.starts_with('/') => Ok(path.into()),
        _ => Err(format!("{} is no store on this machine", plan::quoted(provider))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::Secret;
    use std::fs;

    const STORES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtime/testdata/stores");

    fn asked(
        providers: &str,
        password: Option<&str>,
        file: Option<PathBuf>,
        key: &str,
    ) -> Result<String, String> {
        let providers = providers.replace("DIR", STORES);
        ask(&CredentialStore { providers, password_file: file, password: password.map(Secret::new) }, key)
    }

    #[test]
    fn a_secret_comes_from_the_first_store_that_has_it() {
        let plain = "jceks://fileDIR/hadoop.jceks";
        assert_eq!(asked(plain, None, None, "db.password"), Ok("wörd: 1".into()));
        let own = "localjceks://fileDIR/hadoop-password.jceks";
        assert_eq!(asked(own, Some("test word"), None, "db.password"), Ok("other".into()));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        fs::write(&file, "test word\n").unwrap();
        assert_eq!(asked(own, None, Some(file.clone()), "db.password"), Ok("other".into()));
        let both = format!("{own}, {own}");
        let none = asked(&both, None, Some(file), "no").unwrap_err();
        assert!(none.contains("has no credential of that name"), "{none}");
    }

    #[test]
    fn why_there_is_no_answer() {
        for (providers, file, expected) in [
            (
                "jceks://fileDIR/hadoop-password.jceks",
                None,
                "hadoop-password.jceks does not open: the password is wrong",
            ),
            ("jceks://file/no/such", None, "/no/such cannot be read"),
            ("jceks://hdfs@nn:8020/x", None, "`jceks://hdfs@nn:8020/x` is no store on this machine"),
            ("user:///", None, "is no store on this machine"),
            (
                "jceks://fileDIR/hadoop.jceks",
                Some("/no/such".into()),
                "the password's file /no/such cannot be read",
            ),
        ] {
            let said = asked(providers, None, file, "k").unwrap_err();
            assert!(said.contains(expected), "{said}");
        }
    }
}

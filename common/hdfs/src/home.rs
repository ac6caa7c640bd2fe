//! Where a path is that does not begin with `/`: below the home directory of the user whom HDFS sees.
//!
//! Source: Hadoop 3.3 `Path`, `UserGroupInformation`, `DistributedFileSystem.getHomeDirectory`, `ViewFileSystem`.

use crate::store::Hadoop;

/// The home directory. `variable` is one of the environment's.
///
/// # Errors
/// Why nobody knows it yet, in an operator's words.
pub(crate) fn directory(
    hadoop: &Hadoop,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let url = hadoop.site.complete(&hadoop.url).unwrap_or_default();
    let prefix = match url.strip_prefix("viewfs://") {
        Some(name) => hadoop.site.get(&format!("fs.viewfs.mounttable.{name}.homedir")),
        None => hadoop.site.get("dfs.user.home.dir.prefix"),
    };
    Ok(format!("{}/{}", prefix.unwrap_or("/user").trim_end_matches('/'), user(hadoop, variable)?))
}

/// Whom HDFS sees, as hdfs-native finds it.
fn user(hadoop: &Hadoop, variable: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    if let Some(user) = hadoop.user.clone().or_else(|| variable("HADOOP_PROXY_USER")) {
        return Ok(user);
    }
    let login = hadoop.site.get("hadoop.security.authentication");
    if !login.is_some_and(|login| login.eq_ignore_ascii_case("kerberos")) {
        let own = || whoami::username().unwrap_or_else(|_| "unknown".to_owned());
        return Ok(variable("HADOOP_USER_NAME").unwrap_or_else(own));
    }
    let principal = hadoop.kerberos.as_ref().map(|(principal, _)| principal.as_str());
    let short = principal.and_then(|principal| principal.split(['/', '@']).next());
    short.map(str::to_owned).ok_or_else(|| WHO.to_owned())
}

const WHO: &str = "it does not begin with `/`, so it is below the home directory of whoever logs in by Kerberos, and the file \
    names nobody: write the whole path, or set hdfs.kerberosPrincipal and hdfs.kerberosKeytab";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SiteFiles;

    #[test]
    fn the_home_is_that_of_the_user_whom_hdfs_sees() {
        let secure = ("hadoop.security.authentication", "Kerberos");
        let keytab = |principal: &str| Some((principal.to_owned(), "k".to_owned()));
        let of = |url: &str, site: &[(&str, &str)], user: Option<&str>, kerberos, named: bool| {
            let (url, user) = (url.to_owned(), user.map(str::to_owned));
            let hadoop = Hadoop { url, site: SiteFiles::of(site), user, kerberos };
            directory(&hadoop, |name| (named && name == "HADOOP_USER_NAME").then(|| "ann".to_owned()))
        };
        let own = format!("/user/{}", whoami::username().unwrap());
        assert_eq!(of("", &[], None, None, false), Ok(own));
        for (url, site, user, kerberos, home) in [
            ("hdfs://nn", &[][..], None, None, "/user/ann"),
            ("", &[("dfs.user.home.dir.prefix", "/people/")], None, None, "/people/ann"),
            (
                "",
                &[("fs.defaultFS", "viewfs://c"), ("fs.viewfs.mounttable.c.homedir", "/h")],
                None,
                None,
                "/h/ann",
            ),
            ("", &[], Some("bob"), None, "/user/bob"),
            ("", &[secure], Some("bob"), keytab("f/_HOST@R"), "/user/bob"),
            ("", &[secure], None, keytab("flume/_HOST@REALM"), "/user/flume"),
            ("", &[secure], None, keytab("flume@REALM"), "/user/flume"),
            ("", &[], None, keytab("flume@REALM"), "/user/ann"),
        ] {
            assert_eq!(of(url, site, user, kerberos, true).as_deref(), Ok(home), "{site:?}");
        }
        assert!(of("", &[secure], None, None, true).unwrap_err().contains("write the whole path"));
    }
}

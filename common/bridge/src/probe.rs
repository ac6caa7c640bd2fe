//! Asks the host what only programs can tell: what `flume-env.sh` sets, and what Hadoop and HBase say of themselves.

use crate::classpath::{Disk, Installation};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::Command;

/// Completes what is known of an installation, in the launcher's order: `flume-env.sh` of its `--conf`, then
/// `hadoop classpath` and `hbase classpath` where these programs are. Says what could not be had.
///
/// With `stores` unset Hadoop and HBase are not asked, which takes seconds on some hosts.
pub async fn probe(installation: &mut Installation, stores: bool) -> Vec<String> {
    let mut remarks = Vec::new();
    let script = installation.conf.as_ref().map(|conf| conf.join("flume-env.sh"));
    if let Some(script) = script.filter(|script| script.is_file()) {
        match source(installation, &script).await {
            Ok(()) => {}
            Err(why) => remarks.push(format!("{} cannot be read: {why}", script.display())),
        }
    }
    if installation.flume_home.is_none() {
        installation.flume_home = installation.variable("FLUME_HOME").map(PathBuf::from);
    }
    if !stores {
        return remarks;
    }
    let hadoop_home = installation.variable("HADOOP_HOME").or(installation.variable("HADOOP_PREFIX"));
    if let Some(hadoop) = program(installation, hadoop_home, "hadoop") {
        let (class_path, native) = ask(installation, &hadoop, "HADOOP_CLASSPATH", &mut remarks).await;
        (installation.hadoop_class_path, installation.hadoop_native) = (class_path, native);
    }
    if let Some(hbase) = program(installation, installation.variable("HBASE_HOME"), "hbase") {
        let (class_path, native) = ask(installation, &hbase, "HBASE_CLASSPATH", &mut remarks).await;
        (installation.hbase_class_path, installation.hbase_native) = (class_path, native);
    }
    remarks
}

fn program(installation: &Installation, home: Option<&str>, name: &str) -> Option<PathBuf> {
    let own = home.map(|home| Path::new(home).join("bin").join(name)).filter(|path| path.is_file());
    own.or_else(|| installation.program(&Disk, name))
}

/// Takes over what the script sets. It is a shell script, so a shell reads it.
async fn source(installation: &mut Installation, script: &Path) -> Result<(), String> {
    let mut command = Command::new("bash");
    command.args(["-c", SOURCE, "flume-env"]).arg(script);
    command.env_clear().envs(&installation.environment);
    command.env("JAVA_OPTS", "").env("FLUME_CLASSPATH", "").env("FLUME_JAVA_LIBRARY_PATH", "");
    let said = output(command).await?;
    for variable in said.split('\0') {
        if let Some((name, value)) = variable.split_once('=') {
            installation.environment.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok(())
}

/// A store's class path and `java.library.path`.
async fn ask(
    installation: &Installation,
    program: &Path,
    own_class_path: &str,
    remarks: &mut Vec<String>,
) -> (Option<String>, Option<String>) {
    let command = || {
        let mut command = Command::new(program);
        command.env_clear().envs(&installation.environment);
        command
    };
    let mut class_path = command();
    class_path.arg("classpath").env(own_class_path, "");
    let class_path = match output(class_path).await {
        Ok(text) => text.lines().rfind(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned()),
        Err(why) => {
            remarks.push(format!(
                "`{} classpath` fails, so that its jars are not there: {why}",
                program.display()
            ));
            None
        }
    };
    let mut native = command();
    native.args(["org.apache.flume.tools.GetJavaProperty", "java.library.path"]);
    if let Some(home) = &installation.flume_home {
        native.env(own_class_path, format!("{}/lib/*", home.display()));
    }
    // Flume asks this way too, and goes on without an answer.
    let native = output(native).await.ok().and_then(|text| {
        text.lines().find_map(|line| line.strip_prefix("java.library.path=")).map(str::to_owned)
    });
    (class_path, native)
}

/// What a program prints, if it ends well and within half a minute.
async fn output(mut command: Command) -> Result<String, String> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            Err(format!("{} {last}", output.status).trim().to_owned())
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it takes longer than {} s", PATIENCE.as_secs())),
    }
}

/// Prints all variables that are set when the script is through, exported or not: the launcher uses some that a script
/// need not export.
const SOURCE: &str = r#"
set -a
. "$1" >&2 </dev/null
code=$?
exec env -0
"#;

const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    fn script(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("ours");
    }

    fn installation(folder: &Path) -> Installation {
        let path = std::env::var("PATH").expect("a PATH");
        Installation {
            conf: Some(folder.join("conf")),
            environment: [("PATH".to_owned(), path)].into(),
            ..Installation::default()
        }
    }

    #[tokio::test]
    async fn what_the_script_sets_counts_exported_or_not() {
        let folder = tempfile::tempdir().expect("a folder");
        script(
            &folder.path().join("conf/flume-env.sh"),
            "echo noise\nFLUME_CLASSPATH='/a b/*:/c.jar'\nexport JAVA_OPTS=\"$JAVA_OPTS -Xmx1g\"\nFLUME_HOME=/f\n",
        );
        let mut installation = installation(folder.path());
        assert_eq!(probe(&mut installation, false).await, [] as [String; 0]);
        assert_eq!(installation.variable("FLUME_CLASSPATH"), Some("/a b/*:/c.jar"));
        assert_eq!(installation.variable("JAVA_OPTS"), Some(" -Xmx1g"));
        assert_eq!(installation.flume_home.as_deref(), Some(Path::new("/f")));
    }

    #[tokio::test]
    async fn hadoop_and_hbase_are_asked_and_a_failure_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        script(
            &folder.path().join("hadoop/bin/hadoop"),
            "#!/bin/sh\n[ $1 = classpath ] && echo '/h/*' || printf 'noise\\njava.library.path=/h/native\\n'\n",
        );
        script(&folder.path().join("hbase/bin/hbase"), "#!/bin/sh\necho no java here >&2\nexit 3\n");
        let mut installation = installation(folder.path());
        for name in ["hadoop", "hbase"] {
            let home = folder.path().join(name).display().to_string();
            installation.environment.insert(format!("{}_HOME", name.to_uppercase()), home);
        }
        let remarks = probe(&mut installation, true).await;
        assert_eq!(installation.hadoop_class_path.as_deref(), Some("/h/*"));
        assert_eq!(installation.hadoop_native.as_deref(), Some("/h/native"));
        assert!(remarks.len() == 1 && remarks[0].contains("no java here"), "{remarks:?}");
    }
}

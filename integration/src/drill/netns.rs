//! Four hosts on one: network namespaces with the lesson's names and addresses.
//!
//! The whole drill runs within a network and a mount namespace of its own (`unshare`), in which `/run` is empty, so that
//! the four named namespaces, the bridge, the mounts and the host names exist for it alone. They end with its last
//! process, however that ends: there is nothing to clean up and nothing of the machine is changed.

use crate::{
    binaries,
    cluster::{Site, Wrap},
    lesson,
    node::Error,
};
use std::{
    env, fs, io,
    net::{IpAddr, Ipv4Addr},
    os::unix::process::CommandExt,
    path::Path,
    process::Command,
    sync::Arc,
};

/// Whether this program already runs within the namespaces.
pub fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// Runs this program again, with the same arguments, within new namespaces. Returns only when that fails.
pub fn enter() -> Error {
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(error) => return Error::io("cannot tell where this program is")(error),
    };
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--net", "--propagation", "private", "--"]).arg(program);
    let error = unshare.args(env::args_os().skip(1)).env(INSIDE, "1").exec();
    Error::io("cannot run unshare (of util-linux), which --netns needs")(error)
}

/// Lays the bridge and the four hosts, within the namespaces.
///
/// # Errors
/// Where the kernel or the rights do not allow it, with the command that failed.
pub fn lay() -> Result<(), Error> {
    run("mount -t tmpfs tmpfs /run")?;
    run("ip link set lo up")?;
    run("ip link add drill type bridge")?;
    run("ip link set drill up")?;
    run("ip address add 192.168.255.1/24 dev drill")?;
    for (node, address) in addresses() {
        run(&format!("ip netns add {node}"))?;
        run(&format!("ip link add {node} type veth peer name eth0 netns {node}"))?;
        run(&format!("ip link set {node} master drill up"))?;
        run(&format!("ip -n {node} link set lo up"))?;
        run(&format!("ip -n {node} address add {address}/24 dev eth0"))?;
        run(&format!("ip -n {node} link set eth0 up"))?;
    }
    Ok(())
}

/// Runs a node on its host: in `/usr/local/flume/conf`, with its own `/root`, `/etc/hosts` and host name.
pub fn wrap() -> Wrap {
    Arc::new(|place: &Site, command: Command| {
        let mut wrapped = Command::new("ip");
        if let Err(error) = furnish(&place.directory) {
            // Told by the node's console, where the reason is looked for when it does not start.
            wrapped = Command::new("sh");
            wrapped
                .args(["-c", "echo \"$0\" >&2; exit 1"])
                .arg(format!("cannot lay out {}: {error}", place.name));
            return wrapped;
        }
        wrapped.args([
            "netns",
            "exec",
            &place.name,
            "unshare",
            "--mount",
            "--uts",
            "sh",
            "-euc",
            FURNISH,
            "sh",
        ]);
        wrapped.arg(&place.directory).arg(lesson::full_name(&place.name));
        wrapped.arg(command.get_program()).args(command.get_args());
        wrapped
    })
}

/// Puts what the lesson's hosts have under `/usr/local/flume` into `directory`: the script and what it runs, the hosts.
fn furnish(directory: &Path) -> io::Result<()> {
    let (bin, root) = (directory.join("bin"), directory.join("root"));
    fs::create_dir_all(&bin)?;
    fs::create_dir_all(root)?;
    let script = binaries::workspace().join("deploy/bin/flume-ng");
    fs::copy(script, bin.join("flume-ng"))?;
    let built = binaries::directory().map_err(io::Error::other)?;
    for binary in ["agent", "collector"] {
        let copy = bin.join(binary);
        if !copy.exists() {
            fs::copy(built.join(binary), copy)?;
        }
    }
    let lines = addresses().map(|(node, address)| format!("{address} {} {node}\n", lesson::full_name(node)));
    fs::write(directory.join("hosts"), "127.0.0.1 localhost\n".to_owned() + &lines.concat())
}

/// The address of slave3 (0) or slave4 (1).
pub(super) fn address(collector: usize) -> IpAddr {
    let found = addresses().into_iter().find(|(node, _)| *node == lesson::COLLECTORS[collector]);
    found.and_then(|(_, address)| address.parse().ok()).unwrap_or(Ipv4Addr::UNSPECIFIED.into())
}

/// The lesson's addresses.
fn addresses() -> [(&'static str, &'static str); 4] {
    [
        (lesson::AGENTS[0], "192.168.255.121"),
        (lesson::AGENTS[1], "192.168.255.122"),
        (lesson::COLLECTORS[0], "192.168.255.123"),
        (lesson::COLLECTORS[1], "192.168.255.124"),
    ]
}

fn run(words: &str) -> Result<(), Error> {
    let mut parts = words.split(' ');
    let program = parts.next().unwrap_or_default();
    let output = Command::new(program).args(parts).output().map_err(Error::io(words))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(Error::io(format!("{words} (--netns needs root)"))(io::Error::other(said)))
        }
    }
}

/// Run in a node's own mount and host-name namespace: $1 its directory, $2 its name, then its command.
const FURNISH: &str = r#"
place=$1 name=$2; shift 2
mount --make-rprivate /
mount -t tmpfs tmpfs /usr/local
mkdir /usr/local/flume
mount --bind "$place" /usr/local/flume
mount --bind "$place/hosts" /etc/hosts
mount --bind "$place/root" /root
echo "$name" > /proc/sys/kernel/hostname
cd /usr/local/flume/conf
exec "$@"
"#;

/// Set for the program that runs within the namespaces.
const INSIDE: &str = "DRILL_INSIDE_NETNS";

import java.io.File;
import java.net.InetAddress;
import java.nio.file.Files;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.minikdc.MiniKdc;
import org.apache.hadoop.security.UserGroupInformation;

/**
 * `SecuredHdfs DIRECTORY PORT [KEY=VALUE...]`: a Kerberos of the realm EXAMPLE.COM, and an HDFS with one DataNode that wants
 * its tickets. It is asked as `Hdfs` is. In DIRECTORY are then `krb5.conf`, and `flume.keytab` of the user `flume` and
 * of `flume/HOST`, where HOST is this machine's canonical name.
 */
public class SecuredHdfs {
  public static void main(String[] args) throws Exception {
    File directory = new File(args[0]);
    MiniKdc kdc = new MiniKdc(MiniKdc.createConf(), new File(directory, "kdc"));
    kdc.start();
    Files.copy(kdc.getKrb5conf().toPath(), new File(directory, "krb5.conf").toPath());
    File own = new File(directory, "hdfs.keytab");
    kdc.createPrincipal(own, "hdfs/localhost", "HTTP/localhost");
    String host = InetAddress.getLocalHost().getCanonicalHostName().toLowerCase(Locale.ROOT);
    kdc.createPrincipal(new File(directory, "flume.keytab"), "flume", "flume/" + host);
    Configuration conf = new HdfsConfiguration();
    conf.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, new File(directory, "data").getPath());
    conf.set("hadoop.security.authentication", "kerberos");
    for (String node : new String[] {"namenode", "datanode"}) {
      conf.set("dfs." + node + ".kerberos.principal", "hdfs/localhost@EXAMPLE.COM");
      conf.set("dfs." + node + ".keytab.file", own.getPath());
    }
    conf.set("dfs.web.authentication.kerberos.principal", "HTTP/localhost@EXAMPLE.COM");
    conf.set("dfs.web.authentication.kerberos.keytab", own.getPath());
    conf.set("dfs.block.access.token.enable", "true");
    conf.set("ignore.secure.ports.for.testing", "true"); // else its pages need TLS
    conf.set("dfs.replication", "1");
    for (int at = 2; at < args.length; at++) {
      String[] pair = args[at].split("=", 2);
      conf.set(pair[0], pair[1]);
    }
    UserGroupInformation.setConfiguration(conf);
    Hdfs.serve(conf, true, Integer.parseInt(args[1]), 1);
  }
}

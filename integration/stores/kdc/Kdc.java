import java.io.File;
import java.nio.file.Files;
import java.util.Arrays;
import org.apache.hadoop.minikdc.MiniKdc;

/**
 * `Kdc DIRECTORY NAME...`: a Kerberos of the realm EXAMPLE.COM, with a user of each name. In DIRECTORY are then `krb5.conf`, and
 * `all.keytab` with the keys of all of them. It ends with its input.
 */
public class Kdc {
  public static void main(String[] args) throws Exception {
    File directory = new File(args[0]);
    MiniKdc kdc = new MiniKdc(MiniKdc.createConf(), new File(directory, "kdc"));
    kdc.start();
    Files.copy(kdc.getKrb5conf().toPath(), new File(directory, "krb5.conf").toPath());
    kdc.createPrincipal(new File(directory, "all.keytab"), Arrays.copyOfRange(args, 1, args.length));
    System.out.println("UP");
    while (System.in.read() >= 0) { }
    kdc.stop();
  }
}

import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.ha.HAServiceProtocol.RequestSource;
import org.apache.hadoop.ha.HAServiceProtocol.StateChangeRequestInfo;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.server.datanode.DataNode;
import org.apache.hadoop.hdfs.server.namenode.NameNode;
import org.apache.hadoop.hdfs.tools.NNHAServiceTarget;
import org.apache.hadoop.metrics2.lib.DefaultMetricsSystem;

/**
 * A part of a name service `ns1` with the NameNodes `nn1` and `nn2`, each in a process of its own, so that one can be stopped
 * alone. Its configuration is on the class path. It says UP when it serves.
 *   `NameService DIRECTORY nn1`      one of the NameNodes; without its files it takes the other's, or formats
 *   `NameService DIRECTORY datanode` a DataNode, which also answers commands as `Hdfs` does:
 *     active NN                      this NameNode serves from now on
 *     get FROM TO                    as of `Hdfs`
 */
public class NameService {
  public static void main(String[] args) throws Exception {
    DefaultMetricsSystem.setMiniClusterMode(true); // a process that formats and then serves
    HdfsConfiguration conf = new HdfsConfiguration();
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    if (!args[1].equals("datanode")) {
      nameNode(conf, args[0], args[1]);
      System.out.println("UP");
      while (input.readLine() != null) {}
      System.exit(0); // whoever started it is gone
    }
    DataNode.createDataNode(new String[0], conf);
    DistributedFileSystem files = null;
    System.out.println("UP");
    for (String line; (line = input.readLine()) != null; ) {
      String[] word = line.split(" ");
      try {
        switch (word[0]) {
          case "active":
            new NNHAServiceTarget(conf, "ns1", word[1]).getProxy(conf, 30_000)
                .transitionToActive(new StateChangeRequestInfo(RequestSource.REQUEST_BY_USER));
            // Its client would ask the other one first, which may be frozen.
            HdfsConfiguration one = new HdfsConfiguration(conf);
            one.set("dfs.ha.namenodes.ns1", word[1]);
            files = (DistributedFileSystem) FileSystem.newInstance(new URI("hdfs://ns1"), one);
            break;
          case "get": Hdfs.get(files, new org.apache.hadoop.fs.Path(word[1]), new File(word[2])); break;
          default: throw new IllegalArgumentException(line);
        }
        System.out.println("DONE");
      } catch (Throwable error) {
        System.out.println("FAILED " + error);
      }
      System.out.flush();
    }
    System.exit(0);
  }

  private static void nameNode(HdfsConfiguration conf, String directory, String id) throws Exception {
    Path own = Path.of(directory, id), other = Path.of(directory, id.equals("nn1") ? "nn2" : "nn1");
    conf.set("dfs.ha.namenode.id", id);
    conf.set("dfs.namenode.name.dir", own.toUri().toString());
    if (!Files.exists(own) && Files.exists(other)) {
      copy(other, own);
    } else if (!Files.exists(own)) {
      NameNode.format(conf);
    }
    NameNode.createNameNode(new String[0], conf);
  }

  private static void copy(Path from, Path to) throws Exception {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : (Iterable<Path>) all::iterator) {
        if (!path.endsWith("in_use.lock")) Files.copy(path, to.resolve(from.relativize(path)));
      }
    }
  }
}

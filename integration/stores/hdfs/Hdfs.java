import java.io.BufferedReader;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.protocol.HdfsConstants.DatanodeReportType;
import org.apache.hadoop.io.SequenceFile;
import org.apache.hadoop.io.Writable;

/**
 * `Hdfs DIRECTORY PORT DATANODES [KEY=VALUE...]`: an HDFS in one process, which says UP when it serves. With a DIRECTORY of an
 * earlier one it goes on with its files. Then a command in each line of its input, answered by lines that end with DONE or FAILED:
 *   killdn N, startdn          a DataNode is stopped; it is started again
 *   nodes                      how many DataNodes have come to it
 *   get FROM TO                all below FROM, read by Hadoop's own client, is written to the local directory TO; files that
 *                              are open are told
 *   more PATH                  the whole lines of all files below PATH that have come since the last such command, with the file
 *   seq PATH                   the records of a sequence file, read by Hadoop's own reader
 *   mkdir PATH OWNER           makes a directory that is its owner's alone to write in
 *   owners PATH                who has written the files below PATH
 */
public class Hdfs {
  public static void main(String[] args) throws Exception {
    Configuration conf = new Configuration();
    conf.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, args[0]);
    conf.setBoolean("dfs.permissions.enabled", false);
    conf.set("dfs.replication", "1");
    for (int at = 3; at < args.length; at++) {
      String[] pair = args[at].split("=", 2);
      conf.set(pair[0], pair[1]);
    }
    serve(conf, !new File(args[0]).exists(), Integer.parseInt(args[1]), Integer.parseInt(args[2]));
  }

  static void serve(Configuration conf, boolean anew, int port, int dataNodes) throws Exception {
    MiniDFSCluster cluster = new MiniDFSCluster.Builder(conf).numDataNodes(dataNodes)
        .nameNodePort(port).checkDataNodeAddrConfig(false).format(anew).build();
    cluster.waitActive();
    DistributedFileSystem files =
        (DistributedFileSystem) FileSystem.get(cluster.getURI(), conf);
    System.out.println("UP");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    MiniDFSCluster.DataNodeProperties stopped = null;
    Map<String, Long> read = new HashMap<>();
    for (String line; (line = input.readLine()) != null; ) {
      String[] word = line.split(" ");
      try {
        switch (word[0]) {
          case "killdn": stopped = cluster.stopDataNode(Integer.parseInt(word[1])); break;
          case "startdn": cluster.restartDataNode(stopped, true); cluster.waitActive(); break;
          case "nodes": System.out.println(files.getDataNodeStats(DatanodeReportType.LIVE).length); break;
          case "get": get(files, new Path(word[1]), new File(word[2])); break;
          case "more": more(files, new Path(word[1]), read); break;
          case "mkdir": {
            Path made = new Path(word[1]);
            files.mkdirs(made);
            files.setOwner(made, word[2], word[2]);
            break;
          }
          case "owners":
            for (RemoteIterator<LocatedFileStatus> all = files.listFiles(new Path(word[1]), true); all.hasNext(); ) {
              System.out.println(all.next().getOwner());
            }
            break;
          case "seq": sequence(conf, files.makeQualified(new Path(word[1]))); break;
          default: throw new IllegalArgumentException(line);
        }
        System.out.println("DONE");
      } catch (Throwable error) {
        System.out.println("FAILED " + error);
      }
      System.out.flush();
    }
    System.exit(0); // whoever started it is gone
  }

  /** A file that is renamed in another way meanwhile is missed: then all of it is done again. */
  static void get(DistributedFileSystem files, Path from, File to) throws Exception {
    for (int tries = 0; tries < 20; tries++) {
      try {
        StringBuilder open = new StringBuilder();
        once(files, from, to, open);
        System.out.print(open);
        return;
      } catch (FileNotFoundException renamed) {
        FileUtil.fullyDeleteContents(to);
      }
    }
    throw new IllegalStateException("files are renamed all the time");
  }

  private static void once(DistributedFileSystem files, Path from, File to, StringBuilder open) throws Exception {
    if (!files.exists(from)) return;
    for (RemoteIterator<LocatedFileStatus> all = files.listFiles(from, true); all.hasNext(); ) {
      String name = all.next().getPath().toUri().getPath();
      try {
        one(files, name, to, open);
      } catch (FileNotFoundException renamed) {
        if (complete(name).equals(name)) throw renamed;
        one(files, complete(name), to, open);
      }
    }
  }

  /** The name that a file gets when it is complete. */
  private static String complete(String name) {
    return name.replaceFirst("\\.tmp$", "");
  }

  private static void one(DistributedFileSystem files, String name, File to, StringBuilder open) throws Exception {
    Path path = new Path(name);
    boolean isOpen = !files.isFileClosed(path);
    File target = new File(to, name);
    target.getParentFile().mkdirs();
    try (java.io.InputStream in = files.open(path); java.io.OutputStream out = new java.io.FileOutputStream(target)) {
      in.transferTo(out);
    } catch (FileNotFoundException renamed) {
      throw renamed;
    } catch (IOException unreadable) {
      if (files.isFileClosed(path)) throw unreadable; // else its DataNode is gone for the moment
    }
    if (isOpen) open.append("open ").append(name).append('\n');
  }

  /** A file that gets its name meanwhile is read on under the new one. */
  private static void more(DistributedFileSystem files, Path from, Map<String, Long> read) throws Exception {
    if (!files.exists(from)) return;
    StringBuilder lines = new StringBuilder();
    for (RemoteIterator<LocatedFileStatus> all = files.listFiles(from, true); all.hasNext(); ) {
      Path path = all.next().getPath();
      String name = complete(path.toUri().getPath());
      if (name.endsWith(".cut")) continue; // a copy of what is read already
      try (FSDataInputStream in = files.open(path)) {
        long at = read.getOrDefault(name, 0L);
        in.seek(at);
        byte[] bytes = in.readAllBytes();
        int end = bytes.length;
        while (end > 0 && bytes[end - 1] != '\n') end--;
        String text = new String(bytes, 0, end, StandardCharsets.UTF_8);
        text.lines().forEach(line -> lines.append(name).append(' ').append(line).append('\n'));
        read.put(name, at + end);
      } catch (IOException away) {
        // it has another name by now, is shorter than before, or its DataNode is gone for the moment
      }
    }
    System.out.print(lines);
  }

  private static void sequence(Configuration conf, Path path) throws Exception {
    try (SequenceFile.Reader reader = new SequenceFile.Reader(conf, SequenceFile.Reader.file(path))) {
      Writable key = (Writable) reader.getKeyClass().getDeclaredConstructor().newInstance();
      Writable value = (Writable) reader.getValueClass().getDeclaredConstructor().newInstance();
      while (reader.next(key, value)) System.out.println(key + "\t" + value);
    }
  }
}

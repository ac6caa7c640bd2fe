import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hbase.Cell;
import org.apache.hadoop.hbase.CellUtil;
import org.apache.hadoop.hbase.HBaseConfiguration;
import org.apache.hadoop.hbase.TableName;
import org.apache.hadoop.hbase.client.Admin;
import org.apache.hadoop.hbase.client.ColumnFamilyDescriptorBuilder;
import org.apache.hadoop.hbase.client.Connection;
import org.apache.hadoop.hbase.client.ConnectionFactory;
import org.apache.hadoop.hbase.client.Get;
import org.apache.hadoop.hbase.client.Result;
import org.apache.hadoop.hbase.client.ResultScanner;
import org.apache.hadoop.hbase.client.Scan;
import org.apache.hadoop.hbase.client.Table;
import org.apache.hadoop.hbase.client.TableDescriptorBuilder;
import org.apache.hadoop.hbase.util.Bytes;

/** Says UP, and does what its standard input says, a command a line, with HBase's own client; says DONE or FAILED behind each. */
public class HbaseAdmin {
    public static void main(String[] words) throws Exception {
        Configuration configuration = HBaseConfiguration.create();
        configuration.set("hbase.zookeeper.quorum", "127.0.0.1");
        configuration.set("hbase.zookeeper.property.clientPort", words[0]);
        configuration.set("hbase.client.pause", "50");
        System.out.println("UP");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try (Connection connection = ConnectionFactory.createConnection(configuration)) {
                act(connection, line.split(" "));
                System.out.println("DONE");
            } catch (Exception error) {
                System.out.println("FAILED " + error.toString().replace('\n', ' '));
            }
        }
    }

    private static void act(Connection connection, String[] words) throws Exception {
        Admin admin = connection.getAdmin();
        TableName table = TableName.valueOf(words[1]);
        switch (words[0]) {
            case "create": // TABLE FAMILY SPLIT...
                byte[][] splits = Arrays.stream(words).skip(3).map(Bytes::toBytes).toArray(byte[][]::new);
                TableDescriptorBuilder made = TableDescriptorBuilder.newBuilder(table);
                made.setColumnFamily(ColumnFamilyDescriptorBuilder.of(words[2]));
                admin.createTable(made.build(), splits.length == 0 ? null : splits);
                break;
            case "family":
                admin.addColumnFamily(table, ColumnFamilyDescriptorBuilder.of(words[2]));
                break;
            case "disable":
                admin.disableTable(table);
                break;
            case "enable":
                admin.enableTable(table);
                break;
            case "split":
                admin.splitRegionAsync(admin.getRegions(table).get(0).getRegionName(), Bytes.toBytes(words[2])).get();
                break;
            case "get": // TABLE ROW FAMILY COLUMN, a counter; nothing where there is none
                try (Table open = connection.getTable(table)) {
                    byte[] value = open.get(new Get(Bytes.toBytes(words[2])))
                            .getValue(Bytes.toBytes(words[3]), Bytes.toBytes(words[4]));
                    if (value != null) {
                        System.out.println(Bytes.toLong(value));
                    }
                }
                break;
            case "scan": // row, column, value, each as Java prints bytes
                try (Table open = connection.getTable(table); ResultScanner rows = open.getScanner(new Scan().setCaching(5000))) {
                    for (Result row : rows) {
                        for (Cell cell : row.rawCells()) {
                            System.out.println(Bytes.toStringBinary(CellUtil.cloneRow(cell)) + "\t"
                                    + Bytes.toStringBinary(CellUtil.cloneFamily(cell)) + ":"
                                    + Bytes.toStringBinary(CellUtil.cloneQualifier(cell)) + "\t"
                                    + Bytes.toStringBinary(CellUtil.cloneValue(cell)));
                        }
                    }
                }
                break;
            case "events": // of each row its key, its columns as `{HEADERS}` in the order of their names, and the column `body`
                try (Table open = connection.getTable(table)) {
                    events(open, new Scan(), "", new HashSet<>());
                }
                break;
            case "watch": // from now on each event as it comes, in the same way behind `NEWS `, between other lines
                Thread watcher = new Thread(() -> watch(connection.getConfiguration(), table));
                watcher.setDaemon(true);
                watcher.start();
                break;
            default:
                throw new IllegalArgumentException(words[0]);
        }
    }

    /** Prints those whose keys are not in `seen`; tells the latest time at which the server has written one. */
    private static long events(Table table, Scan scan, String before, Set<String> seen) throws IOException {
        long latest = 0;
        try (ResultScanner rows = table.getScanner(scan.setCaching(5000))) {
            for (Result row : rows) {
                latest = Math.max(latest, row.rawCells()[0].getTimestamp());
                String key = Bytes.toString(row.getRow());
                if (!seen.add(key)) {
                    continue;
                }
                Map<String, String> columns = new TreeMap<>();
                for (Cell cell : row.rawCells()) {
                    columns.put(Bytes.toString(CellUtil.cloneQualifier(cell)), Bytes.toString(CellUtil.cloneValue(cell)));
                }
                String body = columns.remove("body");
                System.out.println(before + key + " " + columns + " " + body);
            }
        }
        return latest;
    }

    /** Keys begin with the time at which they were made: what is older than a minute does not come any more. */
    private static void watch(Configuration configuration, TableName table) {
        Configuration impatient = new Configuration(configuration);
        impatient.setInt("hbase.client.retries.number", 1);
        impatient.setInt("zookeeper.recovery.retry", 0);
        for (String what : new String[] {"rpc.timeout", "client.operation.timeout", "client.meta.operation.timeout",
                "client.scanner.timeout.period"}) {
            impatient.setInt("hbase." + what, 3000);
        }
        Set<String> seen = new HashSet<>();
        long latest = 0;
        while (true) {
            try (Connection connection = ConnectionFactory.createConnection(impatient); Table open = connection.getTable(table)) {
                while (true) {
                    Scan scan = new Scan().withStartRow(Bytes.toBytes(String.format("%013d", Math.max(0, latest - 60_000))));
                    scan.setTimeRange(Math.max(0, latest - 2_000), Long.MAX_VALUE);
                    latest = Math.max(latest, events(open, scan, "NEWS ", seen));
                    Thread.sleep(50);
                }
            } catch (IOException | UncheckedIOException away) {
                // It is asked again.
            } catch (InterruptedException end) {
                return;
            }
        }
    }
}

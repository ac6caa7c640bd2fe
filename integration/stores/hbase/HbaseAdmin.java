import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
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
import org.apache.hadoop.hbase.client.Increment;
import org.apache.hadoop.hbase.client.Put;
import org.apache.hadoop.hbase.client.Result;
import org.apache.hadoop.hbase.client.ResultScanner;
import org.apache.hadoop.hbase.client.Row;
import org.apache.hadoop.hbase.client.Scan;
import org.apache.hadoop.hbase.client.Table;
import org.apache.hadoop.hbase.client.TableDescriptorBuilder;
import org.apache.hadoop.hbase.filter.FirstKeyOnlyFilter;
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
            case "drop":
                admin.disableTable(table);
                admin.deleteTable(table);
                break;
            case "count": // rows of a TABLE
                long counted = 0;
                try (Table open = connection.getTable(table);
                        ResultScanner all = open.getScanner(new Scan().setCaching(5000).setFilter(new FirstKeyOnlyFilter()))) {
                    while (all.next() != null) {
                        counted++;
                    }
                }
                System.out.println(counted);
                break;
            case "counter": // TABLE ROW FAMILY COLUMN TOTAL: from now on what it is whenever that has changed, up to TOTAL
                background(() -> counter(connection.getConfiguration(), words));
                break;
            case "load": // TABLE FAMILY FILE BATCH: a row for each line of a file, counted in `incRow`, so many at a time
                load(connection, table, Bytes.toBytes(words[2]), Path.of(words[3]), Integer.parseInt(words[4]));
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
                background(() -> watch(connection.getConfiguration(), table));
                break;
            default:
                throw new IllegalArgumentException(words[0]);
        }
    }

    private static void background(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
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

    private static void counter(Configuration configuration, String[] words) {
        byte[] family = Bytes.toBytes(words[3]);
        byte[] column = Bytes.toBytes(words[4]);
        long total = Long.parseLong(words[5]);
        try (Connection connection = ConnectionFactory.createConnection(configuration);
                Table table = connection.getTable(TableName.valueOf(words[1]))) {
            Get get = new Get(Bytes.toBytes(words[2])).addColumn(family, column);
            for (long known = 0; known < total; Thread.sleep(5)) {
                byte[] value = table.get(get).getValue(family, column);
                long now = value == null ? 0 : Bytes.toLong(value);
                if (now != known) {
                    System.out.println("NEWS " + now);
                }
                known = now;
            }
        } catch (Exception error) {
            System.out.println("NEWS " + error.toString().replace('\n', ' '));
        }
    }

    private static void load(Connection connection, TableName name, byte[] family, Path file, int most) throws Exception {
        try (Table table = connection.getTable(name); BufferedReader in = Files.newBufferedReader(file)) {
            List<Row> batch = new ArrayList<>();
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                Put put = new Put(Bytes.toBytes("default" + UUID.randomUUID()));
                batch.add(put.addColumn(family, Bytes.toBytes("pCol"), Bytes.toBytes(line)));
                if (batch.size() == most) {
                    write(table, family, batch);
                }
            }
            write(table, family, batch);
        }
    }

    private static void write(Table table, byte[] family, List<Row> batch) throws Exception {
        int rows = batch.size();
        if (rows > 0) {
            batch.add(new Increment(Bytes.toBytes("incRow")).addColumn(family, Bytes.toBytes("iCol"), rows));
            table.batch(batch, new Object[batch.size()]);
            batch.clear();
        }
    }
}

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.storm.Config;
import org.apache.storm.LocalCluster;
import org.apache.storm.StormSubmitter;
import org.apache.storm.kafka.spout.FirstPollOffsetStrategy;
import org.apache.storm.kafka.spout.KafkaSpout;
import org.apache.storm.kafka.spout.KafkaSpoutConfig;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.IRichSpout;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.tuple.Tuple;

/**
 * A Storm cluster in this JVM with one topology, which runs until the JVM is killed or told to end: {@code Lab FILE kafka
 * BROKERS TOPIC}, or {@code Lab FILE shell|all|events COMMAND..}. Its bolt appends each body to FILE as a line, then acknowledges.
 * It fails each tuple whose body has a 7 as the last digit of its 12th byte, the first time that it sees it, and writes it only
 * then. Of {@code all} and {@code events} it fails none; of {@code events} it writes the headers before the body.
 *
 * With {@code -Dstorm.jar=JAR} the topology goes to the cluster of storm.yaml instead, to be run by three workers. Each of its
 * three bolts then has a FILE of its own, with its task's number behind the name.
 */
public class Lab {
    public static class Recorder extends BaseRichBolt {
        private final String file;
        private final String kind;
        private final Set<String> failed = new HashSet<>();
        private transient OutputCollector collector;
        private transient FileOutputStream out;

        Recorder(String file, String kind) {
            this.file = file;
            this.kind = kind;
        }

        @Override
        public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector collector) {
            this.collector = collector;
            String file = context.getComponentTasks(context.getThisComponentId()).size() == 1
                ? this.file : this.file + context.getThisTaskId();
            try {
                cut(file);
                out = new FileOutputStream(file, true);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }

        /** A line without an end, which a kill has cut off, was not acknowledged. */
        private static void cut(String file) throws IOException {
            try (RandomAccessFile all = new RandomAccessFile(file, "rw")) {
                long end = all.length();
                for (; end > 0; end--) {
                    all.seek(end - 1);
                    if (all.read() == '\n') {
                        break;
                    }
                }
                all.setLength(end);
            }
        }

        @Override
        public void execute(Tuple tuple) {
            String body = tuple.getStringByField(kind.equals("kafka") ? "value" : "body");
            if (kind.equals("events")) {
                body = new TreeMap<>((Map<?, ?>) tuple.getValueByField("headers")) + " " + body;
            } else if (!kind.equals("all") && body.length() >= 12 && body.charAt(11) == '7' && failed.add(body)) {
                collector.fail(tuple);
                return;
            }
            try {
                out.write((body + "\n").getBytes(StandardCharsets.UTF_8));
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
            collector.ack(tuple);
        }

        @Override
        public void declareOutputFields(OutputFieldsDeclarer declarer) {}
    }

    private static IRichSpout spout(String[] args) {
        String[] rest = Arrays.copyOfRange(args, 2, args.length);
        if (!args[1].equals("kafka")) {
            return new FlumeSpout(rest);
        }
        return new KafkaSpout<>(KafkaSpoutConfig.builder(rest[0], rest[1])
            .setProp("group.id", "storm")
            .setFirstPollOffsetStrategy(FirstPollOffsetStrategy.UNCOMMITTED_EARLIEST)
            .setOffsetCommitPeriodMs(500)
            .build());
    }

    public static void main(String[] args) throws Exception {
        int workers = System.getProperty("storm.jar") == null ? 1 : 3;
        TopologyBuilder builder = new TopologyBuilder();
        builder.setSpout("spout", spout(args), 1);
        builder.setBolt("recorder", new Recorder(args[0], args[1]), workers).shuffleGrouping("spout");
        Config config = new Config();
        config.setNumWorkers(workers);
        config.setMessageTimeoutSecs(10);
        if (workers > 1) {
            StormSubmitter.submitTopology("lab", config, builder.createTopology());
            return;
        }
        LocalCluster cluster = new LocalCluster();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                cluster.close(); // it closes the spout
                Runtime.getRuntime().halt(0);
            } catch (Exception error) {
                error.printStackTrace();
            }
        }));
        cluster.submitTopology("lab", config, builder.createTopology());
        System.out.println("submitted");
        Thread.currentThread().join();
    }
}

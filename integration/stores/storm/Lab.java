import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.storm.Config;
import org.apache.storm.LocalCluster;
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
 * A Storm cluster in this JVM with one topology, which runs until the JVM is killed: {@code Lab FILE kafka BROKERS TOPIC} or
 * {@code Lab FILE shell COMMAND..}. Its bolt appends each body to FILE as a line, then acknowledges. It fails each tuple whose
 * body has a 7 as the last digit of its 12th byte, the first time that it sees it, and writes it only then.
 */
public class Lab {
    public static class Recorder extends BaseRichBolt {
        private final String file;
        private final String field;
        private final Set<String> failed = new HashSet<>();
        private transient OutputCollector collector;
        private transient FileOutputStream out;

        Recorder(String file, String field) {
            this.file = file;
            this.field = field;
        }

        @Override
        public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector collector) {
            this.collector = collector;
            try {
                out = new FileOutputStream(file, true);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }

        @Override
        public void execute(Tuple tuple) {
            String body = tuple.getStringByField(field);
            if (body.length() >= 12 && body.charAt(11) == '7' && failed.add(body)) {
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
        if (args[1].equals("shell")) {
            return new FlumeSpout(rest);
        }
        return new KafkaSpout<>(KafkaSpoutConfig.builder(rest[0], rest[1])
            .setProp("group.id", "storm")
            .setFirstPollOffsetStrategy(FirstPollOffsetStrategy.UNCOMMITTED_EARLIEST)
            .setOffsetCommitPeriodMs(500)
            .build());
    }

    public static void main(String[] args) throws Exception {
        TopologyBuilder builder = new TopologyBuilder();
        builder.setSpout("spout", spout(args), 1);
        String field = args[1].equals("shell") ? "body" : "value";
        builder.setBolt("recorder", new Recorder(args[0], field), 1).shuffleGrouping("spout");
        Config config = new Config();
        config.setNumWorkers(1);
        config.setMessageTimeoutSecs(10);
        LocalCluster cluster = new LocalCluster();
        cluster.submitTopology("lab", config, builder.createTopology());
        System.out.println("submitted");
        Thread.currentThread().join();
    }
}

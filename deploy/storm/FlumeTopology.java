import java.util.Arrays;
import java.util.Map;
import org.apache.storm.Config;
import org.apache.storm.StormSubmitter;
import org.apache.storm.task.OutputCollector;
import org.apache.storm.task.TopologyContext;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.topology.TopologyBuilder;
import org.apache.storm.topology.base.BaseRichBolt;
import org.apache.storm.tuple.Tuple;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A topology to start from: {@code storm jar flume-topology.jar FlumeTopology NAME PROGRAM storm-spout -n a1 -f FILE}. */
public class FlumeTopology {
    /** Your work goes here. A tuple that is never acknowledged, or fails, comes again. */
    public static class PrintBolt extends BaseRichBolt {
        private static final Logger LOG = LoggerFactory.getLogger(PrintBolt.class);
        private OutputCollector collector;

        @Override
        public void prepare(Map<String, Object> conf, TopologyContext context, OutputCollector collector) {
            this.collector = collector;
        }

        @Override
        public void execute(Tuple tuple) {
            LOG.info("{} {}", tuple.getValueByField("headers"), tuple.getStringByField("body"));
            collector.ack(tuple);
        }

        @Override
        public void declareOutputFields(OutputFieldsDeclarer declarer) {}
    }

    public static void main(String[] args) throws Exception {
        TopologyBuilder builder = new TopologyBuilder();
        // One process on a host can listen at the port: one spout.
        builder.setSpout("flume", new FlumeSpout(Arrays.copyOfRange(args, 1, args.length)), 1);
        builder.setBolt("print", new PrintBolt(), 2).shuffleGrouping("flume");
        Config config = new Config();
        config.setNumWorkers(1);
        StormSubmitter.submitTopology(args[0], config, builder.createTopology());
    }
}

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.apache.storm.Config;
import org.apache.storm.spout.ShellSpout;
import org.apache.storm.topology.IRichSpout;
import org.apache.storm.topology.OutputFieldsDeclarer;
import org.apache.storm.tuple.Fields;
import org.apache.storm.tuple.Tuple;

/**
 * A spout that is an Avro source to Flume agents: the program is started by its worker and speaks Storm's multilang protocol.
 * Its command is that of an agent or a collector: {@code collector storm-spout -n a1 -f FILE}.
 */
public class FlumeSpout extends ShellSpout implements IRichSpout {
    /** The headers (a map), the body (text), and how the body is written: utf-8, or base64 when it is not UTF-8. */
    public static final Fields FIELDS = new Fields("headers", "body", "encoding");

    public FlumeSpout(String... command) {
        super(command);
        changeChildCWD(false);
    }

    @Override
    public void declareOutputFields(OutputFieldsDeclarer declarer) {
        declarer.declare(FIELDS);
    }

    @Override
    public Map<String, Object> getComponentConfiguration() {
        // Headers may go to another worker, and come as this map.
        return Map.of(Config.TOPOLOGY_KRYO_REGISTER, List.of("org.apache.storm.shade.net.minidev.json.JSONObject"));
    }

    /** The bytes of an event's body. */
    public static byte[] body(Tuple tuple) {
        String body = tuple.getStringByField("body");
        boolean text = tuple.getStringByField("encoding").equals("utf-8");
        return text ? body.getBytes(StandardCharsets.UTF_8) : Base64.getDecoder().decode(body);
    }
}

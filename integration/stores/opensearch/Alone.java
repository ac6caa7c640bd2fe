import java.util.List;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/** A node of OpenSearch alone: DIRECTORY HTTP_PORT TRANSPORT_PORT. */
public class Alone {
    static class Plugged extends Node {
        Plugged(Settings settings) {
            super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "alone"),
                List.of(Netty4Plugin.class), true);
        }
    }

    public static void main(String[] words) throws Exception {
        Settings settings = Settings.builder()
            .put("path.home", words[0])
            .put("path.data", words[0] + "/data")
            .put("path.logs", words[0])
            .put("http.port", words[1])
            .put("transport.port", words[2])
            .put("network.host", "127.0.0.1")
            .put("discovery.type", "single-node")
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            .put("cluster.name", "lab")
            .build();
        new Plugged(settings).start();
        System.out.println("UP");
        Thread.sleep(Long.MAX_VALUE);
    }
}

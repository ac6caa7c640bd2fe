import java.util.List;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.transport.Netty4Plugin;

/** A node of Elasticsearch 6 alone: DIRECTORY HTTP_PORT TRANSPORT_PORT. */
public class Alone {
    static class Plugged extends Node {
        Plugged(Settings settings) {
            super(InternalSettingsPreparer.prepareEnvironment(settings, null), List.of(Netty4Plugin.class), true);
        }

        @Override
        protected void registerDerivedNodeNameWithLogger(String name) {}
    }

    public static void main(String[] words) throws Exception {
        Settings settings = Settings.builder()
            .put("path.home", words[0])
            .put("path.data", words[0] + "/data")
            .put("path.logs", words[0])
            .put("http.port", words[1])
            .put("transport.tcp.port", words[2])
            .put("network.host", "127.0.0.1")
            .put("discovery.type", "single-node")
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            .put("cluster.name", "lab")
            .put("node.name", "alone")
            .build();
        new Plugged(settings).start();
        System.out.println("UP");
        Thread.sleep(Long.MAX_VALUE);
    }
}

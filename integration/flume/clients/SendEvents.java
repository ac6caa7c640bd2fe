import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flume.Event;
import org.apache.flume.EventDeliveryException;
import org.apache.flume.FlumeException;
import org.apache.flume.api.RpcClient;
import org.apache.flume.api.RpcClientFactory;
import org.apache.flume.event.EventBuilder;

/**
 * Sends numbered events with the released SDK, as an application does: after a failure it makes a new client and
 * sends the same events again. Arguments: the client's properties file, how many events, how many a call, a name.
 * Event n has the body "name-n" and the headers n and name. A call of one event is an append, not a batch.
 */
public final class SendEvents {
  private static final long PATIENCE_MILLIS = 60_000;

  public static void main(String[] args) throws Exception {
    Properties how = new Properties();
    try (InputStream file = new FileInputStream(args[0])) {
      how.load(file);
    }
    int count = Integer.parseInt(args[1]);
    int batch = Integer.parseInt(args[2]);
    send(how, count, batch, args[3]);
    System.out.println("sent " + count);
    System.exit(0);
  }

  private static void send(Properties how, int count, int batch, String name) throws InterruptedException {
    long giveUp = System.currentTimeMillis() + PATIENCE_MILLIS;
    RpcClient client = null;
    int sent = 0;
    while (sent < count) {
      int until = Math.min(count, sent + batch);
      try {
        if (client == null) {
          client = RpcClientFactory.getInstance(how);
        }
        if (batch == 1) {
          client.append(event(name, sent));
        } else {
          client.appendBatch(events(name, sent, until));
        }
        sent = until;
      } catch (FlumeException | EventDeliveryException failure) {
        System.out.println("again from " + sent + ": " + failure.getMessage());
        close(client);
        client = null;
        if (System.currentTimeMillis() > giveUp) {
          System.out.println("gave up at " + sent);
          System.exit(1);
        }
        Thread.sleep(100);
      }
    }
    close(client);
  }

  private static void close(RpcClient client) {
    try {
      if (client != null) {
        client.close();
      }
    } catch (FlumeException ignored) {
      // A client that failed may fail once more here.
    }
  }

  private static List<Event> events(String name, int from, int until) {
    List<Event> events = new ArrayList<>();
    for (int n = from; n < until; n++) {
      events.add(event(name, n));
    }
    return events;
  }

  private static Event event(String name, int n) {
    Map<String, String> headers = new HashMap<>();
    headers.put("n", Integer.toString(n));
    headers.put("name", name);
    return EventBuilder.withBody(name + "-" + n, StandardCharsets.UTF_8, headers);
  }
}

package org.acme;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.flume.Event;
import org.apache.flume.EventDeliveryException;
import org.apache.flume.FlumeException;
import org.apache.flume.api.AbstractRpcClient;
import org.apache.flume.api.HostInfo;
import org.apache.flume.api.LoadBalancingRpcClient;

/** An operator's client, which sends nothing and writes to the file {@code to}; and his own choice among hosts. */
public class OwnClient extends AbstractRpcClient {
  private String file;

  @Override
  protected void configure(Properties properties) {
    file = properties.getProperty("to");
    write("made by " + System.getProperty("who") + "\n");
  }

  @Override
  public void append(Event event) throws EventDeliveryException {
    appendBatch(Collections.singletonList(event));
  }

  @Override
  public void appendBatch(List<Event> events) throws EventDeliveryException {
    StringBuilder text = new StringBuilder();
    for (Event event : events) {
      Map<String, String> headers = new TreeMap<>(event.getHeaders());
      text.append(headers).append(' ').append(new String(event.getBody())).append('\n');
    }
    write(text.toString());
    if (text.indexOf("refuse") >= 0) {
      throw new EventDeliveryException("it does not want that");
    }
  }

  private void write(String text) {
    try (OutputStream out = new FileOutputStream(file, true)) {
      out.write(text.getBytes());
    } catch (IOException e) {
      throw new FlumeException(e);
    }
  }

  @Override
  public boolean isActive() {
    return true;
  }

  @Override
  public void close() {
    write("closed\n");
  }

  /** All goes to the host that was named last. */
  public static class Last implements LoadBalancingRpcClient.HostSelector {
    private List<HostInfo> hosts = new ArrayList<>();

    @Override
    public void setHosts(List<HostInfo> hosts) {
      this.hosts = hosts;
    }

    @Override
    public java.util.Iterator<HostInfo> createHostIterator() {
      return hosts.subList(hosts.size() - 1, hosts.size()).iterator();
    }

    @Override
    public void informFailure(HostInfo failed) { }
  }
}

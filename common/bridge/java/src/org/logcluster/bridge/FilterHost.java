package org.logcluster.bridge;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.flume.configfilter.ConfigFilter;

/** A config filter: it answers a key with a value. Configured and asked as Flume does it while it reads a configuration. */
final class FilterHost extends Host {
  private final ExecutorService questions;
  private volatile ConfigFilter filter;

  FilterHost(Bridge bridge, int id, String name) {
    super(bridge, id, "config filter", name);
    questions = Executors.newSingleThreadExecutor(threads("filter-" + name));
  }

  @Override
  void create(Description description) throws Throwable {
    Map<String, String> properties = new HashMap<>(description.properties);
    properties.remove("type");
    ConfigFilter made = (ConfigFilter) Class.forName(description.type).getDeclaredConstructor().newInstance();
    made.setName(name);
    made.initializeWithConfiguration(properties);
    filter = made;
    created(made, -1, "config filter");
  }

  @Override
  void start() { }

  @Override
  void stop() { }

  @Override
  void frame(FrameReader frame) {
    if (frame.type() == Protocol.QUESTION) {
      String key = frame.text();
      questions.execute(() -> answer(key));
    }
  }

  private void answer(String key) {
    try {
      String word = filter.filter(key);
      send(Protocol.WORD, new FrameWriter().number(word == null ? 0 : 1).text(word == null ? "" : word));
    } catch (Throwable failure) {
      send(Protocol.ERROR, Failure.write(new FrameWriter().text("call 0"), failure));
    }
  }
}

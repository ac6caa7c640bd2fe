package org.logcluster.bridge;

import java.lang.reflect.InvocationTargetException;
import org.apache.flume.Context;
import org.apache.flume.instrumentation.MonitorService;

/**
 * Shows the counters of native components as MBeans, and runs an operator's monitor, which reads them. Without a class
 * there are the MBeans alone, for JMX clients.
 */
final class MonitorHost extends Host {
  private final Mirror mirror;
  private MonitorService monitor;

  MonitorHost(Bridge bridge, int id, String name) {
    super(bridge, id, "monitor", name);
    mirror = new Mirror(this);
  }

  /** As Flume's Application does it. */
  @Override
  void create(Description description) throws Throwable {
    if (!description.type.isEmpty()) {
      Object made = made(description.type);
      if (!(made instanceof MonitorService)) {
        throw new IllegalArgumentException(
            description.type + " does not implement " + MonitorService.class.getName());
      }
      monitor = (MonitorService) made;
      monitor.configure(new Context(description.properties));
    }
    created(monitor == null ? this : monitor, -1, "monitor");
  }

  private static Object made(String type) throws Throwable {
    try {
      return Class.forName(type).getConstructor().newInstance();
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  @Override
  void start() throws Throwable {
    mirror.settle();
    if (monitor != null) {
      monitor.start();
    }
    send(Protocol.STARTED, new FrameWriter(16));
  }

  @Override
  void stop() {
    try {
      if (monitor != null) {
        monitor.stop();
      }
    } finally {
      mirror.close();
      mirror.clear();
    }
    send(Protocol.STOPPED, new FrameWriter(16));
  }

  @Override
  void abandoned() {
    mirror.close();
  }

  @Override
  void frame(FrameReader frame) {
    if (frame.type() == Protocol.COUNTERS) {
      mirror.take(frame);
    }
  }
}

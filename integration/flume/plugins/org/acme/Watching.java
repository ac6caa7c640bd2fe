package org.acme;

import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.flume.Context;
import org.apache.flume.conf.ConfigurationException;
import org.apache.flume.instrumentation.MonitorService;
import org.apache.flume.instrumentation.util.JMXPollUtil;

/** An operator's monitor: writes all counters to a file, again and again, and at its end to another one. */
public class Watching implements MonitorService {
  private final ScheduledExecutorService beat = Executors.newSingleThreadScheduledExecutor();
  private String file;
  private String type;
  private String mode;

  @Override
  public void configure(Context context) {
    file = context.getString("file");
    type = context.getString("type");
    mode = context.getString("mode", "");
    if (file == null) {
      throw new ConfigurationException("file is not set");
    }
  }

  @Override
  public void start() {
    if (mode.equals("exit")) {
      System.exit(7);
    }
    beat.scheduleWithFixedDelay(() -> write(file), 0, 50, TimeUnit.MILLISECONDS);
  }

  @Override
  public void stop() {
    beat.shutdownNow();
    write(file + ".stopped");
  }

  private void write(String to) {
    StringBuilder text = new StringBuilder("configured as " + type + "\n");
    for (Map.Entry<String, Map<String, String>> bean : new TreeMap<>(JMXPollUtil.getAllMBeans()).entrySet()) {
      for (Map.Entry<String, String> counter : new TreeMap<>(bean.getValue()).entrySet()) {
        text.append(bean.getKey()).append(' ').append(counter.getKey()).append(' ').append(counter.getValue())
            .append('\n');
      }
    }
    try {
      text.append(Beans.lines(ManagementFactory.getPlatformMBeanServer()));
      Path draft = Paths.get(to + ".draft");
      Files.write(draft, text.toString().getBytes(StandardCharsets.UTF_8));
      Files.move(draft, Paths.get(to), StandardCopyOption.ATOMIC_MOVE);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}

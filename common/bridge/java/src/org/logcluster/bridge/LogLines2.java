package org.logcluster.bridge;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.Filter;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.ConfigurationSource;
import org.apache.logging.log4j.core.config.Configurator;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Node;
import org.apache.logging.log4j.core.config.status.StatusConfiguration;
import org.apache.logging.log4j.core.config.xml.XmlConfiguration;
import org.apache.logging.log4j.core.impl.Log4jLogEvent;
import org.apache.logging.log4j.message.SimpleMessage;

/** Log4j 2's side of {@link LogLines}. */
final class LogLines2 implements LogLines.Target {
  private static final Level[] LEVELS = {Level.OFF, Level.FATAL, Level.ERROR, Level.WARN, Level.INFO, Level.DEBUG, Level.TRACE};
  private static final long STOP_MILLIS = 1500;
  /** Who calls log4j in Flume: some layouts print it. */
  private static final String FLUMES = "org.apache.logging.slf4j.Log4jLogger";

  private LoggerContext context;

  @Override
  public void configure(LogLines.Wish wish, PrintStream console) throws IOException {
    new StatusConfiguration(); // what log4j says of itself goes to where System.out leads when this class is loaded
    byte[] text = wish.text.getBytes(StandardCharsets.UTF_8);
    Configuration edited = new Edited(new ConfigurationSource(new ByteArrayInputStream(text)), wish.ours);
    System.setOut(console);
    // As the default one: a class that asks for its logging has this.
    context = Configurator.initialize(LogLines2.class.getClassLoader(), edited);
    if (context == null || context.getConfiguration() != edited) {
      throw new IOException("log4j does not take " + wish.path);
    }
  }

  @Override
  public void setLevel(String logger, String level) {
    Level known = Level.toLevel(level.trim(), null);
    if (known != null) {
      Configurator.setLevel(logger, known);
    }
  }

  @Override
  public void log(LogLines.Line line) {
    LogEvent event = Log4jLogEvent.newBuilder()
        .setLoggerName(line.logger)
        .setLoggerFqcn(FLUMES)
        .setLevel(LEVELS[line.level])
        .setMessage(new SimpleMessage(line.message))
        .setThreadName(line.thread)
        .setTimeMillis(line.millis)
        .setSource(new StackTraceElement(line.type, line.method, line.file, line.number))
        .setIncludeLocation(true)
        .build();
    Configuration configuration = context.getConfiguration();
    LoggerConfig logger = configuration.getLoggerConfig(line.rules);
    // As a Logger asks.
    Filter all = configuration.getFilter();
    Filter.Result asked = all == null ? Filter.Result.NEUTRAL : all.filter(event);
    boolean enabled = logger.getLevel().intLevel() >= event.getLevel().intLevel();
    if (asked == Filter.Result.ACCEPT || asked == Filter.Result.NEUTRAL && enabled) {
      logger.log(event);
    }
  }

  @Override
  public void stop() {
    context.stop(STOP_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** The operator's file, where consoles of the agent's own print nothing and all others are this process's. */
  private static final class Edited extends XmlConfiguration {
    private final List<String> ours;

    Edited(ConfigurationSource source, List<String> ours) {
      super(null, source);
      this.ours = ours;
    }

    @Override
    public void setup() {
      super.setup();
      edit(rootNode);
    }

    private void edit(Node node) {
      List<Node> children = node.getChildren();
      for (int n = 0; n < children.size(); n++) {
        Node child = children.get(n);
        if (!child.getName().equalsIgnoreCase("Console")) {
          edit(child);
          continue;
        }
        Map<String, String> attributes = child.getAttributes();
        String name = getStrSubstitutor().replace(attributes.get("name"));
        if (ours.contains(name) || ours.contains(attributes.get("name"))) { // properties of the file are not read yet
          Node nothing = new Node(node, "Null", pluginManager.getPluginType("Null"));
          nothing.getAttributes().put("name", attributes.get("name"));
          children.set(n, nothing);
        } else {
          attributes.keySet().removeIf(key -> key.equalsIgnoreCase("target") || key.equalsIgnoreCase("follow")
              || key.equalsIgnoreCase("direct"));
          attributes.put("target", "SYSTEM_OUT");
        }
      }
    }
  }
}

package org.logcluster.bridge;

import java.io.PrintStream;
import java.util.Properties;
import org.apache.log4j.Level;
import org.apache.log4j.LogManager;
import org.apache.log4j.Logger;
import org.apache.log4j.PropertyConfigurator;
import org.apache.log4j.spi.LocationInfo;
import org.apache.log4j.spi.LoggingEvent;

/** Log4j 1.2's side of {@link LogLines}. */
final class LogLines1 implements LogLines.Target {
  private static final Level[] LEVELS = {Level.OFF, Level.FATAL, Level.ERROR, Level.WARN, Level.INFO, Level.DEBUG, Level.TRACE};
  private static final String APPENDER = "log4j.appender.";

  @Override
  public void configure(LogLines.Wish wish, PrintStream console) {
    Properties pairs = wish.pairs;
    for (String key : pairs.stringPropertyNames()) {
      String name = key.startsWith(APPENDER) ? key.substring(APPENDER.length()) : "";
      if (wish.ours.contains(name)) {
        clear(pairs, key, "");
        pairs.setProperty(key, "org.apache.log4j.varia.NullAppender");
      } else if (!name.contains(".") && pairs.getProperty(key).trim().equals("org.apache.log4j.ConsoleAppender")) {
        clear(pairs, key, "target");
        clear(pairs, key, "follow");
        pairs.setProperty(key + ".target", "System.out");
      }
    }
    LogManager.getRootLogger(); // reads a file of its own, which has no appender
    System.setOut(console);
    PropertyConfigurator.configure(pairs);
  }

  /** Takes out an option of an appender, or all of them. */
  private static void clear(Properties pairs, String appender, String option) {
    String front = appender + ".";
    pairs.keySet().removeIf(key -> {
      String name = (String) key;
      return name.startsWith(front) && (option.isEmpty() || name.substring(front.length()).equalsIgnoreCase(option));
    });
  }

  @Override
  public void setLevel(String logger, String level) {
    Level known = Level.toLevel(level.trim(), null);
    if (known != null) {
      Logger.getLogger(logger).setLevel(known);
    }
  }

  @Override
  public void log(LogLines.Line line) {
    Logger rules = Logger.getLogger(line.rules);
    Level level = LEVELS[line.level];
    if (rules.getLoggerRepository().isDisabled(level.toInt()) || !level.isGreaterOrEqual(rules.getEffectiveLevel())) {
      return;
    }
    String number = line.number < 0 ? LocationInfo.NA : Integer.toString(line.number);
    LocationInfo place = new LocationInfo(line.file, line.type, line.method, number);
    rules.callAppenders(new LoggingEvent(LogLines1.class.getName(), Logger.getLogger(line.logger), line.millis, level, line.message,
        line.thread, null, null, place, null));
  }

  @Override
  public void stop() {
    LogManager.shutdown();
  }
}

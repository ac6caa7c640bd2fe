package org.logcluster.bridge;

import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.Configuration;
import org.apache.logging.log4j.core.config.LoggerConfig;

/** Log4j 2's side of {@link Logs}. */
final class Log4j2 extends AbstractAppender {
  @SuppressWarnings("deprecation") // the one constructor that all releases have
  private Log4j2() {
    super("bridge", null, null, true);
  }

  static void install(String level) {
    LoggerContext context = (LoggerContext) LogManager.getContext(false);
    Configuration configuration = context.getConfiguration();
    Log4j2 appender = new Log4j2();
    appender.start();
    configuration.addAppender(appender);
    LoggerConfig root = configuration.getRootLogger();
    root.addAppender(appender, null, null);
    for (LoggerConfig logger : configuration.getLoggers().values()) {
      if (logger != root && !logger.isAdditive()) {
        logger.addAppender(appender, null, null);
      }
    }
    if (System.getProperty("log4j2.configurationFile", "").contains("org/logcluster/")) {
      root.setLevel(Level.toLevel(level, Level.INFO));
    }
    context.updateLoggers();
  }

  @Override
  public void append(LogEvent event) {
    Logs.line(event.getLevel().toString(), event.getLoggerName(), event.getThreadName(), event.getTimeMillis(),
        event.getMessage().getFormattedMessage(), event.getThrown());
  }
}

package org.logcluster.bridge;

import org.apache.log4j.AppenderSkeleton;
import org.apache.log4j.Level;
import org.apache.log4j.Logger;
import org.apache.log4j.spi.LoggingEvent;

/** Log4j 1.2's side of {@link Logs}. */
final class Log4j1 extends AppenderSkeleton {
  static void install(String level) {
    Logger root = Logger.getRootLogger();
    if (isOurs()) {
      root.setLevel(Level.toLevel(level, Level.INFO));
    }
    root.addAppender(new Log4j1());
  }

  private static boolean isOurs() {
    return System.getProperty("log4j.configuration", "").startsWith("org/logcluster/");
  }

  @Override
  protected void append(LoggingEvent event) {
    Throwable thrown = event.getThrowableInformation() == null ? null : event.getThrowableInformation().getThrowable();
    Logs.line(event.getLevel().toString(), event.getLoggerName(), event.getThreadName(), event.getTimeStamp(),
        String.valueOf(event.getRenderedMessage()), thrown);
  }

  @Override
  public void close() { }

  @Override
  public boolean requiresLayout() {
    return false;
  }
}

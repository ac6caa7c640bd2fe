package org.acme;

import java.io.FileWriter;
import java.io.IOException;
import java.io.Writer;
import org.apache.log4j.AppenderSkeleton;
import org.apache.log4j.spi.LoggingEvent;

/** An appender of log4j 1.2 of an operator's own: each line behind the system property {@code memo.mark}, in a file. */
public class Memo extends AppenderSkeleton {
  private String path;

  public void setPath(String path) {
    this.path = path;
  }

  @Override
  protected void append(LoggingEvent event) {
    String text = System.getProperty("memo.mark") + " " + event.getLevel() + " [" + event.getThreadName() + "] "
        + event.getLoggerName() + " " + event.getLocationInformation().getMethodName() + " " + event.getRenderedMessage();
    try (Writer file = new FileWriter(path, true)) {
      file.write(text + "\n");
    } catch (IOException failure) {
      errorHandler.error("a memo cannot be written", failure, 0);
    }
  }

  @Override
  public void close() { }

  @Override
  public boolean requiresLayout() {
    return false;
  }
}

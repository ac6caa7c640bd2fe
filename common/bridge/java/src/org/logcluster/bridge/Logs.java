package org.logcluster.bridge;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Has the log lines of the class path's own logging (log4j 1.2 up to Flume 1.9, log4j 2 since 1.10) sent as frames. The
 * operator's own configuration file is used when it is named by a system property; else levels are ours, and no file is
 * written.
 */
final class Logs {
  private static final String PLACE = "org/logcluster/bridge/";

  private static volatile Pipe pipe;

  // A line that is logged while a line is sent (it should not be) must not go round for ever.
  private static final ThreadLocal<AtomicBoolean> SENDING = ThreadLocal.withInitial(AtomicBoolean::new);

  private Logs() { }

  static void install(Pipe to, String level) {
    pipe = to;
    if (isThere("org.apache.logging.log4j.core.LoggerContext")) {
      unlessSet("log4j2.configurationFile", "log4j.configurationFile", "classpath:" + PLACE + "log4j2.xml");
      System.setProperty("log4j.configurationFile", System.getProperty("log4j2.configurationFile"));
      attempt("Log4j2", level);
    }
    if (isThere("org.apache.log4j.AppenderSkeleton") && !isOnLog4j2("org.apache.log4j.Logger")) {
      unlessSet("log4j.configuration", "log4j.configuration", PLACE + "log4j.properties");
      attempt("Log4j1", level);
    }
  }

  private static void unlessSet(String property, String otherName, String value) {
    if (System.getProperty(property) == null) {
      String other = System.getProperty(otherName);
      System.setProperty(property, other == null ? value : other);
    }
  }

  private static boolean isThere(String name) {
    try {
      Class.forName(name, false, Logs.class.getClassLoader());
      return true;
    } catch (Throwable t) {
      return false;
    }
  }

  /**
   * Whether log4j 1.2's classes are those of log4j-1.2-api, which Flume ships since 1.10: they log through log4j 2, and
   * each line would come twice.
   */
  private static boolean isOnLog4j2(String name) {
    try {
      return Class.forName(name).getProtectionDomain().getCodeSource().getLocation()
          .equals(Class.forName("org.apache.log4j.bridge.AppenderAdapter").getProtectionDomain().getCodeSource()
              .getLocation());
    } catch (Throwable t) {
      return false;
    }
  }

  /** By name, so that a class path without that logging never loads the class. */
  private static void attempt(String name, String level) {
    try {
      Class<?> which = Class.forName("org.logcluster.bridge." + name);
      which.getDeclaredMethod("install", String.class).invoke(null, level);
    } catch (Throwable failure) {
      System.err.println("org.logcluster.bridge: log lines of " + name + " cannot be had: " + failure);
    }
  }

  static void line(String level, String logger, String thread, long millis, String message, Throwable thrown) {
    AtomicBoolean sending = SENDING.get();
    if (!sending.compareAndSet(false, true)) {
      return;
    }
    try {
      String stack = thrown == null ? "" : Failure.stack(thrown);
      FrameWriter frame = new FrameWriter().texts(level, logger, thread, Failure.cut(message), stack).number(millis);
      pipe.send(Protocol.LOG, 0, frame);
    } catch (Throwable nobodyListens) {
      System.err.println(level + " " + logger + " " + message);
    } finally {
      sending.set(false);
    }
  }
}

package org.logcluster.bridge;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/**
 * Has log4j write the log lines of a native agent, as the operator's file says: a process of its own, with the class path of Flume.
 * Frames come on the first pipe that is named and go to the second one, each a length and as many bytes:
 *
 * <ul>
 *   <li>in: the wish, texts behind their lengths (1 or 2 for which log4j; the file's name and its text; then, each behind how many
 *       they are, names of appenders that are the agent's own, pairs of a file of log4j 1.2, pairs of system properties, levels of loggers); out:
 *       {@code R}.
 *   <li>then in: log lines, see {@link Line}; out: {@code T} when log4j has taken all of them, and before, each second at most,
 *       {@code P} and int32 how many are done.
 *   <li>out, at any time: {@code C} and what an appender of the console prints.
 *   <li>in the place of {@code R}: {@code E} and why there is no log4j.
 * </ul>
 *
 * <p>Properties come in a frame since a command line is for all users of the host to see. What log4j says of itself goes to standard
 * error. The end of the first pipe ends log4j and this process.
 */
public final class LogLines {
  /** Exit status when log4j does not end by itself. */
  private static final int HANGS = 3;
  /** Exit status when this class does not work. */
  private static final int FAILED = 1;
  private static final long SECOND_NANOS = 1_000_000_000;
  private static final long FAREWELL_MILLIS = 5000;
  /** More than the longest line that the agent keeps. */
  private static final int MOST_BYTES = 8 << 20;
  private static final String PLACE = "org/logcluster/bridge/";
  private static final byte[] END = {};

  private final Frames frames;

  private LogLines(Frames frames) {
    this.frames = frames;
  }

  /** One of the two. */
  interface Target {
    /** Reads the file. {@code console} is where appenders of the console print. */
    void configure(Wish wish, PrintStream console) throws Exception;

    /** What is no level has no effect: the agent has told of it. */
    void setLevel(String logger, String level);

    void log(Line line);

    void stop();
  }

  /** See the class. */
  static final class Wish {
    final String which;
    final String path;
    final String text;
    final List<String> ours = new ArrayList<>();
    final Properties pairs = new Properties();
    private final Properties system = new Properties();
    private final Properties levels = new Properties();

    Wish(byte[] frame) {
      ByteBuffer rest = ByteBuffer.wrap(frame);
      which = text(rest);
      path = text(rest);
      text = text(rest);
      for (int left = rest.getInt(); left > 0; left--) {
        ours.add(text(rest));
      }
      fill(pairs, rest);
      fill(system, rest);
      fill(levels, rest);
    }

    private static void fill(Properties pairs, ByteBuffer from) {
      for (int left = from.getInt(); left > 0; left--) {
        String name = text(from);
        pairs.setProperty(name, text(from));
      }
    }
  }

  /**
   * A log line: int64 milliseconds since 1970, byte level (1 is FATAL, 6 TRACE), int32 line or -1, and texts behind their lengths: whose
   * rules count, the logger's name, thread, class, method, file, message.
   */
  static final class Line {
    final long millis;
    final int level;
    final int number;
    final String rules;
    final String logger;
    final String thread;
    final String type;
    final String method;
    final String file;
    final String message;

    Line(ByteBuffer from) {
      millis = from.getLong();
      level = from.get();
      number = from.getInt();
      rules = text(from);
      logger = text(from);
      thread = text(from);
      type = text(from);
      method = text(from);
      file = text(from);
      message = text(from);
    }
  }

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    System.setOut(System.err);
    LogLines lines = new LogLines(new Frames(arguments[1]));
    lines.frames.read(arguments[0], MOST_BYTES, lines::end);
    int status = FAILED;
    try {
      lines.run();
      status = 0;
    } catch (Throwable failure) {
      endLater();
      System.err.println("it ends: " + failure);
    } finally {
      System.exit(status); // an appender may have threads
    }
  }

  /** Also while log4j is at work: an agent that is gone ends this process. */
  private void end() {
    endLater();
    try {
      frames.put(END);
    } catch (InterruptedException nobodyDoes) {
      Runtime.getRuntime().halt(HANGS);
    }
  }

  private static void endLater() {
    Thread ends = new Thread(LogLines::endSoon, "end");
    ends.setDaemon(true);
    ends.start();
  }

  private static void endSoon() {
    try {
      Thread.sleep(FAREWELL_MILLIS);
    } catch (InterruptedException nobodyDoes) {
      // as well
    }
    Runtime.getRuntime().halt(HANGS);
  }

  private void run() throws Exception {
    Target target;
    try {
      target = begin(new Wish(frames.take()));
    } catch (Throwable failure) {
      frames.say('E', failure.toString().getBytes(StandardCharsets.UTF_8));
      frames.take(); // until the agent has read it
      return;
    }
    frames.say('R', END);
    for (byte[] frame = frames.take(); frame != END; frame = frames.take()) {
      logAll(target, ByteBuffer.wrap(frame));
      frames.say('T', END);
    }
    target.stop();
  }

  private void logAll(Target target, ByteBuffer rest) throws IOException {
    long told = System.nanoTime();
    for (int done = 1; rest.hasRemaining(); done++) {
      log(target, new Line(rest));
      long now = System.nanoTime();
      if (now - told >= SECOND_NANOS) {
        frames.say('P', ByteBuffer.allocate(4).putInt(done).array());
        told = now;
      }
    }
  }

  private Target begin(Wish wish) throws Exception {
    for (String name : wish.system.stringPropertyNames()) {
      if (!name.isEmpty()) {
        System.setProperty(name, wish.system.getProperty(name)); // before any class that reads it
      }
    }
    // A class that asks for its logging must not have the operator's file read once more, with its files opened twice.
    System.setProperty("log4j.configuration", PLACE + "log4j.properties");
    System.setProperty("log4j.configurationFile", "classpath:" + PLACE + "log4j2.xml");
    System.setProperty("log4j2.configurationFile", "classpath:" + PLACE + "log4j2.xml");
    // By name, so that a class path without that log4j never loads the class.
    Target target = (Target) Class.forName("org.logcluster.bridge.LogLines" + wish.which).getDeclaredConstructor().newInstance();
    target.configure(wish, new PrintStream(new ConsoleFrames(), false, "UTF-8"));
    System.setOut(System.err);
    for (String name : wish.levels.stringPropertyNames()) {
      target.setLevel(name, wish.levels.getProperty(name));
    }
    return target;
  }

  private static void log(Target target, Line line) {
    try {
      target.log(line);
    } catch (StackOverflowError failure) {
      notWritten(failure);
    } catch (VirtualMachineError failure) {
      throw failure;
    } catch (Throwable failure) {
      notWritten(failure);
    }
  }

  private static void notWritten(Throwable failure) {
    System.err.println("a line is not written: " + failure);
  }

  private static String text(ByteBuffer from) {
    byte[] bytes = new byte[from.getInt()];
    from.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** What an appender prints, a frame each time. */
  private final class ConsoleFrames extends OutputStream {
    private static final int MOST = 1 << 16;

    @Override
    public void write(int one) throws IOException {
      write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
      for (int at = 0; at < length; at += MOST) {
        byte[] part = new byte[Math.min(MOST, length - at)];
        System.arraycopy(bytes, from + at, part, 0, part.length);
        frames.say('C', part);
      }
    }
  }
}

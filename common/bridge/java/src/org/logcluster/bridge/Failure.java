package org.logcluster.bridge;

import java.io.PrintWriter;
import java.io.StringWriter;

/** What the native side is told of a Throwable: class, message, a class that is missing, stack. */
final class Failure {
  private static final int MOST_CHARACTERS = 64 * 1024;

  private Failure() { }

  static FrameWriter write(FrameWriter out, Throwable failure) {
    return out.texts(failure.getClass().getName(), message(failure), missingClass(failure), stack(failure));
  }

  static String message(Throwable failure) {
    try {
      String message = failure.getMessage();
      return message == null ? "" : message;
    } catch (Throwable t) {
      return "";
    }
  }

  static String stack(Throwable failure) {
    StringWriter text = new StringWriter();
    try {
      failure.printStackTrace(new PrintWriter(text));
    } catch (Throwable t) {
      text.write("(no stack: " + t.getClass().getName() + ")");
    }
    return cut(text.toString());
  }

  static String cut(String text) {
    return text.length() <= MOST_CHARACTERS ? text : text.substring(0, MOST_CHARACTERS) + "\n\t... cut\n";
  }

  /** The class that was looked for and not found, with dots, or an empty string. */
  private static String missingClass(Throwable failure) {
    Throwable cause = failure;
    String found = "";
    for (int depth = 0; cause != null && depth < 32; depth++) {
      if (cause instanceof ClassNotFoundException || cause.getClass() == NoClassDefFoundError.class) {
        String message = message(cause).replace('/', '.');
        // "Could not initialize class X" says that X is there and its initialiser has failed.
        if (!message.isEmpty() && message.indexOf(' ') < 0) {
          found = message;
        }
      }
      cause = cause.getCause();
    }
    return found;
  }
}

package org.acme;

import java.util.ArrayList;
import java.util.List;
import org.apache.flume.Context;
import org.apache.flume.Event;
import org.apache.flume.event.EventBuilder;
import org.apache.flume.interceptor.Interceptor;

/** An operator's interceptor. What it does to each event stands in {@code mode}. */
public class Tagging implements Interceptor {
  private final String mode;

  Tagging(String mode) {
    this.mode = mode;
  }

  @Override
  public void initialize() {
    System.out.println("Tagging says this on its output");
  }

  @Override
  public Event intercept(Event event) {
    switch (mode) {
      case "nothing":
        return event;
      case "drop-even":
        return event.getBody()[event.getBody().length - 1] % 2 == 0 ? null : event;
      case "upper":
        event.setBody(new String(event.getBody()).toUpperCase().getBytes());
        return event;
      case "in-place":
        event.getBody()[0] = 'X';
        return event;
      case "exit-at-300":
        if (new String(event.getBody()).equals("300")) {
          System.exit(9);
        }
        return event;
      case "leak":
        Leak.more();
        return event;
      case "raw-header":
        raw(event).put("number", 5);
        raw(event).put("none", null);
        return event;
      case "throw":
        throw new IllegalStateException("cannot take " + new String(event.getBody()));
      case "error":
        throw new NoClassDefFoundError("org/kite/Missing");
      case "hang":
        sleep();
        return event;
      default:
        event.getHeaders().put("tag", mode);
        return event;
    }
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static java.util.Map<Object, Object> raw(Event event) {
    return (java.util.Map) event.getHeaders();
  }

  private static void sleep() {
    try {
      Thread.sleep(3600 * 1000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public List<Event> intercept(List<Event> events) {
    if (mode.equals("null-list")) {
      return null;
    }
    List<Event> left = new ArrayList<>();
    for (Event event : events) {
      Event one = intercept(event);
      if (one != null) {
        left.add(one);
      }
      if (mode.equals("more")) {
        left.add(EventBuilder.withBody("more".getBytes()));
      }
      if (mode.equals("null-in-list")) {
        left.add(null);
      }
    }
    return left;
  }

  @Override
  public void close() { }

  /** Its builder, which a file names. */
  public static class Builder implements Interceptor.Builder {
    private String mode;

    @Override
    public void configure(Context context) {
      mode = context.getString("mode", "seen");
    }

    @Override
    public Interceptor build() {
      return new Tagging(mode);
    }
  }
}

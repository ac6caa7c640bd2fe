package org.logcluster.bridge;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flume.Event;

/**
 * Events of classes of their own, which may be more than headers and a body: what stands behind the bridge and gets them later casts
 * them. They stay here while the native side has a part of the batch that they came with.
 */
final class Kept {
  private static final Set<String> PLAIN = new HashSet<>(Arrays.asList(
      "org.apache.flume.event.SimpleEvent",
      "org.apache.flume.event.JSONEvent",
      "org.apache.flume.channel.file.FlumeEvent",
      "org.apache.flume.channel.jdbc.impl.PersistableEvent"));

  private static final ClassValue<Boolean> IS_PLAIN = new ClassValue<Boolean>() {
    @Override
    protected Boolean computeValue(Class<?> type) {
      return LeasedEvent.class.isAssignableFrom(type) || PLAIN.contains(type.getName());
    }
  };

  /** Classes that have been told about. */
  private static final Set<String> FAILED = ConcurrentHashMap.newKeySet();

  private final Map<Long, Event[]> all = new ConcurrentHashMap<>();
  private final AtomicLong last = new AtomicLong();

  /** Keeps those of {@code events} that are of such a class. Their number; 0 when there are none. */
  long keep(List<? extends Event> events) {
    Event[] objects = null;
    int i = 0;
    for (Event event : events) {
      if (event != null && !IS_PLAIN.get(event.getClass())) {
        if (objects == null) {
          objects = new Event[events.size()];
        }
        objects[i] = event;
      }
      i++;
    }
    if (objects == null) {
      return 0;
    }
    long number = last.incrementAndGet();
    all.put(number, objects);
    return number;
  }

  /** Those of a batch, by their places; null stands for an event that is headers and body. */
  Event[] find(long number, int[] places) {
    Event[] objects = all.get(number);
    Event[] found = new Event[places.length];
    for (int i = 0; objects != null && i < places.length; i++) {
      found[i] = objects[places[i]];
    }
    return found;
  }

  void release(long number) {
    all.remove(number);
  }

  /**
   * The object, with headers and body as they are now. What has not changed is left alone. An object that fails with that stays
   * behind: {@code now} goes on alone.
   */
  static Event dressed(Event object, Event now) {
    try {
      return changed(object, now);
    } catch (Throwable failure) { // of any kind: the class is the operator's
      tell(object.getClass().getName(), failure);
      return now;
    }
  }

  private static void tell(String type, Throwable failure) {
    if (FAILED.add(type)) {
      System.err.println("org.logcluster.bridge: an event of class " + type + " does not take its headers and body ("
          + failure.getClass().getName() + ": " + Failure.message(failure) + "); it goes on as headers and body alone, and so will"
          + " each other one of the class that does not; let its get and set methods work again and again, also in several threads");
    }
  }

  private static Event changed(Event object, Event now) {
    if (!same(object.getHeaders(), now.getHeaders())) {
      object.setHeaders(now.getHeaders());
    }
    byte[] body = object.getBody();
    if (!Arrays.equals(body == null ? new byte[0] : body, now.getBody())) {
      object.setBody(now.getBody());
    }
    return object;
  }

  /** Whether {@code written} is what {@link FrameWriter#headers} makes of {@code map}. */
  private static boolean same(Map<?, ?> map, Map<String, String> written) {
    int left = written.size();
    if (map != null) {
      for (Map.Entry<?, ?> header : map.entrySet()) {
        if (header.getKey() == null || header.getValue() == null) {
          continue;
        }
        if (!header.getValue().toString().equals(written.get(header.getKey().toString()))) {
          return false;
        }
        left--;
      }
    }
    return left == 0;
  }
}

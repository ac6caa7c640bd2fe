package org.logcluster.bridge;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flume.Event;

/** Reads a frame that has come. Used by one thread at a time. */
final class FrameReader {
  final byte[] bytes;
  private int at;
  private Headers last; // neighbours mostly have the same headers
  private Map<String, byte[]> odd;
  private Event[] objects; // of the events that follow, or null
  private int nextObject;

  /** {@code bytes} is a frame without its length. */
  FrameReader(byte[] bytes) {
    this.bytes = bytes;
    this.at = 5;
  }

  int type() {
    return bytes[0] & 0xff;
  }

  int component() {
    int value = 0;
    for (int i = 1; i < 5; i++) {
      value = value << 8 | bytes[i] & 0xff;
    }
    return value;
  }

  long number() {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = bytes[at++];
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value >>> 1 ^ -(value & 1);
      }
    }
  }

  int count() {
    return (int) number();
  }

  String text() {
    int length = count();
    String text = new String(bytes, at, length, StandardCharsets.UTF_8);
    at += length;
    return text;
  }

  List<String> texts() {
    List<String> all = new ArrayList<>();
    for (int left = count(); left > 0; left--) {
      all.add(text());
    }
    return all;
  }

  Map<String, String> map() {
    Map<String, String> map = new HashMap<>();
    for (int left = count(); left > 0; left--) {
      String key = text();
      map.put(key, text());
    }
    return map;
  }

  /** How many events follow. Below zero, which objects they are stands before them. */
  int list(Kept kept) {
    int count = count();
    if (count >= 0) {
      return count;
    }
    long number = number();
    int[] places = new int[-count];
    for (int i = 0; i < places.length; i++) {
      places[i] = count();
    }
    objects = kept.find(number, places);
    return places.length;
  }

  /** The rest of the frame is events behind their {@link #list}: one of them, with a copy of its body. */
  Event event() {
    Headers headers = headers();
    int length = count();
    byte[] body = new byte[length];
    System.arraycopy(bytes, at, body, 0, length);
    at += length;
    LeasedEvent event = new LeasedEvent(headers);
    event.setBody(body);
    Event object = objects == null ? null : objects[nextObject++];
    return object == null ? event : Kept.dressed(object, event);
  }

  List<Event> events(int count) {
    List<Event> events = new ArrayList<>(count);
    while (events.size() < count) {
      events.add(event());
    }
    return events;
  }

  /** Events that know where they came from and copy nothing until they are asked. */
  List<CalledEvent> called() {
    int count = count();
    List<CalledEvent> events = new ArrayList<>(count);
    while (events.size() < count) {
      Headers headers = headers();
      int length = count();
      events.add(new CalledEvent(this, events.size(), headers, at, length));
      at += length;
    }
    return events;
  }

  /** Strings whose bytes were not UTF-8, by identity, with those bytes; or null when there are none. */
  Map<String, byte[]> odd() {
    return odd;
  }

  /** A header map as it stood in the frame. */
  static final class Headers {
    final int from;
    final int to;
    final String[] texts; // keys and values by turns

    Headers(int from, int to, String[] texts) {
      this.from = from;
      this.to = to;
      this.texts = texts;
    }

    Map<String, String> toMap() {
      Map<String, String> map = new HashMap<>();
      for (int i = 0; i < texts.length; i += 2) {
        map.put(texts[i], texts[i + 1]);
      }
      return map;
    }

    /** Whether {@code map} still is what {@link #toMap} gave. */
    boolean isStill(Map<String, String> map) {
      if (map.size() * 2 != texts.length) {
        return false;
      }
      for (int i = 0; i < texts.length; i += 2) {
        if (map.get(texts[i]) != texts[i + 1]) {
          return false;
        }
      }
      return true;
    }
  }

  private Headers headers() {
    int from = at;
    if (last != null && startsLikeLast(from)) {
      at = from + last.to - last.from;
      return last;
    }
    List<String> texts = new ArrayList<>();
    for (long count = block(); count != 0; count = block()) {
      for (; count > 0; count--) {
        texts.add(header());
        texts.add(header());
      }
    }
    last = new Headers(from, at, texts.toArray(new String[0]));
    return last;
  }

  /** The head of a block of a map; a negative count has the block's size behind it. */
  private long block() {
    long count = number();
    if (count < 0) {
      number();
      return -count;
    }
    return count;
  }

  private boolean startsLikeLast(int from) {
    int length = last.to - last.from;
    if (length > bytes.length - from) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if (bytes[from + i] != bytes[last.from + i]) {
        return false;
      }
    }
    return true;
  }

  private String header() {
    int from = at;
    String text = text();
    if (text.indexOf('\ufffd') >= 0) {
      remember(text, from);
    }
    return text;
  }

  private void remember(String text, int from) {
    int length = 0;
    int end = at;
    at = from;
    length = count();
    byte[] original = new byte[length];
    System.arraycopy(bytes, at, original, 0, length);
    at = end;
    if (odd == null) {
      odd = new IdentityHashMap<>();
    }
    odd.put(text, original);
  }
}

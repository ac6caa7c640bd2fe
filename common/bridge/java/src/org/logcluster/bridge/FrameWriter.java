package org.logcluster.bridge;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.flume.Event;

/** One frame that is being written. Used by one thread. */
final class FrameWriter {
  private static final int HEAD = 9;

  private byte[] bytes;
  private int at = HEAD;

  FrameWriter() {
    this(256);
  }

  FrameWriter(int expected) {
    bytes = new byte[Math.max(expected, HEAD)];
  }

  /** A number: zig-zag, seven bits a byte. */
  FrameWriter number(long value) {
    room(10);
    long rest = (value << 1) ^ (value >> 63);
    while ((rest & ~0x7fL) != 0) {
      bytes[at++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[at++] = (byte) rest;
    return this;
  }

  /** A string; null is the empty one. */
  FrameWriter text(String text) {
    if (text == null) {
      return number(0);
    }
    int length = text.length();
    room(length + 10);
    int before = at;
    number(length);
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        at = before;
        byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
        return bytes(encoded, 0, encoded.length);
      }
      bytes[at++] = (byte) c;
    }
    return this;
  }

  FrameWriter bytes(byte[] from, int start, int length) {
    number(length);
    return raw(from, start, length);
  }

  /** Bytes without a length. */
  FrameWriter raw(byte[] from, int start, int length) {
    room(length);
    System.arraycopy(from, start, bytes, at, length);
    at += length;
    return this;
  }

  FrameWriter events(List<Event> events) {
    number(events.size());
    for (Event event : events) {
      event(event);
    }
    return this;
  }

  FrameWriter event(Event event) {
    headers(event.getHeaders(), null);
    byte[] body = event.getBody();
    return body == null ? number(0) : bytes(body, 0, body.length);
  }

  /**
   * A header map. Keys and values that are null are left out; what is no string (raw types allow it) becomes one. Strings
   * of {@code odd} are written as the bytes that they were read from.
   */
  FrameWriter headers(Map<?, ?> headers, Map<String, byte[]> odd) {
    int before = at;
    int expected = headers == null ? 0 : headers.size();
    while (expected > 0) {
      number(expected);
      int written = entries(headers, odd);
      if (written == expected) {
        break;
      }
      at = before; // some were null
      expected = written;
    }
    return number(0);
  }

  private int entries(Map<?, ?> headers, Map<String, byte[]> odd) {
    int written = 0;
    for (Map.Entry<?, ?> header : headers.entrySet()) {
      if (header.getKey() != null && header.getValue() != null) {
        header(header.getKey(), odd);
        header(header.getValue(), odd);
        written++;
      }
    }
    return written;
  }

  private void header(Object text, Map<String, byte[]> odd) {
    byte[] original = odd == null || !(text instanceof String) ? null : odd.get(text);
    if (original != null) {
      bytes(original, 0, original.length);
    } else {
      text(text.toString());
    }
  }

  FrameWriter texts(String... texts) {
    for (String text : texts) {
      text(text);
    }
    return this;
  }

  /** How much there is, to come back to. */
  int mark() {
    return at;
  }

  /** Forgets what was written since {@code mark}. */
  void reset(int mark) {
    at = mark;
  }

  /** Whether two stretches of this frame are the same. */
  boolean same(int from, int to, int otherFrom, int otherTo) {
    if (to - from != otherTo - otherFrom) {
      return false;
    }
    for (int i = 0; i < to - from; i++) {
      if (bytes[from + i] != bytes[otherFrom + i]) {
        return false;
      }
    }
    return true;
  }

  /** The bytes, with a head; the first {@link #mark()} of them count. */
  byte[] finish(int type, int component) {
    int32(0, at - 4);
    bytes[4] = (byte) type;
    int32(5, component);
    return bytes;
  }

  private void int32(int where, int value) {
    for (int i = 0; i < 4; i++) {
      bytes[where + i] = (byte) (value >> (24 - 8 * i));
    }
  }

  private void room(int more) {
    if (more > bytes.length - at) {
      long wanted = Math.max((long) bytes.length * 2, (long) at + more);
      if ((long) at + more > Integer.MAX_VALUE - 16) {
        throw new IllegalArgumentException("more than 2 GiB in one batch");
      }
      bytes = Arrays.copyOf(bytes, (int) Math.min(wanted, Integer.MAX_VALUE - 16));
    }
  }
}

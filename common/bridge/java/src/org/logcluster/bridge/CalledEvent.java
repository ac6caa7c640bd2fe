package org.logcluster.bridge;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.apache.flume.event.SimpleEvent;

/**
 * An event of a call to interceptors. It knows its place in the call, so that the answer names what has not changed
 * instead of carrying it.
 */
final class CalledEvent extends SimpleEvent {
  private final FrameReader call;
  final int index;
  private final FrameReader.Headers cameWith;
  private final int bodyFrom;
  private final int bodyLength;
  private Map<String, String> headers; // null until somebody asks
  private byte[] body;

  CalledEvent(FrameReader call, int index, FrameReader.Headers cameWith, int bodyFrom, int bodyLength) {
    this.call = call;
    this.index = index;
    this.cameWith = cameWith;
    this.bodyFrom = bodyFrom;
    this.bodyLength = bodyLength;
  }

  boolean isOf(FrameReader other) {
    return call == other;
  }

  boolean hasItsHeaders() {
    return headers == null || cameWith.isStill(headers);
  }

  boolean hasItsBody() {
    return body == null
        || body.length == bodyLength
            && ByteBuffer.wrap(body).equals(ByteBuffer.wrap(call.bytes, bodyFrom, bodyLength));
  }

  /** Writes the header map: the bytes it came with where nothing has changed, which need not be UTF-8. */
  void writeHeaders(FrameWriter out) {
    if (hasItsHeaders()) {
      out.raw(call.bytes, cameWith.from, cameWith.to - cameWith.from);
    } else {
      out.headers(headers, call.odd());
    }
  }

  @Override
  public Map<String, String> getHeaders() {
    if (headers == null) {
      headers = cameWith.toMap();
    }
    return headers;
  }

  @Override
  public void setHeaders(Map<String, String> headers) {
    this.headers = headers == null ? new HashMap<>() : headers;
  }

  @Override
  public byte[] getBody() {
    if (body == null) {
      body = Arrays.copyOfRange(call.bytes, bodyFrom, bodyFrom + bodyLength);
    }
    return body;
  }

  @Override
  public void setBody(byte[] body) {
    this.body = body == null ? new byte[0] : body;
  }

  @Override
  public String toString() {
    return "[Event headers = " + getHeaders() + ", body.length = " + (body == null ? bodyLength : body.length) + " ]";
  }
}

package org.logcluster.bridge;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * An event of a call to interceptors. It knows its place in the call, so that the answer names what has not changed
 * instead of carrying it.
 */
final class CalledEvent extends LeasedEvent {
  private final FrameReader call;
  final int index;
  private final int bodyFrom;
  private final int bodyLength;
  private byte[] body; // null until somebody asks

  CalledEvent(FrameReader call, int index, FrameReader.Headers cameWith, int bodyFrom, int bodyLength) {
    super(cameWith);
    this.call = call;
    this.index = index;
    this.bodyFrom = bodyFrom;
    this.bodyLength = bodyLength;
  }

  boolean isOf(FrameReader other) {
    return call == other;
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
      out.headers(getHeaders(), call.odd());
    }
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
}

package org.logcluster.bridge;

import java.util.HashMap;
import java.util.Map;
import org.apache.flume.event.SimpleEvent;

/** An event that has come in a frame. Many classes look at bodies only: it has a header map once somebody asks for it. */
class LeasedEvent extends SimpleEvent {
  final FrameReader.Headers cameWith;
  private volatile Map<String, String> headers; // a class may hand an event to another thread

  LeasedEvent(FrameReader.Headers cameWith) {
    this.cameWith = cameWith;
  }

  final boolean hasItsHeaders() {
    return headers == null || cameWith.isStill(headers);
  }

  @Override
  public final Map<String, String> getHeaders() {
    Map<String, String> made = headers;
    return made != null ? made : make();
  }

  private synchronized Map<String, String> make() {
    if (headers == null) {
      headers = cameWith.toMap();
    }
    return headers;
  }

  @Override
  public final void setHeaders(Map<String, String> headers) {
    this.headers = headers == null ? new HashMap<>() : headers;
  }

  @Override
  public final String toString() {
    return "[Event headers = " + getHeaders() + ", body.length = " + getBody().length + " ]";
  }
}

package org.logcluster.bridge;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.flume.ChannelException;

/**
 * The way to the native side. A frame is one write. It is java.io on purpose: an NIO channel is closed for all when a
 * thread that uses it is interrupted, and every stop interrupts.
 */
final class Pipe {
  private final OutputStream out;

  Pipe(String path) throws IOException {
    out = new FileOutputStream(path);
  }

  /** Sends a frame. */
  void send(int type, int component, FrameWriter frame) {
    byte[] bytes = frame.finish(type, component);
    synchronized (this) {
      try {
        out.write(bytes, 0, frame.mark());
      } catch (IOException e) {
        throw new ChannelException("the agent is gone", e);
      }
    }
  }

  void send(int type, int component) {
    send(type, component, new FrameWriter(16));
  }
}

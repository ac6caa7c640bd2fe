package org.logcluster.bridge;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * How a small process of its own and its agent speak: frames come on the first pipe and go to the second one, each a length and as
 * many bytes; the first byte of one that goes out says what it is. It needs the JDK alone.
 */
final class Frames {
  private final DataOutputStream out;
  private final BlockingQueue<byte[]> read = new ArrayBlockingQueue<>(1);

  /** {@code pipe} is the one for what goes out. */
  Frames(String pipe) throws IOException {
    out = new DataOutputStream(new BufferedOutputStream(new FileOutputStream(pipe)));
  }

  /**
   * Begins to read. A frame of more than {@code most} bytes counts as the end of the pipe, at which {@code gone} runs, also while
   * nobody takes anything.
   */
  void read(String pipe, int most, Runnable gone) {
    Thread reader = new Thread(() -> {
      readAll(pipe, most);
      gone.run();
    }, "reader");
    reader.setDaemon(true);
    reader.start();
  }

  private void readAll(String pipe, int most) {
    try (DataInputStream in = new DataInputStream(new FileInputStream(pipe))) {
      for (;;) {
        int length = in.readInt();
        if (length < 0 || length > most) {
          throw new IOException("a frame of " + length + " bytes");
        }
        byte[] frame = new byte[length];
        in.readFully(frame);
        read.put(frame);
      }
    } catch (IOException | InterruptedException gone) {
      // which is told
    }
  }

  /** The next frame, once there is one. */
  byte[] take() throws InterruptedException {
    return read.take();
  }

  /** One that comes behind all that were read. */
  void put(byte[] frame) throws InterruptedException {
    read.put(frame);
  }

  void say(char kind, byte[] rest) throws IOException {
    synchronized (out) {
      out.writeInt(1 + rest.length);
      out.writeByte(kind);
      out.write(rest);
      out.flush();
    }
  }
}

package org.logcluster.bridge;

import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayDeque;
import java.util.Iterator;

/**
 * The way from the native side. Memory of frames whose events have all been taken is used again: new memory has to be
 * cleared by Java, and a collection in between copies it.
 */
final class FrameInput {
  private static final int READ = 1 << 15; // stays in a processor's own cache: 256 KiB took twice as long
  private static final int STEP = 1 << 14; // lengths of neighbours differ by less, mostly

  // No component knows the only thread that reads it, so none interrupts it, which would close an NIO channel.
  private final FileChannel pipe;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(READ);
  private final int mostFrameBytes;
  private final ArrayDeque<byte[]> spare = new ArrayDeque<>();
  private long room; // bytes that may be kept beside those in spare

  FrameInput(String path, long heapBytes) throws IOException {
    pipe = new FileInputStream(path).getChannel();
    buffer.limit(0);
    mostFrameBytes = (int) Math.min(heapBytes / 4, 1 << 30);
    room = heapBytes / 16;
  }

  /** The next frame, waited for; the end of the pipe is an EOFException. */
  FrameReader next() throws IOException {
    fill(4);
    int length = buffer.getInt();
    if (length < 5 || length > mostFrameBytes) {
      throw new IllegalArgumentException(length + " bytes are announced, at most " + mostFrameBytes + " may be");
    }
    fill(1);
    // Events for a sink are copied out of their frame; those of calls stay in it for as long as a class keeps them.
    boolean again = (buffer.get(buffer.position()) & 0xff) == Protocol.EVENTS;
    byte[] bytes = again ? memory(length) : new byte[length];
    for (int at = 0; at < length; ) {
      fill(1);
      int part = Math.min(buffer.remaining(), length - at);
      buffer.get(bytes, at, part);
      at += part;
    }
    return new FrameReader(bytes);
  }

  /** Has at least {@code wanted} bytes in the buffer. */
  private void fill(int wanted) throws IOException {
    if (buffer.remaining() >= wanted) {
      return;
    }
    buffer.compact();
    do {
      if (pipe.read(buffer) < 0) {
        throw new EOFException();
      }
    } while (buffer.position() < wanted);
    buffer.flip();
  }

  private synchronized byte[] memory(int length) {
    if (length < STEP) {
      return new byte[length]; // thousands of them may wait, and they are cheap to clear
    }
    for (Iterator<byte[]> each = spare.iterator(); each.hasNext(); ) {
      byte[] bytes = each.next();
      if (bytes.length >= length && bytes.length / 2 <= length) {
        each.remove();
        room += bytes.length;
        return bytes;
      }
    }
    return new byte[length + STEP - length % STEP];
  }

  /** All events of this frame have been taken. */
  synchronized void release(FrameReader frame) {
    if (frame.bytes.length >= STEP && frame.bytes.length <= room) {
      room -= frame.bytes.length;
      spare.add(frame.bytes);
    }
  }
}
